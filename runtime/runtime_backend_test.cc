// SPDX-License-Identifier: Apache-2.0
//
// Which backend the workers of a runtime are on.

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/make_backend.h"
#include "ringway/backends/testing/failing_calls.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using testing::FailingCallOfAnyThread;
using testing::SystemCall;

class RuntimeBackend : public RuntimeTest {
 protected:
  void SetUp() override {
    unsetenv("RINGWAY_BACKEND");
    BackendOptions options;
    options.kind = BackendKind::kUring;
    absl::StatusOr<std::unique_ptr<Backend>> made = MakeBackend(options);
    if (!made.ok()) GTEST_SKIP() << made.status();
  }
};

// Each worker used to choose its backend separately: if memory for rings ran
// out after some of them, only the others fell back. One of the two kinds was
// reported, and clients of the same port were served by either. In other
// tests io_uring is refused for all workers.
TEST_F(RuntimeBackend, IsEpollOnAllWorkersWhereOneCannotHaveIoUring) {
  for (const uint64_t refused : {1, 2, 3}) {
    std::mutex mutex;
    std::set<std::string> names;
    std::promise<void> all;
    int started = 0;
    Runtime::Builder builder = OneWorker();
    builder.Workers(3)
        .Listen("127.0.0.1:0", Echo)
        .OnStart([&]() -> Task<absl::Status> {
          std::lock_guard<std::mutex> lock(mutex);
          names.emplace(Executor::Current()->loop().backend().name());
          if (++started == 3) all.set_value();
          co_return absl::OkStatus();
        });
    std::unique_ptr<Runtime> runtime;
    ::testing::internal::CaptureStderr();
    {
      FailingCallOfAnyThread failure(SystemCall::kUringSetup, refused, EPERM);
      runtime = Launch(builder);
      EXPECT_TRUE(failure.happened());
    }
    const std::string logged = ::testing::internal::GetCapturedStderr();
    all.get_future().wait();
    EXPECT_EQ(started, 3) << "OnStart() ran on workers that were given up";
    EXPECT_EQ(names, std::set<std::string>{"epoll"});
    EXPECT_TRUE(absl::StartsWith(runtime->backend_description(), "epoll"))
        << runtime->backend_description();
    EXPECT_TRUE(absl::StrContains(logged,
                                  "using epoll on all 3 workers, because "
                                  "io_uring is unavailable on 1 of "))
        << logged;
    UniqueFd client = ConnectTo(runtime->addresses()[0]);
    EXPECT_EQ(Ask(client.get(), "a"), "a");
    client.Reset();
    runtime.reset();
    ExpectNothingIsLeft();
  }
}

TEST_F(RuntimeBackend, AskedForByNameIsThatOrAnError) {
  ExecutorOptions options;
  options.loop.backend.kind = BackendKind::kUring;
  Runtime::Builder builder = OneWorker();
  builder.Workers(3).Options(options).Listen("127.0.0.1:0", Echo);
  const FailingCallOfAnyThread failure(SystemCall::kUringSetup, 2, EPERM);
  EXPECT_FALSE(builder.Launch().ok());
}

}  // namespace
}  // namespace ringway
