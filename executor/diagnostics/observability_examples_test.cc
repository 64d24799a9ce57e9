// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/observability.md and of this folder's headers.

#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/executor/diagnostics/stall_detector.h"
#include "ringway/executor/diagnostics/trace.h"
#include "ringway/executor/diagnostics/trace_recorder.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {

// --- docs/observability.md

// Prints the tasks of `worker`. From any thread.
absl::Status PrintTasks(const ExecutorHandle& worker) {
  return worker.Post([] { std::cerr << CurrentExecutor().DumpTasks(); });
}

absl::Status RunWatched(Task<absl::Status> (*serve)()) {
  StallDetectorOptions options;
  options.budget = absl::Milliseconds(50);
  absl::StatusOr<std::unique_ptr<StallDetector>> detector =
      StallDetector::Create(options);
  if (!detector.ok()) return detector.status();

  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create();
  if (!executor.ok()) return executor.status();
  StallDetector::Watch watch = (*detector)->Attach(**executor, "worker 0");
  return (*executor)->Run(serve());
}

absl::Status RunTraced(Executor& executor, Task<absl::Status> task,
                       const std::string& path) {
  TraceRecorder recorder("worker 0");
  executor.SetTrace(&recorder);
  absl::Status status = executor.Run(std::move(task));
  executor.SetTrace(nullptr);
  status.Update(WriteChromeTrace(path, {&recorder}));
  return status;
}

namespace {

using ::testing::HasSubstr;

Task<absl::Status> SleepForAMillisecond() {
  co_return co_await Sleep(absl::Milliseconds(1));
}

TEST(ObservabilityExamples, DumpOfAnotherThreadsTasks) {
  VirtualTimeExecutor executor;
  ASSERT_TRUE(PrintTasks(ExecutorHandle(*executor.executor)).ok());
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(executor->Run(SleepForAMillisecond()).ok());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "#0.1: not started\n");
}

TEST(ObservabilityExamples, Watched) {
  EXPECT_TRUE(RunWatched(&SleepForAMillisecond).ok());
}

TEST(ObservabilityExamples, Traced) {
  VirtualTimeExecutor executor;
  const std::string path = ::testing::TempDir() + "/observability.json";
  EXPECT_TRUE(RunTraced(*executor.executor, SleepForAMillisecond(), path).ok());
  EXPECT_THAT(testing::ContentsOf(path), HasSubstr("\"worker 0\""));
}

TEST(ObservabilityExamples, OfTheHeaders) {
  absl::StatusOr<std::unique_ptr<Executor>> owned = Executor::Create();
  ASSERT_TRUE(owned.ok()) << owned.status();
  Executor& executor = **owned;

  ringway::StallDetectorOptions options;
  options.budget = absl::Milliseconds(50);
  absl::StatusOr<std::unique_ptr<ringway::StallDetector>> detector =
      ringway::StallDetector::Create(options);
  ASSERT_TRUE(detector.ok()) << detector.status();
  {
    ringway::StallDetector::Watch watch =
        (*detector)->Attach(executor, "worker 0");  // on its thread
  }

  ringway::TraceRecorder recorder("worker 0");
  executor.SetTrace(&recorder);
  EXPECT_TRUE(executor.Run(SleepForAMillisecond()).ok());
  executor.SetTrace(nullptr);

  ringway::TraceRecorder first("first");
  ringway::TraceRecorder second("second");
  const std::string path = ::testing::TempDir() + "/server.json";
  EXPECT_TRUE(ringway::WriteChromeTrace(path, {&first, &second}).ok());
}

TEST(ObservabilityDocument, QuotesThisFile) {
  testing::ExpectQuotes("docs/observability.md",
                        "executor/diagnostics/observability_examples_test.cc",
                        3);
}

TEST(DiagnosticsHeaders, QuoteThisFile) {
  for (const char* header : {"stall_detector.h", "trace.h", "trace_recorder.h"})
    testing::ExpectHeaderQuotes(
        std::string("executor/diagnostics/") + header,
        "executor/diagnostics/observability_examples_test.cc");
}

}  // namespace
}  // namespace ringway
