// SPDX-License-Identifier: Apache-2.0
//
// A backend is created while the first system call of a kind fails, then the
// second, and so on until none is left: either creation succeeds, or the
// status has that errno; and no fd leaks.

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/make_backend.h"
#include "ringway/backends/testing/failing_calls.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/errno_status.h"

namespace ringway {
namespace {

using testing::CountOpenFds;
using testing::FailingCall;
using testing::SystemCall;
using testing::SystemCallName;

class FailingCreation : public ::testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    unsetenv("RINGWAY_BACKEND");  // each asks for its own
    absl::StatusOr<std::unique_ptr<Backend>> made = Make();
    if (!made.ok()) GTEST_SKIP() << made.status();
  }

  static absl::StatusOr<std::unique_ptr<Backend>> Make() {
    BackendOptions options;
    options.kind = GetParam();
    return MakeBackend(options);
  }

  // With the n-th `call` failing. False when there were fewer.
  static bool FailOnce(SystemCall call, uint64_t n, int errnum) {
    SCOPED_TRACE(absl::StrCat(SystemCallName(call), " number ", n,
                              " fails with errno ", errnum));
    const size_t fds_before = CountOpenFds();
    bool happened;
    {
      FailingCall failure(call, n, errnum);
      absl::StatusOr<std::unique_ptr<Backend>> made = Make();
      happened = failure.happened();
      if (!made.ok()) {
        EXPECT_TRUE(happened) << made.status();
        EXPECT_EQ(ErrnoOf(made.status()), errnum) << made.status();
      }
    }
    EXPECT_EQ(CountOpenFds(), fds_before);
    return happened;
  }

  // Returns how many calls were made to fail.
  static uint64_t FailEach(SystemCall call,
                           std::initializer_list<int> errnums) {
    uint64_t failures = 0;
    for (int errnum : errnums) {
      uint64_t n = 1;
      while (!HasFailure() && FailOnce(call, n, errnum)) ++n;
      failures += n - 1;
    }
    return failures;
  }
};

TEST_P(FailingCreation, OfAnyFdIsAStatusOrPassedOver) {
  uint64_t failures = 0;
  for (SystemCall call : {SystemCall::kUringSetup, SystemCall::kEpollCreate,
                          SystemCall::kEventFd, SystemCall::kSocketPair}) {
    failures += FailEach(call, {EMFILE, ENFILE, ENOMEM});
  }
  EXPECT_GE(failures, 3u * 2) << "a backend has an fd, and one to be woken by";
}

// Memory that is short for a moment, as while the page cache holds all of it.
TEST_P(FailingCreation, ForWantOfMemoryIsTriedAgain) {
  FailingCall failure(SystemCall::kUringSetup, 1, ENOMEM);
  const absl::StatusOr<std::unique_ptr<Backend>> made = Make();
  EXPECT_TRUE(made.ok()) << made.status();
}

TEST_P(FailingCreation, OfTheFirstWaitIsAStatusOrPassedOver) {
  const uint64_t failures =
      FailEach(SystemCall::kUringEnter, {EINTR, EAGAIN, EBUSY, ENOMEM, EPERM}) +
      FailEach(SystemCall::kEpollControl, {ENOMEM, ENOSPC}) +
      FailEach(SystemCall::kEpollWait, {EINTR, ENOSYS, EPERM});
  EXPECT_GT(failures, 0u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FailingCreation,
                         ::testing::Values(BackendKind::kAuto,
                                           BackendKind::kUring,
                                           BackendKind::kEpoll),
                         [](const auto& info) {
                           return std::string(BackendKindName(info.param));
                         });

}  // namespace
}  // namespace ringway
