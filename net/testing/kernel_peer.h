// SPDX-License-Identifier: Apache-2.0
//
// Far ends for tests that need the kernel: blocking sockets outside the
// executor. Other tests use peer.h, which also works with simulated streams.

#ifndef RINGWAY_NET_TESTING_KERNEL_PEER_H_
#define RINGWAY_NET_TESTING_KERNEL_PEER_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "ringway/core/unique_fd.h"

namespace ringway::net::testing {

// A directory for Unix sockets with a short path; removed at the end with its
// content.
class ShortDirectory {
 public:
  ShortDirectory();
  ~ShortDirectory();
  std::string PathOf(std::string_view name) const;

 private:
  std::string path_;
};

struct KernelPair {
  UniqueFd near_end;
  UniqueFd far_end;
};
KernelPair KernelTcp();
// Sets a small buffer, so that transfers are shorter than a test's payload.
void SetBuffer(int fd, int option, int n_bytes);
// Until end of stream or an error, which `errnum` receives.
std::string ReceiveAll(int fd, int* errnum = nullptr);
// Makes close(2) of `fd` a reset.
void ResetOnClose(int fd);
// Sends as much as fits without waiting. Returns the number of bytes.
size_t FillSendBuffer(int fd);

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_KERNEL_PEER_H_
