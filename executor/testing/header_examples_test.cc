// SPDX-License-Identifier: Apache-2.0
//
// The examples at the heads of the headers of executor/, compiled. The last
// test compares: what a header shows stands here, but for the space between.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/structured/first_ok.h"
#include "ringway/executor/structured/select.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/sync/barrier.h"
#include "ringway/executor/sync/broadcast.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/deadline.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/yield_if_needed.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

// --- A world for the examples.

struct Page {};
using Icon = Page;
using Port = int;
using Key = int;
struct Answer {};
struct Job {};
struct Quote {};
struct Block {};
struct Connection {};
struct Request {
  explicit Request(OneshotSender<Answer> s) : sender(std::move(s)) {}
  OneshotSender<Answer> sender;
};
struct Library {
  void OnProgress(std::function<void()> progress) { progress(); }
  bool finished() { return n_calls++ > 0; }
  int n_calls = 0;
};
struct Stream {
  SleepOp Read(std::span<char>) { return Sleep(absl::ZeroDuration()); }
  SleepOp Write(const std::string&) { return Sleep(absl::ZeroDuration()); }
};

Task<absl::StatusOr<Page>> Fetch(std::string) { co_return Page(); }
Task<absl::StatusOr<Page>> Get(std::string) { co_return Page(); }
Task<absl::StatusOr<Page>> Ask(int) { co_return Page(); }
Task<absl::Status> Farewell(Connection) { co_return absl::OkStatus(); }
Task<absl::Status> Crawl(std::string) {
  co_return co_await Sleep(absl::InfiniteDuration());
}
Task<absl::Status> Main() { co_return absl::OkStatus(); }
Task<absl::Status> SleepForAnHour() {
  co_return co_await Sleep(absl::Hours(1));
}
void Use(const absl::StatusOr<Page>& page) { EXPECT_TRUE(page.ok()); }
void Compress(const Block&) {}
void Resynchronise() {}
void Report(uint64_t periods) { EXPECT_EQ(periods, 1u); }

class HeaderExamples : public TaskTest {
 protected:
  std::vector<std::string> hosts = {"a", "b"};
  std::string host = "a", site = "a";
};

// --- executor/structured

RINGWAY_TEST_F(HeaderExamples, FirstOk) {
  std::vector<ringway::Task<absl::StatusOr<Page>>> asks;
  for (std::string& host : hosts) asks.push_back(Fetch(host));
  absl::StatusOr<Page> page = co_await ringway::FirstOk(
      std::move(asks), /*stagger=*/absl::Milliseconds(250));
  RINGWAY_ASSERT_OK(page);
}

RINGWAY_TEST_F(HeaderExamples, Select) {
  Event stopped;
  auto first = co_await ringway::Select(
      stopped.Wait(), ringway::Sleep(absl::Seconds(30)), Fetch(host));
  if (first.index == 2) Use(std::get<2>(first.results));
  EXPECT_EQ(first.index, 2u);
}

Task<absl::Status> GatherPages(std::vector<std::string> hosts) {
  std::vector<JoinHandle<absl::StatusOr<Page>>> pages;
  ringway::TaskScope scope;
  for (std::string& host : hosts)
    pages.push_back(scope.Spawn(Fetch(std::move(host))));
  co_return co_await scope.Join();
}

ringway::Task<absl::Status> Serve(ringway::TaskScope& scope, Port port);

Task<absl::Status> Serve(TaskScope& scope, Port port) {
  scope.Spawn(Ask(port)).Detach();
  co_return absl::OkStatus();
}

RINGWAY_TEST_F(HeaderExamples, TaskScope) {
  RINGWAY_ASSERT_OK(co_await GatherPages(hosts));
  const Port port = 80;
  absl::Status served = co_await ringway::WithScope(Serve, port);
  RINGWAY_ASSERT_OK(served);
}

RINGWAY_TEST_F(HeaderExamples, Timeout) {
  Stream stream;
  std::array<char, 8> buffer;
  auto n = co_await ringway::WithTimeout(absl::Seconds(5), stream.Read(buffer));
  RINGWAY_ASSERT_OK(n);
  auto page = co_await ringway::WithTimeout(absl::Seconds(2), Get("/"));
  if (absl::IsDeadlineExceeded(page.status())) {
    RINGWAY_ASSERT_OK(page);
  }
}

RINGWAY_TEST_F(HeaderExamples, When) {
  const int first = 1, second = 2;
  auto [page, icon] = co_await ringway::WhenAll(Get("/"), Get("/icon"));
  Use(page);
  Use(icon);
  auto race = co_await ringway::WhenAny(Ask(first), Ask(second));
  if (race.index == 0) Use(std::get<0>(race.results));
}

// --- executor/task

RINGWAY_TEST_F(HeaderExamples, CancelToken) {
  ringway::CancelSource source;
  Spawn(WithToken(source.token(), Crawl(site))).Detach();
  co_await Yield();
  source.Cancel(absl::CancelledError("the site was closed"));
}

RINGWAY_TEST_F(HeaderExamples, Deadline) {
  const MonotonicTime deadline = ringway::After(absl::Seconds(2));
  absl::StatusOr<Page> page = co_await WithDeadline(deadline, Fetch(host));
  if (!page.ok()) page = co_await WithDeadline(deadline, Fetch("mirror"));
  RINGWAY_ASSERT_OK(page);
}

TEST(HeaderExampleTest, Executor) {
  auto executor = ringway::Executor::Create();
  absl::Status ended = (*executor)->Run(Main());
  EXPECT_TRUE(ended.ok());
}

Task<absl::Status> ReportPeriods() {
  ringway::Interval interval(absl::Seconds(10));
  while (true) {
    absl::StatusOr<uint64_t> missed = co_await interval.Tick();
    if (!missed.ok()) co_return missed.status();
    Report(/*periods=*/1 + *missed);
  }
}

ringway::Task<absl::Status> Finish(Connection connection) {
  ringway::Shield shield;
  co_return co_await ringway::WithTimeout(absl::Seconds(1),
                                          Farewell(connection));
}

ringway::Task<int> Answer42() { co_return 42; }

RINGWAY_TEST_F(HeaderExamples, IntervalAndShieldAndTask) {
  Task<absl::Status> periods = ReportPeriods();
  auto reported = co_await WithTimeout(absl::Seconds(35), std::move(periods));
  EXPECT_TRUE(absl::IsDeadlineExceeded(reported));
  Connection connection;
  RINGWAY_ASSERT_OK(co_await Finish(connection));
  int answer = co_await Answer42();
  EXPECT_EQ(answer, 42);
}

RINGWAY_TEST_F(HeaderExamples, YieldIfNeeded) {
  std::vector<Block> blocks(3);
  for (const Block& block : blocks) {
    Compress(block);
    co_await ringway::YieldIfNeeded();
  }
}

// --- executor/sync

Task<void> ArriveAt(Barrier* barrier) {
  (co_await barrier->Arrive()).status().IgnoreError();
}

RINGWAY_TEST_F(HeaderExamples, BroadcastsAndBarriers) {
  Quote quote;
  Broadcast<Quote> quotes(/*capacity=*/64, LagPolicy::kDropOldest);
  BroadcastReceiver<Quote> mine = quotes.Subscribe();
  absl::Status sent = co_await quotes.Send(quote);
  RINGWAY_ASSERT_OK(sent);
  {
    absl::StatusOr<Quote> quote = co_await mine.Receive();
    if (mine.TakeMissed() > 0) Resynchronise();
    RINGWAY_ASSERT_OK(quote);
  }
  Barrier barrier(/*n_parties=*/3);
  Spawn(ArriveAt(&barrier)).Detach();
  Spawn(ArriveAt(&barrier)).Detach();
  absl::StatusOr<bool> last = co_await barrier.Arrive();
  RINGWAY_ASSERT_OK(last);
}

RINGWAY_TEST_F(HeaderExamples, Channels) {
  Job job;
  Channel<Job> jobs(/*capacity=*/64);
  absl::Status sent = co_await jobs.Send(std::move(job));
  RINGWAY_ASSERT_OK(sent);
  jobs.Close();
  while (true) {
    absl::StatusOr<Job> job = co_await jobs.Receive();
    if (!job.ok()) break;  // closed and empty, or cancelled
  }
}

Task<absl::Status> PassAJob() {
  std::vector<Job> queue;
  Notify notify;
  const Job job;
  queue.push_back(job);
  notify.NotifyOne();
  while (queue.empty()) {
    absl::Status woken = co_await notify.Wait();
    if (!woken.ok()) co_return woken;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> LockMutex(Mutex& mutex) {
  absl::StatusOr<MutexLock> lock = co_await mutex.Lock();
  if (!lock.ok()) co_return lock.status();
  co_return absl::OkStatus();
}

Task<absl::Status> TakePermit() {
  Semaphore connections(100);
  absl::StatusOr<SemaphorePermit> permit = co_await connections.Acquire();
  if (!permit.ok()) co_return permit.status();
  co_return absl::OkStatus();
}

RINGWAY_TEST_F(HeaderExamples, MutexAndSemaphoreAndOneshot) {
  ringway::Mutex mutex;
  RINGWAY_ASSERT_OK(co_await LockMutex(mutex));
  RINGWAY_ASSERT_OK(co_await PassAJob());
  RINGWAY_ASSERT_OK(co_await TakePermit());
  Oneshot<Answer> oneshot;
  Request request(std::move(oneshot.sender));
  RINGWAY_ASSERT_OK(request.sender.Send(Answer()));
  absl::StatusOr<Answer> answer = co_await oneshot.receiver.Receive();
  RINGWAY_ASSERT_OK(answer);
}

// --- executor/remote

RINGWAY_KERNEL_TEST_F(HeaderExamples, ExecutorHandle) {
  ringway::ExecutorHandle home = ringway::ExecutorHandle::Current();
  std::thread poster([home] {
    absl::Status posted = home.Post([] { /* on the executor's thread */ });
  });
  poster.join();
  co_return;
}

ringway::Task<absl::StatusOr<Page>> Find(Key) { co_return Page(); }

RINGWAY_KERNEL_TEST_F(HeaderExamples, SpawnOnAndSharedChannel) {
  const ExecutorHandle owner = ExecutorHandle::Current();
  const Key key = 1;
  absl::StatusOr<Page> page = co_await ringway::SpawnOn(owner, Find, key);
  RINGWAY_ASSERT_OK(page);
  Job job;
  auto [sender, receiver] = ringway::MakeSharedChannel<Job>(/*capacity=*/64);
  // Any number of tasks on any workers, each with a copy of the sender:
  absl::Status sent = co_await sender.Send(std::move(job));
  RINGWAY_ASSERT_OK(sent);
  sender.Close();
  // One task, on whichever worker the receiver was moved to:
  while (true) {
    absl::StatusOr<Job> job = co_await receiver.Receive();
    if (!job.ok()) break;  // the end, or cancelled
  }
}

RINGWAY_KERNEL_TEST_F(HeaderExamples, WakeHandle) {
  Library library;
  ringway::Waker waker;
  library.OnProgress([wake = waker.handle()] { wake.Wake(); });
  while (!library.finished()) {
    absl::Status woken = co_await waker.Wait();
    RINGWAY_ASSERT_OK(woken);
  }
}

// --- executor/testing

RINGWAY_TEST(Lines, ArriveInOrder) {
  ringway::Channel<int> lines(1);
  RINGWAY_ASSERT_OK(co_await lines.Send(7));
  EXPECT_EQ(*co_await lines.Receive(), 7);
}

RINGWAY_TEST_F(HeaderExamples, Assert) {
  Stream stream;
  const std::string request, reply = "four";
  RINGWAY_ASSERT_OK(co_await stream.Write(request)) << "the request";
  RINGWAY_ASSERT_EQ(reply.size(), 4u);
}

TEST(HeaderExampleTest, VirtualTimeExecutor) {
  ringway::VirtualTimeExecutor executor;
  const MonotonicTime began = executor.Now();
  EXPECT_TRUE(executor->Run(SleepForAnHour()).ok());
  EXPECT_EQ(executor.Now() - began, absl::Hours(1));
}

// --- The headers.

TEST(HeaderExampleTest, OfTheHeadersAreTheseHere) {
  for (const char* header : {
           "remote/executor_handle.h",
           "remote/shared_channel.h",
           "remote/spawn_on.h",
           "remote/wake_handle.h",
           "structured/first_ok.h",
           "structured/select.h",
           "structured/task_scope.h",
           "structured/timeout.h",
           "structured/when.h",
           "sync/barrier.h",
           "sync/broadcast.h",
           "sync/channel.h",
           "sync/mutex.h",
           "sync/notify.h",
           "sync/oneshot.h",
           "sync/semaphore.h",
           "task/cancel_token.h",
           "task/deadline.h",
           "task/executor.h",
           "task/interval.h",
           "task/shield.h",
           "task/yield_if_needed.h",
           "testing/assert.h",
           "testing/task_test.h",
           "testing/virtual_time_executor.h",
       }) {
    testing::ExpectHeaderQuotes(std::string("executor/") + header,
                                "executor/testing/header_examples_test.cc");
  }
}

}  // namespace
}  // namespace ringway
