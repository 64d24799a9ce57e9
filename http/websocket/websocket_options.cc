// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/websocket_options.h"

#include "absl/strings/str_cat.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

absl::Status CheckWebSocketOptions(const WebSocketOptions& options) {
  if (options.max_message_bytes == 0)
    return absl::InvalidArgumentError("max_message_bytes must be positive");
  const struct {
    const char* name;
    absl::Duration value;
  } durations[] = {
      {"ping_interval", options.ping_interval},
      {"pong_timeout", options.pong_timeout},
      {"close_timeout", options.close_timeout},
  };
  for (const auto& [name, value] : durations) {
    if (value <= absl::ZeroDuration())
      return absl::InvalidArgumentError(
          absl::StrCat(name, " must be positive"));
  }
  for (const std::string& protocol : options.protocols) {
    if (!IsToken(protocol)) {
      return absl::InvalidArgumentError(
          absl::StrCat("protocols: \"", protocol, "\" is no token"));
    }
  }
  return absl::OkStatus();
}

}  // namespace ringway::http
