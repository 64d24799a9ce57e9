// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/cancellation.md: what stands there stands here, is
// compiled, and does what the text says.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/first_ok.h"
#include "ringway/executor/structured/select.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

// --- A world for the examples: hosts that answer, slowly.

struct Page {
  explicit Page(std::string t) : text(std::move(t)) {}
  std::string text;
};

struct Connection {
  explicit Connection(std::string* l) : log(l) {}
  std::string* log;
};

Task<absl::StatusOr<Page>> FetchOnce(std::string host) {
  if (host == "broken") co_return absl::NotFoundError(host);
  const bool slow = host.rfind("slow", 0) == 0;
  const absl::Status waited =
      co_await Sleep(slow ? absl::Hours(1) : absl::Seconds(1));
  if (!waited.ok()) co_return waited;
  co_return Page("from " + host);
}

std::string Mirror(const std::string& host) { return "mirror of " + host; }

Task<absl::Status> Exchange(Connection connection) {
  const absl::Status waited = co_await Sleep(absl::Hours(1));
  *connection.log += waited.ok() ? "done, " : "cut, ";
  co_return waited;
}

Task<absl::Status> SayGoodbye(Connection connection) {
  const absl::Status waited = co_await Sleep(absl::Milliseconds(10));
  *connection.log += waited.ok() ? "said goodbye" : "hung up";
  co_return waited;
}

Task<absl::Status> Handle(int request, int* handled) {
  const absl::Status waited = co_await Sleep(absl::Seconds(1));
  if (request < 0) co_return absl::InvalidArgumentError("request");
  *handled += waited.ok();
  co_return waited;
}

// --- Deadlines.

Task<absl::StatusOr<Page>> Fetch(std::string host) {
  absl::StatusOr<Page> page =
      co_await WithTimeout(absl::Seconds(2), FetchOnce(host));
  if (absl::IsDeadlineExceeded(page.status()))
    page = co_await FetchOnce(Mirror(host));
  co_return page;
}

TEST(Examples, FetchAsksTheMirrorAfterTwoSeconds) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_EQ(executor->Run(Fetch("slow"))->text, "from mirror of slow");
  EXPECT_EQ(executor.Now() - start, absl::Seconds(3));
}

Task<absl::StatusOr<std::string>> NextLine(Channel<std::string>* lines) {
  absl::StatusOr<std::string> line =
      co_await WithTimeout(absl::Seconds(5), lines->Receive());
  if (absl::IsDeadlineExceeded(line.status())) co_return "(silence)";
  co_return line;
}

TEST(Examples, NextLineWaitsForFiveSecondsAndLosesNoLine) {
  VirtualTimeExecutor executor;
  Channel<std::string> lines(1);
  const MonotonicTime start = executor.Now();
  EXPECT_EQ(*executor->Run(NextLine(&lines)), "(silence)");
  EXPECT_EQ(executor.Now() - start, absl::Seconds(5));
  EXPECT_TRUE(lines.TrySend("a line").ok());
  EXPECT_EQ(*executor->Run(NextLine(&lines)), "a line");
}

// --- The first that comes to something.

Task<absl::StatusOr<Page>> FetchFromAny(std::vector<std::string> hosts) {
  std::vector<Task<absl::StatusOr<Page>>> asks;
  for (std::string& host : hosts) asks.push_back(FetchOnce(std::move(host)));
  co_return co_await FirstOk(std::move(asks), absl::Milliseconds(250));
}

TEST(Examples, FetchFromAnyAsksTheNextAfterAQuarterOfASecondOrAFailure) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_EQ(executor->Run(FetchFromAny({"slow", "broken", "a"}))->text,
            "from a");
  EXPECT_EQ(executor.Now() - start, absl::Milliseconds(1'250));
}

// --- Scopes.

Task<absl::Status> Gather(std::vector<std::string> hosts,
                          std::vector<Page>* pages) {
  TaskScope scope;
  std::vector<JoinHandle<absl::StatusOr<Page>>> fetches;
  for (std::string& host : hosts)
    fetches.push_back(scope.Spawn(FetchOnce(std::move(host))));
  absl::Status gathered = co_await scope.Join();
  if (!gathered.ok()) co_return gathered;
  for (auto& fetch : fetches) pages->push_back(*fetch.TakeResult());
  co_return absl::OkStatus();
}

TEST(Examples, GatherGivesAllPagesOrTheFirstFailure) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  std::vector<Page> pages;
  EXPECT_TRUE(executor->Run(Gather({"a", "b", "c"}, &pages)).ok());
  EXPECT_EQ(pages.size(), 3u);
  EXPECT_EQ(pages[2].text, "from c");
  EXPECT_EQ(executor->Run(Gather({"slow", "broken"}, &pages)),
            absl::NotFoundError("broken"));
  EXPECT_EQ(executor.Now() - start, absl::Seconds(1));
}

Task<absl::Status> Serve(TaskScope& scope, std::vector<int> requests,
                         int* handled) {
  for (int request : requests) {
    absl::Status room = co_await scope.WaitForRoom();
    if (!room.ok()) co_return room;
    scope.Spawn(Handle(request, handled)).Detach();
  }
  co_return absl::OkStatus();  // early or not: WithScope() joins
}

TEST(Examples, ServeIsJoinedAndEndsWithTheFirstFailure) {
  VirtualTimeExecutor executor;
  int handled = 0;
  const std::vector<int> good = {1, 2, 3}, bad = {1, -1, 2};
  EXPECT_TRUE(executor->Run(WithScope(Serve, good, &handled)).ok());
  EXPECT_EQ(handled, 3);
  EXPECT_TRUE(
      absl::IsInvalidArgument(executor->Run(WithScope(Serve, bad, &handled))));
}

// --- Tokens.

Task<absl::Status> Crawl(CancelToken stop) {
  while (!stop.cancelled()) {
    auto first = co_await Select(stop.Cancelled(), FetchOnce("example.org"));
    if (first.index == 0) break;
  }
  co_return stop.reason();
}

Task<absl::Status> CrawlUntilClosed() {
  CancelSource site;
  JoinHandle<absl::Status> polite = Spawn(Crawl(site.token()));
  JoinHandle<absl::StatusOr<Page>> plain =
      Spawn(site.token(), FetchOnce("slow.example.org"));
  static_cast<void>(co_await Sleep(absl::Seconds(10)));
  site.Cancel(absl::AbortedError("the site was closed"));
  absl::StatusOr<Page> page = co_await plain;  // Aborted, too
  if (page.ok()) co_return absl::InternalError("an hour is over?");
  co_return co_await polite;
}

TEST(Examples, CrawlersEndForTheReasonTheirSourceGives) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(executor->Run(CrawlUntilClosed()),
            absl::AbortedError("the site was closed"));
}

// --- Shields.

Task<absl::Status> Talk(Connection connection) {
  absl::Status exchanged = co_await Exchange(connection);
  Shield shield;
  absl::Status farewell =
      co_await WithTimeout(absl::Seconds(1), SayGoodbye(connection));
  co_return exchanged.ok() ? farewell : exchanged;
}

TEST(Examples, TalkSaysGoodbyeThoughItWasCancelled) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      executor->Run(WithTimeout(absl::Seconds(5), Talk(Connection(&log))))));
  EXPECT_EQ(log, "cut, said goodbye");
}

// --- A cancel with a deadline.

Task<absl::Status> StopTalking(JoinHandle<absl::Status> talk) {
  absl::Status ended = co_await CancelWithin(absl::Milliseconds(5), talk);
  if (absl::IsDeadlineExceeded(ended)) talk.Detach();  // it goes on, by itself
  co_return ended;
}

Task<absl::Status> TalkAndStop(std::string* log) {
  JoinHandle<absl::Status> talk = Spawn(Talk(Connection(log)));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  absl::Status stopped = co_await StopTalking(std::move(talk));
  EXPECT_EQ(*log, "cut, ");
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  EXPECT_EQ(*log, "cut, said goodbye");
  co_return stopped;
}

TEST(Examples, StopTalkingDoesNotWaitForALongGoodbye) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(absl::IsDeadlineExceeded(executor->Run(TalkAndStop(&log))));
}

// --- Intervals.

Task<absl::Status> Report(CancelToken stop, uint64_t* reports,
                          uint64_t* missed) {
  Interval interval(absl::Seconds(10));
  while (true) {
    auto first = co_await Select(stop.Cancelled(), interval.Tick());
    if (first.index == 0) co_return absl::OkStatus();
    ++*reports;
    *missed += *std::get<1>(first.results);
  }
}

Task<absl::Status> ReportForAMinute(uint64_t* reports, uint64_t* missed) {
  CancelSource stop;
  JoinHandle<absl::Status> report =
      Spawn(Report(stop.token(), reports, missed));
  static_cast<void>(co_await Sleep(absl::Seconds(61)));
  stop.Cancel();
  co_return co_await report;
}

TEST(Examples, ReportTicksUntilItIsStopped) {
  VirtualTimeExecutor executor;
  uint64_t reports = 0, missed = 0;
  EXPECT_TRUE(executor->Run(ReportForAMinute(&reports, &missed)).ok());
  EXPECT_EQ(reports, 6u);
  EXPECT_EQ(missed, 0u);
}

// --- The document.

TEST(Examples, OfTheDocumentAreTheseHere) {
  testing::ExpectQuotes("docs/cancellation.md",
                        "executor/task/cancellation_examples_test.cc", 9);
}

}  // namespace
}  // namespace ringway
