// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/server_options.h"

#include "absl/strings/str_cat.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

namespace {

// RFC 9113, section 6.9.
constexpr uint64_t kLeastConnectionWindow = 65535;
constexpr uint64_t kMostWindow = 0x7fffffff;

}  // namespace

absl::Status CheckServerOptions(const ServerOptions& options) {
  const auto refuse = [](std::string_view name, std::string_view range) {
    return absl::InvalidArgumentError(
        absl::StrCat("http::ServerOptions::", name, " is not ", range));
  };
  struct Size {
    std::string_view name;
    uint64_t value;
    uint64_t most;
  };
  for (const Size& size :
       {Size{"request.target_bytes", options.request.target_bytes, 1u << 20},
        Size{"request.header_bytes", options.request.header_bytes, 16u << 20},
        Size{"request.header_count", options.request.header_count, 100'000},
        Size{"http2.max_streams", options.http2.max_streams, 100'000},
        Size{"http2.stream_window_bytes", options.http2.stream_window_bytes,
             kMostWindow},
        Size{"http2.max_resets_per_second", options.http2.max_resets_per_second,
             UINT32_MAX},
        Size{"http2.max_control_frames_per_second",
             options.http2.max_control_frames_per_second, UINT32_MAX},
        Size{"max_requests", options.max_requests, UINT64_MAX}}) {
    if (size.value < 1 || size.value > size.most)
      return refuse(size.name, absl::StrCat("1 to ", size.most));
  }
  if (options.http2.connection_window_bytes < kLeastConnectionWindow ||
      options.http2.connection_window_bytes > kMostWindow) {
    return refuse("http2.connection_window_bytes",
                  absl::StrCat(kLeastConnectionWindow, " to ", kMostWindow));
  }
  struct Time {
    std::string_view name;
    absl::Duration value;
  };
  for (const Time& time :
       {Time{"head_timeout", options.head_timeout},
        Time{"idle_timeout", options.idle_timeout},
        Time{"body_timeout", options.body_timeout},
        Time{"write_timeout", options.write_timeout},
        Time{"request_timeout", options.request_timeout},
        Time{"response_timeout", options.response_timeout}}) {
    if (time.value <= absl::ZeroDuration())
      return refuse(time.name, "positive");
  }
  for (const Time& time : {Time{"drain_idle_time", options.drain_idle_time},
                           Time{"goodbye_timeout", options.goodbye_timeout}}) {
    if (time.value < absl::ZeroDuration())
      return refuse(time.name, "zero or more");
  }
  if (!IsFieldValue(options.server_name))
    return refuse("server_name", "text that a header can have");
  return absl::OkStatus();
}

}  // namespace ringway::http
