// SPDX-License-Identifier: Apache-2.0
//
// KernelNetTest: gives each test an executor on the machine's backend and a
// time limit, and asserts that every fd is closed at the end. For tests that
// need the kernel; others use NetTest.

#ifndef RINGWAY_NET_TESTING_KERNEL_FIXTURE_H_
#define RINGWAY_NET_TESTING_KERNEL_FIXTURE_H_

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/structured/timeout.h"  // IWYU pragma: export
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"  // IWYU pragma: export
#include "ringway/net/tcp.h"
#include "ringway/net/testing/kernel_peer.h"   // IWYU pragma: export
#include "ringway/net/testing/stream_tasks.h"  // IWYU pragma: export

namespace ringway::net::testing {

class KernelNetTest : public ::testing::Test {
 protected:
  // Far longer than any test takes, even on a loaded machine.
  static constexpr absl::Duration kPatience = absl::Seconds(60);

  explicit KernelNetTest(const ExecutorOptions& options = ExecutorOptions());
  ~KernelNetTest() override;
  void SetUp() override;
  void TearDown() override;

  Executor& executor() { return *executor_; }
  Loop& loop() { return executor_->loop(); }

  // Runs `main` to its end within the time limit.
  void Run(Task<void> main);
  // As at the end of a program without clean-up.
  void DestroyExecutor() { executor_.reset(); }

  TcpStream Adopt(UniqueFd fd) {
    return TcpStream::Adopt(loop(), std::move(fd));
  }
  TcpListener ListenOn(std::string_view address,
                       const ListenOptions& options = ListenOptions());

 private:
  const ExecutorOptions options_;
  const size_t fds_before_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_KERNEL_FIXTURE_H_
