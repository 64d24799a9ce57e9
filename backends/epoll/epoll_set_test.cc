// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/epoll_set.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {
namespace {

class EpollSetTest : public ::testing::TestWithParam<WaitMethod> {
 protected:
  int Wait(absl::Duration duration) {
    const MonotonicTime now = Clock::Real().Now();
    return set_->Wait(events_, now, now + duration);
  }

  std::unique_ptr<EpollSet> set_ = *EpollSet::Create(GetParam());
  UniqueFd event_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::array<epoll_event, 8> events_ = {};
};

TEST_P(EpollSetTest, SaysHowItWaits) {
  const std::string_view name = set_->method_name();
  if (GetParam() == WaitMethod::kTimerFd) {
    EXPECT_EQ(name, "timerfd");
  } else {
    EXPECT_TRUE(name == "epoll_pwait2" || name == "timerfd");
  }
}

TEST_P(EpollSetTest, WaitsLessThanAMillisecondAndNeverTooShort) {
  absl::Duration shortest = absl::InfiniteDuration();
  for (int i = 0; i < 50; ++i) {
    const MonotonicTime before = Clock::Real().Now();
    EXPECT_EQ(Wait(absl::Microseconds(200)), 0);
    const absl::Duration waited = Clock::Real().Now() - before;
    EXPECT_GE(waited, absl::Microseconds(200));
    shortest = std::min(shortest, waited);
  }
  EXPECT_LT(shortest, absl::Milliseconds(1)) << "it waits in milliseconds";
}

TEST_P(EpollSetTest, EventEndsAWaitAndCarriesItsData) {
  ASSERT_EQ(set_->Control(EPOLL_CTL_ADD, event_.get(), EPOLLIN, 77), 0);
  ASSERT_EQ(eventfd_write(event_.get(), 1), 0);

  EXPECT_EQ(Wait(absl::Hours(24 * 365 * 200)), 1);

  EXPECT_EQ(events_[0].data.u64, 77u);
  EXPECT_EQ(events_[0].events, uint32_t{EPOLLIN});
}

TEST_P(EpollSetTest, PastDeadlinesDoNotBlock) {
  EXPECT_EQ(Wait(absl::ZeroDuration()), 0);
  EXPECT_EQ(Wait(-absl::Seconds(5)), 0);
  EXPECT_EQ(set_->Wait(events_, Clock::Real().Now(),
                       MonotonicTime::FromNanoseconds(
                           std::numeric_limits<int64_t>::min())),
            0);
}

TEST_P(EpollSetTest, DeadlineThatAnEventOvertookIsForgotten) {
  ASSERT_EQ(set_->Control(EPOLL_CTL_ADD, event_.get(), EPOLLIN, 77), 0);
  ASSERT_EQ(eventfd_write(event_.get(), 1), 0);
  EXPECT_EQ(Wait(absl::Milliseconds(1)), 1);
  eventfd_t value;
  ASSERT_EQ(eventfd_read(event_.get(), &value), 0);

  const MonotonicTime before = Clock::Real().Now();
  EXPECT_EQ(Wait(absl::Milliseconds(5)), 0);
  EXPECT_GE(Clock::Real().Now() - before, absl::Milliseconds(5));
  EXPECT_EQ(set_->Poll(events_), 0) << "the set's own event shows";
}

TEST_P(EpollSetTest, ControlGivesTheErrno) {
  EXPECT_EQ(set_->Control(EPOLL_CTL_ADD, 19'999, EPOLLIN, 0), -EBADF);
  EXPECT_EQ(set_->Control(EPOLL_CTL_MOD, event_.get(), EPOLLIN, 0), -ENOENT);
}

INSTANTIATE_TEST_SUITE_P(Methods, EpollSetTest,
                         ::testing::Values(WaitMethod::kProbed,
                                           WaitMethod::kTimerFd),
                         [](const ::testing::TestParamInfo<WaitMethod>& i) {
                           return i.param == WaitMethod::kProbed ? "Probed"
                                                                 : "TimerFd";
                         });

}  // namespace
}  // namespace ringway::epoll
