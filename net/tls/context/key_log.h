// SPDX-License-Identifier: Apache-2.0
//
// KeyLog: a file of connections' secrets, for programs that decrypt captured
// traffic (the format of NSS's SSLKEYLOGFILE).

#ifndef RINGWAY_NET_TLS_CONTEXT_KEY_LOG_H_
#define RINGWAY_NET_TLS_CONTEXT_KEY_LOG_H_

#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/core/unique_fd.h"

namespace ringway::net::internal {

// Threads: any, once opened.
class KeyLog {
 public:
  // Appends to the file `path`, which only its user can read if it is new.
  //
  // Errors: those of open(2).
  absl::Status Open(const std::string& path);
  bool is_open() const { return fd_.valid(); }

  // A line that cannot be written is lost.
  void Write(std::string_view line);

 private:
  UniqueFd fd_;
  std::mutex mutex_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_KEY_LOG_H_
