// SPDX-License-Identifier: Apache-2.0
//
// EpollBackendTest: an epoll backend on the kernel, for cases that look at how
// it does what every backend does.

#ifndef RINGWAY_BACKENDS_EPOLL_EPOLL_FIXTURE_H_
#define RINGWAY_BACKENDS_EPOLL_EPOLL_FIXTURE_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/epoll/epoll_backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"

namespace ringway::epoll {

// Sends until `fd` takes no more.
inline void FillSendBuffer(int fd) {
  const std::string block(4096, 'x');
  while (send(fd, block.data(), block.size(), MSG_DONTWAIT) > 0) {
  }
}

class EpollBackendTest : public ::testing::Test {
 protected:
  explicit EpollBackendTest(const BackendOptions& options = BackendOptions())
      : driver_(*EpollBackend::Create(options)) {}

  void RunUntilDone(testing::CountedOperation& op) {
    EXPECT_TRUE(driver_.RunUntil([&] { return op.done(); }));
    EXPECT_EQ(op.completions, 1);
  }

  // Starts a receive of up to 64 bytes.
  void StartRecv(int fd) {
    recv_.completions = 0;
    PrepareRecv(recv_, fd, buffer_);
    driver_.Start(recv_);
  }

  testing::BackendDriver driver_;
  std::array<std::byte, 64> buffer_ = {};
  testing::CountedOperation recv_, op_;
};

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_EPOLL_FIXTURE_H_
