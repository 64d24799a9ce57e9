// SPDX-License-Identifier: Apache-2.0

#include <string_view>

#include "ringway/runtime/serving/server.h"

namespace ringway {

std::string_view ServerPhaseName(ServerPhase phase) {
  switch (phase) {
    case ServerPhase::kServing:
      return "serving";
    case ServerPhase::kLameDuck:
      return "lame duck";
    case ServerPhase::kStopping:
      return "stopping";
    case ServerPhase::kDraining:
      return "draining";
    case ServerPhase::kCut:
      return "cut";
    case ServerPhase::kEnded:
      return "ended";
  }
  return "unknown";
}

}  // namespace ringway
