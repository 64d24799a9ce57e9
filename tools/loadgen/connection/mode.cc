// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/mode.h"

namespace ringway::loadgen {

std::string_view ProtocolName(Protocol protocol) {
  switch (protocol) {
    case Protocol::kUdp:
      return "udp";
    case Protocol::kHttp1:
      return "http1";
    case Protocol::kHttp2:
      return "h2";
    case Protocol::kEcho:
      break;
  }
  return "echo";
}

bool IsHttp(Protocol protocol) {
  return protocol == Protocol::kHttp1 || protocol == Protocol::kHttp2;
}

bool AnswersInOrder(Protocol protocol) {
  return protocol != Protocol::kUdp && protocol != Protocol::kHttp2;
}

}  // namespace ringway::loadgen
