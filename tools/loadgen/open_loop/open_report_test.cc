// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_report.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/socket_address.h"

namespace ringway::loadgen {
namespace {

PhaseCounts CountsOf(uint64_t offered, uint64_t answered) {
  PhaseCounts counts;
  counts.offered = offered;
  counts.sent = answered;
  counts.answered = answered;
  counts.answers = answered;
  counts.dropped = offered - answered;
  counts.took = absl::Seconds(2);
  counts.latency_ns.RecordN(64'000, answered);
  counts.late_ns.RecordN(1'000, offered);
  return counts;
}

class OpenReportTest : public ::testing::Test {
 protected:
  OpenReportTest() {
    options_.load.mode.target.address =
        *net::SocketAddress::Parse("127.0.0.1:80");
    options_.phases = {Phase(1'000, absl::Seconds(2)),
                       Phase(5'000, absl::Seconds(2))};
    result_.phases = {CountsOf(2'000, 2'000), CountsOf(10'000, 4'000)};
    result_.phases[0].recovered_after = absl::Milliseconds(300);
    result_.phases[1].server_rss_bytes = uint64_t{3} << 20;
    for (const PhaseCounts& counts : result_.phases) result_.total.Add(counts);
  }

  void ExpectInTable(std::string_view text) {
    const std::string table = FormatOpenTable(options_, result_);
    EXPECT_NE(table.find(text), std::string::npos) << text << " in\n" << table;
  }
  void ExpectInJson(std::string_view text) {
    const std::string json = FormatOpenJson(options_, result_);
    EXPECT_NE(json.find(text), std::string::npos) << text << " in\n" << json;
  }

  OpenLoopOptions options_;
  OpenLoopResult result_;
};

TEST_F(OpenReportTest, SumsUpThePhases) {
  ExpectInTable("offered       12,000, 3,000/s\n");
  ExpectInTable("answered      6,000\n");
  ExpectInTable("goodput/s     1,500\n");
  ExpectInTable("dropped       6,000; the queue holds 1,024\n");
  ExpectInJson("{\"duration_s\": 4.000000, \"goodput_per_second\": 1500.0");
}

TEST_F(OpenReportTest, HasALineForEachPhase) {
  ExpectInTable(
      "  phase 1       1000x2s        goodput 1,000/s, p50 64.0 us, p99 64.0 "
      "us, 0 dropped, 0 errors, recovered after 0.3 s\n");
  ExpectInTable(
      "  phase 2       5000x2s        goodput 2,000/s, p50 64.0 us, p99 64.0 "
      "us, 6,000 dropped, 0 errors, server RSS 3.0 MiB, recovered never\n");
  ExpectInJson("\"phases\": [{\"rate\": 1000, \"duration_s\": 2.000000, ");
  ExpectInJson("\"errors\": 0, \"recovered_after_s\": 0.300}, {\"rate\": 5000");
  ExpectInJson("\"server_rss_bytes\": 3145728, ");
  ExpectInJson("\"recovered_after_s\": null}]}");
}

TEST_F(OpenReportTest, OnePhaseHasNoLineOfItsOwn) {
  options_.phases.resize(1, Phase(1, absl::Seconds(1)));
  EXPECT_EQ(FormatOpenTable(options_, result_).find("phase 1"),
            std::string::npos);
}

TEST_F(OpenReportTest, PrintsTheSeedOfPoissonArrivals) {
  options_.seed = 77;
  ExpectInTable("open loop, uniform arrivals, 32 connections, ");
  options_.arrivals = ArrivalKind::kPoisson;
  ExpectInTable("open loop, poisson arrivals (seed 77), 32 connections, ");
  ExpectInJson("\"arrivals\": \"poisson\", \"seed\": 77");
}

TEST_F(OpenReportTest, ListsErrorsByKind) {
  ExpectInTable("errors        0\n");
  ExpectInJson("\"errors\": 0, \"phases\"");
  result_.errors.Record(3, absl::OutOfRangeError("the \"server\" hung up"));
  result_.errors.Record(4, absl::DataLossError("byte 7"));
  ExpectInTable("errors        2\n");
  ExpectInTable(
      "closed_early  1; the first: connection 3: the \"server\" hung up\n");
  ExpectInTable("wrong_reply  1; the first: connection 4: byte 7\n");
  ExpectInJson(
      "\"errors\": 2, \"first_error\": \"connection 3: the \\\"server\\\" hung "
      "up\", \"errors_by_kind\": {\"closed_early\": {\"count\": 1, ");
}

TEST_F(OpenReportTest, WarnsWhenTheGeneratorWasLate) {
  result_.total.offered_late = 120;
  EXPECT_EQ(LatenessWarning(result_), "");
  result_.total.offered_late = 240;
  result_.total.late_ns.Record(7'000'000);
  EXPECT_TRUE(LatenessWarning(result_).starts_with(
      "the generator itself was late: 2.0 % of the requests by more than 1 ms, "
      "at most by 7.0 ms"))
      << LatenessWarning(result_);
}

}  // namespace
}  // namespace ringway::loadgen
