// SPDX-License-Identifier: Apache-2.0
//
// CancelRace: many rounds of an operation, its trigger and its cancel, in
// every order and with varying numbers of turns in between.

#ifndef RINGWAY_BACKENDS_TESTING_CANCEL_RACE_H_
#define RINGWAY_BACKENDS_TESTING_CANCEL_RACE_H_

#include <atomic>
#include <memory>
#include <thread>

#include "absl/functional/function_ref.h"
#include "ringway/backends/testing/backend_fixture.h"

namespace ringway::testing {

// A kind of waiting operation, its trigger, and a check that nothing is lost.
class Race {
 public:
  Race(System& s, BackendDriver& d) : system(s), driver(d) {}
  virtual ~Race() = default;

  // Prepares an operation that usually waits.
  virtual Operation& Prepare() = 0;
  // Triggers its completion. On any thread.
  virtual void Trigger() {}
  // Expects the triggered data in the result or, after a cancel, still
  // available.
  virtual void Settle() = 0;

 protected:
  System& system;
  BackendDriver& driver;
};

// A thread that runs one function at a time concurrently with its owner.
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

  // Also expects that no fds and operations are left.
  void Run(Race& race);

 private:
  void Interleave(Race& race, Operation& op, int round);

  std::unique_ptr<BackendDriver> driver_;
  std::unique_ptr<Helper> helper_;  // for concurrent triggers
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_CANCEL_RACE_H_
