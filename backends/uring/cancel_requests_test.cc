// SPDX-License-Identifier: Apache-2.0
//
// When a cancel request is repeated. The kernel's answers that require it
// depend on the state of its threads, so tests of whole operations get them
// by chance; here they are injected.

#include "ringway/backends/uring/cancel_requests.h"

#include <cerrno>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/uring/kernel_ring.h"
#include "ringway/backends/uring/ring_setup.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::uring {
namespace {

class SetClock final : public Clock {
 public:
  MonotonicTime Now() const override { return now; }
  MonotonicTime now = MonotonicTime::FromNanoseconds(1'000'000);
};

class CancelRequestsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<KernelRing>> ring =
        KernelRing::Create(RingConfig(BackendOptions()));
    if (!ring.ok()) GTEST_SKIP() << "the kernel refuses: " << ring.status();
    ring_ = *std::move(ring);
    PrepareNop(op_);
    requests_.Add(op_);
    Submit();
  }
  void TearDown() override {
    if (op_.linked()) op_.Unlink();
  }

  void Submit() { requests_.Submit(*ring_, clock_.now); }
  // The number of requests written; none of them is submitted.
  uint32_t written() const { return ring_->unsubmitted(); }

  void Answer(int32_t result) {
    requests_.OnOutcome(result);
    requests_.AfterReap(clock_);
  }

  // Nothing until `pause` has passed, then one more request.
  void ExpectOneMoreAfter(absl::Duration pause) {
    const uint32_t before = written();
    ASSERT_EQ(requests_.next(), clock_.now + pause);
    clock_.now = requests_.next() + -absl::Nanoseconds(1);
    Submit();
    EXPECT_EQ(written(), before);
    clock_.now = requests_.next();
    Submit();
    EXPECT_EQ(written(), before + 1);
    EXPECT_TRUE(requests_.next().is_infinite());
  }

  SetClock clock_;
  std::unique_ptr<KernelRing> ring_;
  CancelRequests requests_{0};
  Operation op_{nullptr};
};

TEST_F(CancelRequestsTest, AnOperationThatIsNotFoundIsAskedForAgain) {
  EXPECT_EQ(written(), 1u);
  Answer(-ENOENT);
  ExpectOneMoreAfter(absl::Milliseconds(1));
}

TEST_F(CancelRequestsTest, AnOperationThatWasInterruptedIsAskedForAgain) {
  Answer(-EALREADY);
  ExpectOneMoreAfter(absl::Milliseconds(1));
}

TEST_F(CancelRequestsTest, AnOperationThatWasFoundIsNot) {
  Answer(0);
  EXPECT_TRUE(requests_.next().is_infinite());
}

TEST_F(CancelRequestsTest, AnOperationThatHasEndedIsNot) {
  requests_.OnOutcome(-ENOENT);
  op_.Unlink();
  requests_.AfterReap(clock_);
  EXPECT_TRUE(requests_.next().is_infinite());
  EXPECT_TRUE(requests_.empty());
}

TEST_F(CancelRequestsTest, PausesDoubleToEightMilliseconds) {
  for (int pause : {1, 2, 4, 8, 8}) {
    Answer(-EALREADY);
    ExpectOneMoreAfter(absl::Milliseconds(pause));
  }
  op_.Unlink();
  requests_.AfterReap(clock_);
  requests_.Add(op_);
  Submit();
  Answer(-EALREADY);
  ExpectOneMoreAfter(absl::Milliseconds(1));
}

TEST_F(CancelRequestsTest, RequestsThatFindNoRoomAreWrittenLater) {
  while (ring_->NextEntry() != nullptr) {
  }
  Operation other(nullptr);
  PrepareNop(other);
  requests_.Add(other);
  Submit();
  EXPECT_TRUE(requests_.unsubmitted());
  EXPECT_FALSE(requests_.empty());
  other.Unlink();
  EXPECT_FALSE(requests_.unsubmitted());
}

}  // namespace
}  // namespace ringway::uring
