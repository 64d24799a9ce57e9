// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/synchronization.md, which shows them to the letter, and
// that they do what it says.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/sync/barrier.h"
#include "ringway/executor/sync/broadcast.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

// A connection on which questions and answers must not mix.
class Connection {
 public:
  Task<void> Write(std::string question) {
    static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
    written_ = std::move(question);
  }
  Task<std::string> Read() {
    static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
    co_return "re: " + written_;
  }

 private:
  std::string written_;
};

class Client {
 public:
  Task<absl::StatusOr<std::string>> Ask(std::string question) {
    absl::StatusOr<MutexLock> lock = co_await mutex_.Lock();
    if (!lock.ok()) co_return lock.status();
    co_await connection_.Write(std::move(question));
    co_return co_await connection_.Read();  // the lock's end unlocks it
  }

 private:
  Mutex mutex_;
  Connection connection_;
};

Task<void> AskTwoQuestions() {
  Client client;
  JoinHandle<absl::StatusOr<std::string>> a = Spawn(client.Ask("a"));
  JoinHandle<absl::StatusOr<std::string>> b = Spawn(client.Ask("b"));
  const absl::StatusOr<std::string> to_a = co_await a;
  const absl::StatusOr<std::string> to_b = co_await b;
  EXPECT_EQ(*to_a, "re: a");
  EXPECT_EQ(*to_b, "re: b");
}

TEST(SynchronizationExamples, MutexKeepsAQuestionAndItsAnswerTogether) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(AskTwoQuestions()).ok());
}

int downloads_now = 0;
int most_downloads = 0;
Task<void> Download() {
  most_downloads = std::max(most_downloads, ++downloads_now);
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  --downloads_now;
}

Task<absl::Status> DownloadPolitely(Semaphore* slots) {
  absl::StatusOr<SemaphorePermit> slot = co_await slots->Acquire();
  if (!slot.ok()) co_return slot.status();
  co_await Download();  // at most as many at a time as there are slots
  co_return absl::OkStatus();
}

Task<void> DownloadTen() {
  Semaphore slots(3);
  std::vector<JoinHandle<absl::Status>> downloads;
  for (int i = 0; i < 10; ++i)
    downloads.push_back(Spawn(DownloadPolitely(&slots)));
  for (JoinHandle<absl::Status>& download : downloads) {
    const absl::Status status = co_await download;
    EXPECT_TRUE(status.ok());
  }
}

TEST(SynchronizationExamples, SemaphoreBoundsHowMuchHappensAtATime) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(DownloadTen()).ok());
  EXPECT_EQ(most_downloads, 3);
}

struct Job {
  explicit Job(std::string n) : name(std::move(n)) {}
  std::string name;
  OneshotSender<size_t> reply;
};

Task<void> Work(Channel<Job>* jobs) {
  while (true) {
    absl::StatusOr<Job> job = co_await jobs->Receive();
    if (!job.ok()) co_return;  // closed and empty, or cancelled
    static_cast<void>(job->reply.Send(job->name.size()));
  }
}

Task<absl::StatusOr<size_t>> Submit(Channel<Job>* jobs, std::string name) {
  Oneshot<size_t> result;
  Job job(std::move(name));
  job.reply = std::move(result.sender);
  absl::Status sent = co_await jobs->Send(std::move(job));  // waits for room
  if (!sent.ok()) co_return sent;
  co_return co_await result.receiver.Receive();  // Unavailable if dropped
}

Task<void> SubmitTwo() {
  Channel<Job> jobs(/*capacity=*/1);
  JoinHandle<void> worker = Spawn(Work(&jobs));
  const absl::StatusOr<size_t> one = co_await Submit(&jobs, "one");
  const absl::StatusOr<size_t> three = co_await Submit(&jobs, "three");
  EXPECT_EQ(*one, 3u);
  EXPECT_EQ(*three, 5u);
  jobs.Close();
  const absl::Status ended = co_await worker;
  EXPECT_TRUE(ended.ok());
  const absl::StatusOr<size_t> late = co_await Submit(&jobs, "late");
  EXPECT_TRUE(absl::IsUnavailable(late.status()));
}

TEST(SynchronizationExamples, ChannelCarriesJobsAndOneshotsTheirResults) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(SubmitTwo()).ok());
}

Task<void> Simulate(Barrier* step, int n_steps, int* n_swaps) {
  for (int i = 0; i < n_steps; ++i) {
    co_await Yield();  // computes its part from the old state
    absl::StatusOr<bool> last = co_await step->Arrive();
    if (!last.ok()) co_return;
    if (*last) ++*n_swaps;  // the new state becomes the old one
    if (!(co_await step->Arrive()).ok()) co_return;
  }
}

Task<void> SimulateByThree(int* n_swaps) {
  Barrier step(3);
  std::vector<JoinHandle<void>> parts;
  for (int i = 0; i < 3; ++i)
    parts.push_back(Spawn(Simulate(&step, 5, n_swaps)));
  for (JoinHandle<void>& part : parts) static_cast<void>(co_await part);
}

TEST(SynchronizationExamples, BarrierEndsEachStepForAll) {
  VirtualTimeExecutor executor;
  int n_swaps = 0;
  EXPECT_TRUE(executor->Run(SimulateByThree(&n_swaps)).ok());
  EXPECT_EQ(n_swaps, 5);
}

struct Config {
  std::string value;
  Notify changed;
};

Task<absl::Status> WaitUntilItIs(Config* config, std::string wanted) {
  while (config->value != wanted) {
    absl::Status notified = co_await config->changed.Wait();
    if (!notified.ok()) co_return notified;
  }
  co_return absl::OkStatus();
}

void Set(Config* config, std::string value) {
  config->value = std::move(value);
  config->changed.NotifyAll();
}

Task<void> SetTwice() {
  Config config;
  JoinHandle<absl::Status> waits = Spawn(WaitUntilItIs(&config, "right"));
  co_await Yield();
  Set(&config, "wrong");
  co_await Yield();
  EXPECT_FALSE(waits.done());
  Set(&config, "right");
  const absl::Status status = co_await waits;
  EXPECT_TRUE(status.ok());
}

TEST(SynchronizationExamples, NotifySaysLookAgain) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(SetTwice()).ok());
}

Task<absl::Status> Serve(Event* ready) {
  absl::Status status = co_await ready->Wait();  // at once if it is set
  if (!status.ok()) co_return status;
  co_return absl::OkStatus();
}

Task<void> ServeOnceReady() {
  Event ready;
  JoinHandle<absl::Status> server = Spawn(Serve(&ready));
  co_await Yield();
  EXPECT_FALSE(server.done());
  ready.Set();
  const absl::Status status = co_await server;
  EXPECT_TRUE(status.ok());
}

TEST(SynchronizationExamples, EventHappensOnceForAll) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(ServeOnceReady()).ok());
}

Task<absl::Status> Follow(BroadcastReceiver<std::string> news,
                          std::vector<std::string>* seen) {
  while (true) {
    absl::StatusOr<std::string> item = co_await news.Receive();
    if (absl::IsUnavailable(item.status())) co_return absl::OkStatus();
    if (!item.ok()) co_return item.status();
    if (news.TakeMissed() > 0) seen->push_back("...");
    seen->push_back(*std::move(item));
  }
}

TEST(SynchronizationExamples, BroadcastTellsWhoLags) {
  VirtualTimeExecutor executor;
  Broadcast<std::string> news(2, LagPolicy::kDropOldest);
  std::vector<std::string> seen;
  JoinHandle<absl::Status> follows =
      executor->Spawn(Follow(news.Subscribe(), &seen));
  for (const char* item : {"a", "b", "c"}) EXPECT_TRUE(news.TrySend(item).ok());
  news.Close();
  while (!follows.done()) executor->Turn(MonotonicTime::Infinite());
  EXPECT_EQ(seen, (std::vector<std::string>{"...", "b", "c"}));
}

TEST(SynchronizationExamples, OfTheDocumentAreTheseHere) {
  testing::ExpectQuotes("docs/synchronization.md",
                        "executor/sync/synchronization_examples_test.cc", 7);
}

}  // namespace
}  // namespace ringway
