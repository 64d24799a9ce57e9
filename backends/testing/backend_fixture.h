// SPDX-License-Identifier: Apache-2.0
//
// BackendConformance: one suite for every backend. The cases are written once
// and run on each variant below; a backend that the kernel refuses is skipped
// visibly, with the reason.
//
//   TEST_P(MyConformance, SaysTheBehaviourInWords) {
//     BackendDriver driver(MakeForTest());
//     CountedOperation recv;
//     PrepareRecv(recv, fd, buffer);
//     driver.Start(recv);
//     ASSERT_TRUE(driver.RunUntil([&] { return recv.done(); }));
//   }
//   using MyConformance = BackendConformance;
//   RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MyConformance);

#ifndef RINGWAY_BACKENDS_TESTING_BACKEND_FIXTURE_H_
#define RINGWAY_BACKENDS_TESTING_BACKEND_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/testing/real_system.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::testing {

// A backend as production may pick it, or with features masked as on older
// kernels, and the system around it.
struct BackendVariant {
  std::string label;
  std::string_view name;  // the expected Backend::name()
  BackendOptions options;
  std::unique_ptr<System> (*make_system)() = &MakeRealSystem;
};

inline void PrintTo(const BackendVariant& variant, std::ostream* out) {
  *out << variant.label;
}

const std::vector<BackendVariant>& AllBackendVariants();

class BackendConformance : public ::testing::TestWithParam<BackendVariant> {
 protected:
  // Skips the test, visibly, if the kernel refuses this variant.
  void SetUp() override;

  // The system whose fds the test uses.
  System& system() { return *system_; }

  // The variant's options; everything else as in production.
  static BackendOptions Options() { return GetParam().options; }

  // Makes a backend that is known to be available. Aborts with the reason
  // otherwise.
  std::unique_ptr<Backend> MakeForTest(
      const BackendOptions& options = Options());

  // Sends `data` as the peer; all of it must fit.
  void SendAll(int fd, std::string_view data);

  bool IsUring() const { return GetParam().name == "uring"; }

 private:
  std::unique_ptr<System> system_;
};

// Skips the test, with its requirement, if fds are not the kernel's.
#define RINGWAY_REQUIRES_KERNEL(what) \
  if (!system().is_kernel()) GTEST_SKIP() << "needs the kernel's own " << what

// An operation that counts its completions: anything but 1 is a bug.
struct CountedOperation : Operation {
  CountedOperation() : Operation(&OnDone) {}
  bool done() const { return completions > 0; }

  int completions = 0;

 private:
  static void OnDone(Runnable& entry);
};

// A multishot operation that counts its notices.
struct CountedMultishot : DeliveringOperation {
  CountedMultishot() : DeliveringOperation(&OnDelivery) {}
  // True if its last notice has run: a cancel may end it before the next
  // turn.
  bool ended() const { return state == OpState::kDone && !notice.linked(); }

  int told = 0;

 private:
  static void OnDelivery(Runnable& entry);
};

// A minimal loop: starts operations, turns, runs completed ones. On epoll
// each turn ends with a comparison of the backend's and the kernel's
// registrations; a difference fails the test.
class BackendDriver {
 public:
  explicit BackendDriver(std::unique_ptr<Backend> backend);
  ~BackendDriver();

  Backend* operator->() { return backend_.get(); }
  Backend& operator*() { return *backend_; }

  // Queues `op` for the next turn.
  void Start(Operation& op);
  CancelOutcome Cancel(Operation& op) { return backend_->Cancel(op, ready_); }

  // One turn: submits, waits until `deadline` if nothing is ready, runs
  // completed operations.
  void Turn(MonotonicTime deadline = MonotonicTime::Infinite());
  // Runs `n` turns, none of which blocks.
  void TurnWithoutBlocking(int n = 8);
  // Turns, without blocking, until the backend has taken all queued
  // operations.
  void StartEverything();
  // Turns until `done`; false, with a message, after a long time.
  [[nodiscard]] bool RunUntil(absl::FunctionRef<bool()> done);

  // Starts `op` and turns until it is done. Returns its result.
  int32_t RunToEnd(CountedOperation& op);
  // The same for a multishot that only ends.
  int32_t RunToEnd(CountedMultishot& op);

  // Cancels queued operations and destroys the backend without running any.
  void DestroyBackend();

  OperationList& pending() { return pending_; }
  RunnableList& ready() { return ready_; }

 private:
  void CheckRegistrations();

  std::unique_ptr<Backend> backend_;
  uint64_t turns_before_check_ = 0;
  OperationList pending_;
  RunnableList ready_;
};

}  // namespace ringway::testing

#define RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(suite) \
  RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(Backends, suite)

// For suites that are instantiated several times, under separate names.
#define RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(name, suite)                  \
  INSTANTIATE_TEST_SUITE_P(                                                   \
      name, suite,                                                            \
      ::testing::ValuesIn(::ringway::testing::AllBackendVariants()),          \
      [](const ::testing::TestParamInfo< ::ringway::testing::BackendVariant>& \
             i) { return i.param.label; })

#endif  // RINGWAY_BACKENDS_TESTING_BACKEND_FIXTURE_H_
