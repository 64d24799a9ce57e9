// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/trace.h"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/core/runnable.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Kind = TraceEvent::Kind;

std::string PathOf(const std::string& name) {
  return absl::StrCat(::testing::TempDir(), "/", name);
}

std::string ContentsOfFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

// Fails the test unless the file is a well-formed trace.
void ExpectWellFormed(const std::string& path) {
  const std::string command =
      absl::StrCat("python3 executor/diagnostics/check_trace.py ", path);
  EXPECT_EQ(std::system(command.c_str()), 0) << ContentsOfFile(path);
}

void ExpectWellFormed(const TraceLog& log) {
  const std::string path = PathOf("log.json");
  std::ofstream(path) << ChromeTrace({&log, 1});
  ExpectWellFormed(path);
}

// "turn( b( ) )": what happened in words.
std::string InWords(const TraceLog& log) {
  std::string text;
  for (const TraceEvent& event : log.events) {
    const char* name = event.name.data();
    switch (event.kind) {
      case Kind::kTurnBegin:
        absl::StrAppend(&text, "turn( ");
        break;
      case Kind::kResumeBegin:
        absl::StrAppend(&text, name, "( ");
        break;
      case Kind::kTurnEnd:
      case Kind::kResumeEnd:
        absl::StrAppend(&text, ") ");
        break;
      case Kind::kTaskSpawned:
        absl::StrAppend(&text, "spawn:", name, " ");
        break;
      case Kind::kTaskEnded:
        absl::StrAppend(&text, "end:", name, " ");
        break;
      case Kind::kOperationBegin:
        absl::StrAppend(&text, "begin:", name, " ");
        break;
      case Kind::kOperationEnd:
        absl::StrAppend(&text, "done:", name, "=", event.value, " ");
        break;
    }
  }
  return text;
}

Task<void> DoNothing() { co_return; }
Task<void> YieldTwice() {
  co_await Yield();
  co_await Yield();
}
Task<void> SleepAnHour() { (co_await Sleep(absl::Hours(1))).IgnoreError(); }
Task<void> Receive(int fd) {
  std::array<char, 8> buffer;
  EXPECT_EQ(*co_await ReceiveOp(fd, buffer), "abc");
}
Task<void> Join(Task<void> task, std::string name) {
  (co_await Spawn(std::move(task), name)).IgnoreError();
}

class TraceTest : public testing::BackendConformance {};

TEST_P(TraceTest, RecordsTurnsResumesTasksAndOperations) {
  TraceRecorder recorder("worker 0");
  auto fds = system().SocketPair(SOCK_STREAM);
  const std::string path = PathOf("everything.json");
  {
    Executor executor(std::make_unique<Loop>(MakeForTest()), ExecutorOptions());
    executor.SetTrace(&recorder);
    EXPECT_EQ(system().Send(fds.second.get(), "abc"), 3);
    executor.Run(Join(Receive(fds.first.get()), "reader")).IgnoreError();
    executor.SetTrace(nullptr);
    executor.Run(Join(DoNothing(), "not recorded")).IgnoreError();
  }
  const std::string words = InWords(recorder.Log());
  EXPECT_THAT(words, ::testing::StartsWith(
                         "spawn: turn( ( spawn:reader ) reader( ) begin:recv ) "
                         "turn( "));
  EXPECT_THAT(words, ::testing::EndsWith(
                         "done:recv=3 reader( ) end:reader ( ) end: ) "));
  EXPECT_EQ(recorder.dropped(), 0u);

  ASSERT_TRUE(WriteChromeTrace(path, {&recorder}).ok());
  ExpectWellFormed(path);
  const std::string json = ContentsOfFile(path);
  EXPECT_THAT(json, HasSubstr("{\"name\":\"worker 0\""));
  EXPECT_THAT(json,
              HasSubstr("\"ph\":\"B\",\"cat\":\"loop\",\"name\":\"turn\""));
  EXPECT_THAT(json, HasSubstr("\"name\":\"reader\""));
  EXPECT_THAT(json, HasSubstr("\"args\":{\"result\":3}"));
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TraceTest);

TEST(Trace, HasTheVirtualTimeOfASimulation) {
  TraceRecorder recorder("simulated");
  VirtualTimeExecutor executor;
  executor->SetTrace(&recorder);
  executor->Run(SleepAnHour()).IgnoreError();
  const TraceLog log = recorder.Log();
  EXPECT_EQ(log.events.back().at - log.events.front().at, absl::Hours(1));
  ExpectWellFormed(log);
  executor->SetTrace(nullptr);
}

TEST(Trace, KeepsTheNewestEventsAndCountsTheOthers) {
  TraceOptions options;
  options.max_events = 6;
  TraceRecorder recorder("full", options);
  VirtualTimeExecutor executor;
  executor->SetTrace(&recorder);
  // spawn: turn( ( ) ( ) ( ) end: )
  executor->Run(YieldTwice()).IgnoreError();
  EXPECT_EQ(recorder.dropped(), 4u);
  EXPECT_EQ(InWords(recorder.Log()), "( ) ( ) end: ) ");
  EXPECT_EQ(recorder.Log().dropped, 4u);
  ExpectWellFormed(recorder.Log());
  executor->SetTrace(nullptr);
}

TEST(Trace, IsWellFormedWhereverItIsCut) {
  TraceRecorder recorder("cut");
  VirtualTimeExecutor executor;
  executor->SetTrace(&recorder);
  executor->Run(Join(YieldTwice(), "\"quoted\"\n")).IgnoreError();
  executor->SetTrace(nullptr);
  const TraceLog whole = recorder.Log();
  std::vector<TraceLog> logs;
  for (size_t begin = 0; begin <= whole.events.size(); ++begin) {
    for (size_t end = begin; end <= whole.events.size(); ++end) {
      TraceLog part;
      part.events.assign(whole.events.begin() + begin,
                         whole.events.begin() + end);
      logs.push_back(std::move(part));
    }
  }
  const std::string path = PathOf("cut.json");
  std::ofstream(path) << ChromeTrace(logs);
  ExpectWellFormed(path);
}

class OperationOnNothing : public Operation {
 public:
  OperationOnNothing() : Operation([](Runnable&) {}) {}
};

TEST(Trace, CountsOperationsBeyondTheLimit) {
  TraceOptions options;
  options.max_operations = 2;
  TraceRecorder recorder("limited", options);
  VirtualTimeExecutor executor;
  Loop& loop = executor->loop();
  loop.SetTrace(&recorder);
  std::array<OperationOnNothing, 5> operations;
  for (OperationOnNothing& operation : operations) loop.Start(operation);
  loop.Work();
  EXPECT_EQ(recorder.dropped(), 3u);
  loop.Wait(MonotonicTime::FromNanoseconds(0));
  while (loop.alive()) loop.Turn(executor.Now());
  loop.Start(operations.front());  // there is room again
  loop.Work();
  EXPECT_EQ(recorder.dropped(), 3u);
  while (loop.alive()) loop.Turn(executor.Now());
  ExpectWellFormed(recorder.Log());
  loop.SetTrace(nullptr);
}

class ThrowingEntry : public Runnable {
 public:
  ThrowingEntry()
      : Runnable([](Runnable&) { throw std::runtime_error("on purpose"); }) {}
};

TEST(Trace, IsWellFormedAfterAnException) {
  TraceRecorder recorder("throws");
  VirtualTimeExecutor executor;
  Loop& loop = executor->loop();
  loop.SetTrace(&recorder);
  ThrowingEntry entry;
  loop.Schedule(entry);
  EXPECT_THROW(loop.Work(), std::runtime_error);
  EXPECT_EQ(loop.activity() % 2, 0u);
  loop.Work();
  EXPECT_EQ(InWords(recorder.Log()), "turn( turn( ) ");
  ExpectWellFormed(recorder.Log());
  loop.SetTrace(nullptr);
}

Task<void> RecordHalfOf(Executor& executor, TraceRecorder& recorder) {
  executor.SetTrace(&recorder);
  co_await Yield();
  executor.SetTrace(nullptr);
  co_await Yield();
}

TEST(Trace, BeginsAndEndsInTheMiddleOfATurn) {
  TraceRecorder recorder("half");
  VirtualTimeExecutor executor;
  executor->Run(RecordHalfOf(*executor.executor, recorder)).IgnoreError();
  EXPECT_EQ(InWords(recorder.Log()), "( ");
  ExpectWellFormed(recorder.Log());
}

Task<void> YieldUntil(const std::atomic<bool>& stop) {
  while (!stop.load()) co_await Yield();
}

TEST(Trace, IsWrittenByAnotherThreadMeanwhile) {
  TraceOptions options;
  options.max_events = 1000;
  TraceRecorder first("first", options);
  TraceRecorder second("second", options);
  std::atomic<bool> stop{false};
  const auto run = [&](TraceRecorder& recorder) {
    VirtualTimeExecutor executor;
    executor->SetTrace(&recorder);
    executor->Run(YieldUntil(stop)).IgnoreError();
  };
  std::thread first_thread(run, std::ref(first));
  std::thread second_thread(run, std::ref(second));
  while (first.dropped() == 0 || second.dropped() == 0) {
    const TraceLog log = first.Log();
    ASSERT_LE(log.events.size(), options.max_events);
  }
  const std::string path = PathOf("live.json");
  EXPECT_TRUE(WriteChromeTrace(path, {&first, &second}).ok());
  stop.store(true);
  first_thread.join();
  second_thread.join();
  ExpectWellFormed(path);
  EXPECT_THAT(ContentsOfFile(path), HasSubstr("{\"name\":\"second\""));
}

TEST(Trace, NamesTheFileThatItCannotWrite) {
  TraceRecorder recorder("none");
  absl::Status status = WriteChromeTrace("/none/trace.json", {&recorder});
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("/none/trace.json"));
  status = WriteChromeTrace("/dev/full", {&recorder});
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

TEST(TraceOptions, AreChecked) {
  TraceOptions options;
  EXPECT_TRUE(CheckTraceOptions(options).ok());
  options.max_events = 0;
  EXPECT_THAT(CheckTraceOptions(options).message(),
              HasSubstr("TraceOptions::max_events"));
  options.max_events = kMostTraceEvents;
  options.max_operations = kMostTracedOperations + 1;
  EXPECT_THAT(CheckTraceOptions(options).message(),
              HasSubstr("TraceOptions::max_operations"));
}

TEST(TraceDeathTest, ARecorderOutlivesItsUse) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        TraceRecorder recorder("short-lived");
        executor->SetTrace(&recorder);
      },
      "\"short-lived\" was destroyed while a loop uses it");
}

TEST(TraceDeathTest, ARecorderBelongsToOneLoop) {
  EXPECT_DEATH(
      {
        TraceRecorder recorder("shared");
        VirtualTimeExecutor first;
        VirtualTimeExecutor second;
        first->SetTrace(&recorder);
        second->SetTrace(&recorder);
      },
      "\"shared\" is used by two loops");
}

}  // namespace
}  // namespace ringway
