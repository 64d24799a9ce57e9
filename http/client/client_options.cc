// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/client_options.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

namespace {

// RFC 9113, section 6.9.
constexpr uint64_t kLeastConnectionWindow = 65535;
constexpr uint64_t kMostWindow = 0x7fffffff;
constexpr uint64_t kMany = 1'000'000;

}  // namespace

absl::Status CheckClientOptions(const ClientOptions& options) {
  const auto refuse = [](std::string_view name, std::string_view range) {
    return absl::InvalidArgumentError(
        absl::StrCat("http::ClientOptions::", name, " is not ", range));
  };
  struct Size {
    std::string_view name;
    uint64_t value;
    uint64_t least;
    uint64_t most;
  };
  for (const Size& size :
       {Size{"max_connections_per_host", options.max_connections_per_host, 1,
             kMany},
        Size{"max_waiting_per_host", options.max_waiting_per_host, 0, kMany},
        Size{"max_idle_per_host", options.max_idle_per_host, 0, kMany},
        Size{"max_idle", options.max_idle, 0, kMany},
        Size{"response.header_bytes", options.response.header_bytes, 1,
             16u << 20},
        Size{"response.header_count", options.response.header_count, 1,
             100'000},
        Size{"response.informational_count",
             options.response.informational_count, 0, kMany},
        Size{"http2.max_streams", options.http2.max_streams, 1, 100'000},
        Size{"http2.stream_window_bytes", options.http2.stream_window_bytes, 1,
             kMostWindow},
        Size{"http2.connection_window_bytes",
             options.http2.connection_window_bytes, kLeastConnectionWindow,
             kMostWindow},
        Size{"http2.max_control_frames_per_second",
             options.http2.max_control_frames_per_second, 1, UINT32_MAX},
        Size{"max_redirects", options.max_redirects, 0, 100}}) {
    if (size.value < size.least || size.value > size.most)
      return refuse(size.name, absl::StrCat(size.least, " to ", size.most));
  }
  struct Time {
    std::string_view name;
    absl::Duration value;
  };
  for (const Time& time :
       {Time{"idle_timeout", options.idle_timeout},
        Time{"place_timeout", options.place_timeout},
        Time{"connect_timeout", options.connect_timeout},
        Time{"write_timeout", options.write_timeout},
        Time{"head_timeout", options.head_timeout},
        Time{"body_timeout", options.body_timeout},
        Time{"request_timeout", options.request_timeout},
        Time{"continue_timeout", options.continue_timeout}}) {
    if (time.value <= absl::ZeroDuration())
      return refuse(time.name, "positive");
  }
  if (!IsFieldValue(options.user_agent))
    return refuse("user_agent", "text that a header can have");
  if (options.tls.has_value() && options.tls->is_server())
    return refuse("tls", "the context of a client");
  return absl::OkStatus();
}

}  // namespace ringway::http
