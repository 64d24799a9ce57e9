// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/kernel_fixture.h"

#include <string>

#include "ringway/backends/testing/sockets.h"
#include "ringway/executor/structured/timeout.h"

namespace ringway::net::testing {

KernelNetTest::KernelNetTest(const ExecutorOptions& options)
    : options_(options), fds_before_(ringway::testing::CountOpenFds()) {}

KernelNetTest::~KernelNetTest() = default;

void KernelNetTest::SetUp() {
  executor_ = ValueOf(Executor::Create(options_));
  RecordProperty("backend", std::string(loop().backend().name()));
}

void KernelNetTest::TearDown() {
  DestroyExecutor();
  EXPECT_EQ(ringway::testing::CountOpenFds(), fds_before_) << "an fd leaked";
}

void KernelNetTest::Run(Task<void> main) {
  Task<absl::Status> limited = WithTimeout(kPatience, std::move(main));
  const absl::Status ended = executor_->Run(std::move(limited));
  EXPECT_TRUE(ended.ok()) << ended;
}

TcpListener KernelNetTest::ListenOn(std::string_view address,
                                    const ListenOptions& options) {
  return ValueOf(TcpListener::Listen(
      loop(), ValueOf(SocketAddress::Parse(address)), options));
}

}  // namespace ringway::net::testing
