// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/summary.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/socket_address.h"
#include "ringway/tools/loadgen/report/summary_json.h"

namespace ringway::loadgen {
namespace {

SeriesRow Row(int begin_ms, uint64_t requests, uint64_t ns) {
  SeriesRow row;
  row.begin = absl::Milliseconds(begin_ms);
  row.length = absl::Milliseconds(50);
  row.requests = requests;
  row.p50_ns = ns;
  row.p99_ns = 2 * ns;
  row.max_ns = 3 * ns;
  return row;
}

class SummaryTest : public ::testing::Test {
 protected:
  SummaryTest() {
    load_.mode.target.address = *net::SocketAddress::Parse("127.0.0.1:80");
    result_.requests = 1'000;
    result_.measured = absl::Milliseconds(100);
    result_.latency_ns.RecordN(64'000, 999);
    result_.latency_ns.Record(5'000'000);
    result_.client_cpu = absl::Milliseconds(50);
    result_.server_cpu = absl::Milliseconds(4);
    result_.series = {Row(0, 1'000, 64'000), Row(50, 0, 0)};
  }

  LoadOptions load_;
  ClosedLoopResult result_;
};

TEST_F(SummaryTest, OfAClosedLoop) {
  const Summary summary = SummaryOf(load_, result_);
  EXPECT_EQ(summary.server, "127.0.0.1:80");
  EXPECT_EQ(summary.load, "closed loop, 32 connections, 64 bytes");
  EXPECT_EQ(summary.per_second, 10'000);
  EXPECT_EQ(summary.At(50), 64.511);
  EXPECT_EQ(summary.At(100), 5'000);
  EXPECT_EQ(summary.client_cpu->us_per_request, 50);
  EXPECT_EQ(summary.client_cpu->share, 0.5);
  EXPECT_EQ(summary.server_cpu->us_per_request, 4);
  EXPECT_FALSE(summary.open.has_value());
}

TEST_F(SummaryTest, OfAnOpenLoopNamesItsRates) {
  OpenLoopOptions options;
  options.load = load_;
  options.load.short_connections = true;
  options.load.connections = 1;
  options.phases = {Phase(20'000, absl::Seconds(5))};
  EXPECT_EQ(SummaryOf(options, OpenLoopResult()).load,
            "open loop, 20000/s uniform, 1 connection at once, one for each "
            "request, 64 bytes");
  options.phases.resize(5, Phase(7, absl::Seconds(1)));
  EXPECT_EQ(SummaryOf(options, OpenLoopResult()).load,
            "open loop, 20000x5s, 7x1s, 7x1s, ... uniform, 1 connection at "
            "once, one for each request, 64 bytes");
}

TEST_F(SummaryTest, TheCsvHasALineForEachInterval) {
  result_.series[1].errors = 3;
  EXPECT_EQ(FormatCsv(SummaryOf(load_, result_)),
            "time_s,duration_s,offered,requests,bytes,errors,"
            "requests_per_second,p50_us,p99_us,max_us\n"
            "0.000,0.050000,0,1000,64000,0,20000.0,64.000,128.000,192.000\n"
            "0.050,0.050000,0,0,0,3,0.0,,,\n");
}

TEST_F(SummaryTest, ARunWithoutIntervalsHasACsvOfNames) {
  const std::string csv = FormatCsv(Summary());
  EXPECT_EQ(csv.find('\n'), csv.size() - 1);
}

TEST_F(SummaryTest, IsTheSameAfterItWasWrittenAndRead) {
  const Summary summary = SummaryOf(load_, result_);
  const std::string json = WithSummary(
      "{\"requests_per_second\": 10000.0, \"p50_us\": 64.511, \"requests\": "
      "1000, \"size\": 64, \"duration_s\": 0.100000, \"errors\": 0, "
      "\"server_cpu_us_per_request\": 4.0, \"server_cpu_share\": 0.04}",
      summary);
  const absl::StatusOr<Summary> read = ParseSummary(json);
  ASSERT_TRUE(read.ok()) << read.status() << "\n" << json;
  EXPECT_EQ(read->server, summary.server);
  EXPECT_EQ(read->load, summary.load);
  EXPECT_EQ(read->requests, summary.requests);
  EXPECT_EQ(read->per_second, summary.per_second);
  EXPECT_EQ(read->mean_us, summary.mean_us);
  ASSERT_EQ(read->percentiles.size(), summary.percentiles.size());
  for (const PercentilePoint& point : summary.percentiles)
    EXPECT_NEAR(read->At(point.percentile), point.us, 0.01) << point.percentile;
  EXPECT_EQ(read->server_cpu->us_per_request, 4);
  EXPECT_FALSE(read->client_cpu.has_value());
  EXPECT_EQ(FormatCsv(*read), FormatCsv(summary));
}

TEST_F(SummaryTest, ReadsWhatEarlierVersionsWrote) {
  const absl::StatusOr<Summary> read = ParseSummary(
      "{\"duration_s\": 4.0, \"goodput_per_second\": 1500.0, \"offered\": "
      "12000, \"answered\": 6000, \"dropped\": 5999, \"lost\": 1, \"p50_us\": "
      "1.5, \"p90_us\": 2, \"p99_us\": 3, \"p999_us\": 4, \"max_us\": 5, "
      "\"errors\": 7, \"phases\": []}");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->per_second, 1'500);
  EXPECT_EQ(read->requests, 6'000u);
  EXPECT_EQ(read->open->dropped, 5'999u);
  EXPECT_EQ(read->lost, 1u);
  EXPECT_EQ(read->errors, 7u);
  EXPECT_EQ(read->At(99.9), 4);
  EXPECT_TRUE(read->series.empty());
}

TEST_F(SummaryTest, RefusesWhatIsNoRun) {
  EXPECT_TRUE(absl::IsInvalidArgument(ParseSummary("").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParseSummary("[]").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      ParseSummary("{\"requests_per_second\": 1}").status()));
}

}  // namespace
}  // namespace ringway::loadgen
