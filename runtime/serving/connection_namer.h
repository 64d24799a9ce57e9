// SPDX-License-Identifier: Apache-2.0
//
// ConnectionNamer: names the task of a connection by its peer. Internal.

#ifndef RINGWAY_RUNTIME_SERVING_CONNECTION_NAMER_H_
#define RINGWAY_RUNTIME_SERVING_CONNECTION_NAMER_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket/stream_watch.h"

namespace ringway::internal {

// "connection 127.0.0.1:51234". Clients of a Unix socket have no address: they
// share that of the listener. Without either once the stream is closed.
class ConnectionNamer : public TaskNamer {
 public:
  // `watch` must outlive it.
  explicit ConnectionNamer(const net::internal::StreamWatch& watch)
      : TaskNamer(&MakeName), watch_(watch) {}

 private:
  static std::string MakeName(const TaskNamer& namer) {
    const auto& self = static_cast<const ConnectionNamer&>(namer);
    const std::string peer = self.watch_.PeerName();
    return absl::StrCat("connection", peer.empty() ? "" : " ", peer);
  }

  const net::internal::StreamWatch& watch_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_SERVING_CONNECTION_NAMER_H_
