// SPDX-License-Identifier: Apache-2.0
//
// For tests: tasks with a known result at a known time.

#ifndef RINGWAY_EXECUTOR_TESTING_TIMED_TASKS_FOR_TEST_H_
#define RINGWAY_EXECUTOR_TESTING_TIMED_TASKS_FOR_TEST_H_

#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"

namespace ringway {

inline Task<absl::Status> SleepOnce(absl::Duration duration) {
  co_return co_await Sleep(duration);
}

// Returns the value early if the task is cancelled.
inline Task<int> GiveAfter(absl::Duration delay, int value) {
  static_cast<void>(co_await Sleep(delay));
  co_return value;
}

// Returns Cancelled if the task is cancelled first.
inline Task<absl::Status> FailAfter(absl::Duration delay,
                                    absl::Status failure) {
  const absl::Status slept = co_await Sleep(delay);
  co_return slept.ok() ? failure : slept;
}

inline Task<void> ThrowAfter(absl::Duration delay, std::string what) {
  static_cast<void>(co_await Sleep(delay));
  throw std::runtime_error(what);
}

inline Task<void> SetAfter(absl::Duration delay, Event* event) {
  static_cast<void>(co_await Sleep(delay));
  event->Set();
}

// Appends its name to `log` when it ends, in upper case if it was cancelled,
// after a second of clean-up.
inline Task<absl::Status> NoteEnd(absl::Duration duration, std::string* log,
                                  char name) {
  const absl::Status status = co_await Sleep(duration);
  Shield shield;
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  log->push_back(status.ok() ? name : static_cast<char>(name - 'a' + 'A'));
  co_return status;
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TESTING_TIMED_TASKS_FOR_TEST_H_
