// SPDX-License-Identifier: Apache-2.0
//
// UniqueFd: owns one file descriptor and closes it, once, in its destructor.
//
// For fds that no operation is using: close(2) with an armed receive leaves
// the receive armed and sends no FIN, so a stream closes its own socket after
// cancelling its operations.

#ifndef RINGWAY_CORE_UNIQUE_FD_H_
#define RINGWAY_CORE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

#include "ringway/core/compiler.h"

namespace ringway {

class [[nodiscard]] UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(other.Release());
    return *this;
  }
  ~UniqueFd() { Reset(); }

  // The descriptor, or -1 if it owns none.
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  // Releases ownership without closing the descriptor.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

  // Closes the owned descriptor and takes `fd`. Preserves errno, which error
  // paths read afterwards.
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_UNIQUE_FD_H_
