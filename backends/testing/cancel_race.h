// SPDX-License-Identifier: Apache-2.0
//
// CancelRace: many rounds of one operation, of what completes it and of its
// cancel, in every order and with more or fewer turns in between.

#ifndef RINGWAY_BACKENDS_TESTING_CANCEL_RACE_H_
#define RINGWAY_BACKENDS_TESTING_CANCEL_RACE_H_

#include <atomic>
#include <memory>
#include <thread>

#include "absl/functional/function_ref.h"
#include "ringway/backends/testing/backend_fixture.h"

namespace ringway::testing {

// One kind of operation that waits, what ends its wait, and how to tell that
// nothing is lost.
class Race {
 public:
  Race(System& s, BackendDriver& d) : system(s), driver(d) {}
  virtual ~Race() = default;

  // Fills an operation in so that it waits, as a rule.
  virtual Operation& Prepare() = 0;
  // Gives it what it waits for. On any thread.
  virtual void Trigger() {}
  // Expects all of that to be in the result or, after a cancel, left over.
  virtual void Settle() = 0;

 protected:
  System& system;
  BackendDriver& driver;
};

// A thread that does one thing at a time while its owner goes on.
class Helper {
 public:
  Helper() : thread_([this] { Loop(); }) {}
  ~Helper() {
    Begin(nullptr);
    thread_.join();
  }

  void Begin(const absl::FunctionRef<void()>* work);
  void Join() { state_.wait(kBegun, std::memory_order_acquire); }

 private:
  static constexpr int kIdle = 0, kBegun = 1;

  void Loop();

  const absl::FunctionRef<void()>* work_ = nullptr;
  std::atomic<int> state_ = kIdle;
  std::thread thread_;
};

// 20,000 rounds of each kind (test_scale.h).
class CancelRace : public BackendConformance {
 protected:
  void SetUp() override;

  BackendDriver& driver() { return *driver_; }

  // Also expects that nothing is left over: fds, operations.
  void Run(Race& race);

 private:
  void Interleave(Race& race, Operation& op, int round);

  std::unique_ptr<BackendDriver> driver_;
  std::unique_ptr<Helper> helper_;  // for what happens at the same time
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_CANCEL_RACE_H_
