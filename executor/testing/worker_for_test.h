// SPDX-License-Identifier: Apache-2.0
//
// WorkerForTest: a thread with an executor, like a worker of a Runtime.

#ifndef RINGWAY_EXECUTOR_TESTING_WORKER_FOR_TEST_H_
#define RINGWAY_EXECUTOR_TESTING_WORKER_FOR_TEST_H_

#include <future>
#include <thread>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/task/executor.h"

namespace ringway::testing {

class WorkerForTest {
 public:
  explicit WorkerForTest(const ExecutorOptions& options = ExecutorOptions()) {
    std::promise<Ends> started;
    std::future<Ends> ends = started.get_future();
    thread_ =
        std::thread([this, options, &started] { Main(options, &started); });
    ends_ = ends.get();
  }
  ~WorkerForTest() { Stop(); }

  const ExecutorHandle& handle() const { return ends_.executor; }

  // Ends the executor and its thread.
  void Stop() {
    ends_.stop.Wake();
    if (thread_.joinable()) thread_.join();
  }

  // After Stop(): the executor's counters just before its end.
  const ExecutorStats& stats() const { return stats_; }

 private:
  struct Ends {
    ExecutorHandle executor;
    WakeHandle stop;
  };

  static Task<void> WaitUntilStopped(std::promise<Ends>* started) {
    Waker stop;
    started->set_value(Ends{ExecutorHandle::Current(), stop.handle()});
    (co_await stop.Wait()).IgnoreError();
  }

  void Main(const ExecutorOptions& options, std::promise<Ends>* started) {
    auto executor = Executor::Create(options);
    RINGWAY_CHECK(executor.ok(), "no executor: %s",
                  executor.status().ToString().c_str());
    (*executor)->Run(WaitUntilStopped(started)).IgnoreError();
    stats_ = (*executor)->stats();
  }

  std::thread thread_;
  Ends ends_;
  ExecutorStats stats_;
};

}  // namespace ringway::testing

#endif  // RINGWAY_EXECUTOR_TESTING_WORKER_FOR_TEST_H_
