// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/backend_fixture.h"

#include <linux/io_uring.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/epoll/epoll_backend.h"
#include "ringway/backends/epoll/registration_check.h"
#include "ringway/backends/testing/sim_system.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/clock.h"

namespace ringway::testing {
namespace {

constexpr uint32_t kEveryOptionalFlag =
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
    IORING_SETUP_SUBMIT_ALL;

// Without these the backend cannot be created (kRequiredOpcodes in
// kernel_ring.cc).
constexpr uint8_t kRequiredOpcodes[] = {
    IORING_OP_NOP,      IORING_OP_READ,         IORING_OP_WRITE,
    IORING_OP_READV,    IORING_OP_WRITEV,       IORING_OP_SPLICE,
    IORING_OP_RECV,     IORING_OP_SEND,         IORING_OP_RECVMSG,
    IORING_OP_SENDMSG,  IORING_OP_ACCEPT,       IORING_OP_CONNECT,
    IORING_OP_SOCKET,   IORING_OP_SHUTDOWN,     IORING_OP_CLOSE,
    IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL,
};

// Far longer than any test takes on a loaded machine: reached only by a hang.
constexpr absl::Duration kPatience = absl::Seconds(30);

BackendOptions OfKind(BackendKind kind) {
  BackendOptions options;
  options.kind = kind;
  return options;
}

BackendOptions UringWithout(uint32_t setup_flags) {
  BackendOptions options = OfKind(BackendKind::kUring);
  options.uring.masked_setup_flags = setup_flags;
  return options;
}

BackendOptions UringWithoutAnythingOptional() {
  BackendOptions options = UringWithout(kEveryOptionalFlag);
  options.uring.masked_opcodes = ~uint64_t{0};
  for (uint8_t opcode : kRequiredOpcodes) {
    options.uring.masked_opcodes &= ~(uint64_t{1} << opcode);
  }
  return options;
}

}  // namespace

const std::vector<BackendVariant>& AllBackendVariants() {
  static const auto& variants = *new std::vector<BackendVariant>{
      {"uring", "uring", OfKind(BackendKind::kUring)},
      {"uring_masked", "uring", UringWithoutAnythingOptional()},
      {"uring_cooperative", "uring", UringWithout(IORING_SETUP_DEFER_TASKRUN)},
      {"epoll", "epoll", OfKind(BackendKind::kEpoll)},
      {"sim", "sim", BackendOptions(), &MakeSimSystem},
  };
  return variants;
}

void BackendConformance::SetUp() {
  unsetenv("RINGWAY_BACKEND");  // each variant asks for its own
  system_ = GetParam().make_system();
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      system().MakeBackend(Options());
  if (backend.ok()) return;
  const int errnum = ErrnoOf(backend.status());
  if (errnum == EPERM || errnum == ENOSYS) {
    GTEST_SKIP() << "the kernel refuses this backend: " << backend.status();
  }
  FAIL() << backend.status();
}

std::unique_ptr<Backend> BackendConformance::MakeForTest(
    const BackendOptions& options) {
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      system().MakeBackend(options);
  RINGWAY_CHECK(backend.ok(), "%s", backend.status().ToString().c_str());
  return *std::move(backend);
}

void BackendConformance::SendAll(int fd, std::string_view data) {
  ASSERT_EQ(system().Send(fd, data), static_cast<int64_t>(data.size()));
}

void CountedOperation::OnDone(Runnable& entry) {
  ++static_cast<CountedOperation&>(entry).completions;
}

void CountedMultishot::OnDelivery(Runnable& entry) {
  auto& notice = static_cast<DeliveringOperation::Notice&>(entry);
  ++static_cast<CountedMultishot*>(notice.operation)->told;
}

BackendDriver::BackendDriver(std::unique_ptr<Backend> backend)
    : backend_(std::move(backend)) {}

BackendDriver::~BackendDriver() { DestroyBackend(); }

void BackendDriver::Start(Operation& op) {
  RINGWAY_CHECK(!op.active(), "a %s operation was started twice",
                OpCodeName(op.opcode));
  op.state = OpState::kQueued;
  pending_.PushBack(op);
}

void BackendDriver::Turn(MonotonicTime deadline) {
  backend_->Submit(pending_, ready_);
  backend_->Wait(pending_.empty() && ready_.empty()
                     ? deadline
                     : MonotonicTime::FromNanoseconds(0),
                 ready_);
  CheckRegistrations();
  RunnableList batch;
  batch.Append(ready_);
  while (Runnable* entry = batch.PopFront()) entry->Run();
}

// Checks large sets less often, so that the cost per turn stays about the
// same.
void BackendDriver::CheckRegistrations() {
  auto* backend = dynamic_cast<epoll::EpollBackend*>(backend_.get());
  if (backend == nullptr) return;
  if (turns_before_check_ > 0) {
    --turns_before_check_;
    return;
  }
  const epoll::RegistrationReport report = backend->CompareRegistrations();
  EXPECT_EQ(report.difference, "");
  turns_before_check_ = report.n_registered / 32;
}

void BackendDriver::TurnWithoutBlocking(int n) {
  for (int i = 0; i < n; ++i) Turn(MonotonicTime::FromNanoseconds(0));
}

void BackendDriver::StartEverything() {
  do {
    TurnWithoutBlocking(1);
  } while (!pending_.empty());
}

bool BackendDriver::RunUntil(absl::FunctionRef<bool()> done) {
  // Uses both clocks, because a simulated one may stand still or advance
  // fast.
  const Clock& clock = backend_->clock();
  const MonotonicTime limit = clock.Now() + kPatience;
  const MonotonicTime real_limit = Clock::Real().Now() + kPatience;
  while (!done()) {
    if (clock.Now() >= limit || Clock::Real().Now() >= real_limit) {
      ADD_FAILURE() << "nothing came of it within " << kPatience;
      return false;
    }
    Turn(limit);
  }
  return true;
}

int32_t BackendDriver::RunToEnd(CountedOperation& op) {
  op.completions = 0;
  Start(op);
  EXPECT_TRUE(RunUntil([&] { return op.done(); }));
  EXPECT_EQ(op.completions, 1);
  return op.result;
}

int32_t BackendDriver::RunToEnd(CountedMultishot& op) {
  op.told = 0;
  Start(op);
  EXPECT_TRUE(RunUntil([&] { return op.ended(); }));
  EXPECT_EQ(op.told, 1);
  return op.result;
}

void BackendDriver::DestroyBackend() {
  if (backend_ == nullptr) return;
  while (Operation* op = pending_.front()) backend_->Cancel(*op, ready_);
  backend_.reset();
  while (Runnable* entry = ready_.PopFront()) static_cast<void>(entry);
}

}  // namespace ringway::testing
