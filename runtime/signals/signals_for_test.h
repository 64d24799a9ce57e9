// SPDX-License-Identifier: Apache-2.0
//
// For tests: what a process does with signals.

#ifndef RINGWAY_RUNTIME_SIGNALS_SIGNALS_FOR_TEST_H_
#define RINGWAY_RUNTIME_SIGNALS_SIGNALS_FOR_TEST_H_

#include <signal.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/executor.h"
#include "ringway/runtime/signals/signal_stream.h"

namespace ringway::testing {

inline void (*DispositionOf(int number))(int) {
  struct sigaction action = {};
  sigaction(number, nullptr, &action);
  return action.sa_handler;
}

// Sets a disposition, and restores the one before.
class Disposition {
 public:
  Disposition(int number, void (*handler)(int)) : number_(number) {
    struct sigaction action = {};
    action.sa_handler = handler;
    sigaction(number, &action, &before_);
  }
  Disposition(const Disposition&) = delete;
  Disposition& operator=(const Disposition&) = delete;
  ~Disposition() { sigaction(number_, &before_, nullptr); }

 private:
  const int number_;
  struct sigaction before_ = {};
};

// How many threads of this process have this name.
inline size_t ThreadsNamed(const std::string& name) {
  size_t n = 0;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task")) {
    std::string comm;
    std::getline(std::ifstream(task.path() / "comm"), comm);
    if (comm == name) ++n;
  }
  return n;
}

inline SignalStream OpenOrDie(const std::vector<int>& numbers,
                              Executor& executor) {
  absl::StatusOr<SignalStream> stream = SignalStream::Open(numbers, executor);
  RINGWAY_CHECK(stream.ok(), "%s", stream.status().ToString().c_str());
  return *std::move(stream);
}
inline SignalStream OpenOrDie(const std::vector<int>& numbers) {
  return OpenOrDie(numbers, CurrentExecutor());
}

inline Task<absl::StatusOr<Signal>> NextOf(SignalStream* stream) {
  co_return co_await stream->Next();
}

}  // namespace ringway::testing

#endif  // RINGWAY_RUNTIME_SIGNALS_SIGNALS_FOR_TEST_H_
