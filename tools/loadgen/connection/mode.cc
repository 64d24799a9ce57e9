// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/mode.h"

namespace ringway::loadgen {

std::string_view ProtocolName(Protocol protocol) {
  switch (protocol) {
    case Protocol::kUdp:
      return "udp";
    case Protocol::kEcho:
      break;
  }
  return "echo";
}

bool AnswersInOrder(Protocol protocol) { return protocol != Protocol::kUdp; }

}  // namespace ringway::loadgen
