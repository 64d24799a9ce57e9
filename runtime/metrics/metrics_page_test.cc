// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/metrics_page.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "ringway/runtime/metrics/metric_tables.h"

namespace ringway {
namespace {

// The values of a page by metric and labels. Fails if one is there twice.
std::map<std::string, double> ValuesOf(const std::string& page) {
  std::map<std::string, double> values;
  for (const std::string_view line : absl::StrSplit(page, '\n')) {
    if (line.empty() || line.starts_with("#")) continue;
    const size_t space = line.rfind(' ');
    double value = -1;
    EXPECT_TRUE(absl::SimpleAtod(line.substr(space + 1), &value)) << line;
    EXPECT_TRUE(values.emplace(line.substr(0, space), value).second) << line;
  }
  return values;
}

std::string PageOf(const RuntimeSnapshot& snapshot) {
  const MetricRegistry registry;
  return MetricsPage(snapshot, registry);
}

TEST(MetricsPage, HasTheCountersOfEachWorker) {
  RuntimeSnapshot snapshot;
  for (uint64_t i = 0; i < 2; ++i) {
    WorkerSnapshot worker;
    worker.backend = i == 0 ? "uring" : "epoll";
    worker.counters.accepted = 10 + i;
    worker.counters.connections_now = 20 + i;
    worker.counters.ended_by_code[0] = 30 + i;
    worker.counters.ended_by_code[14] = 40 + i;
    worker.executor.tasks_alive = 50 + i;
    worker.executor.longest_turn = absl::Milliseconds(60 + i);
    worker.executor.frames.chunk_bytes = 70 + i;
    worker.executor.loop.turns = 80 + i;
    worker.executor.loop.backend.system_calls = 90 + i;
    worker.executor.loop.backend.receive_memory.most = 100 + i;
    snapshot.workers.emplace_back(std::move(worker));
  }
  std::map<std::string, double> values = ValuesOf(PageOf(snapshot));
  const auto of = [&](std::string_view name, std::string_view labels) {
    return values[absl::StrCat(name, "{", labels, "}")];
  };
  EXPECT_EQ(of("ringway_worker_up", "worker=\"1\""), 1);
  EXPECT_EQ(of("ringway_worker_info", "worker=\"1\",backend=\"epoll\""), 1);
  EXPECT_EQ(of("ringway_connections_accepted_total", "worker=\"0\""), 10);
  EXPECT_EQ(of("ringway_connections_accepted_total", "worker=\"1\""), 11);
  EXPECT_EQ(of("ringway_connections", "worker=\"1\""), 21);
  EXPECT_EQ(of("ringway_connections_ended_total", "worker=\"0\",code=\"OK\""),
            30);
  EXPECT_EQ(of("ringway_connections_ended_total",
               "worker=\"1\",code=\"UNAVAILABLE\""),
            41);
  EXPECT_EQ(of("ringway_tasks", "worker=\"1\""), 51);
  EXPECT_EQ(of("ringway_turn_longest_seconds", "worker=\"1\""), 0.061);
  EXPECT_EQ(of("ringway_frames_memory_bytes", "worker=\"1\""), 71);
  EXPECT_EQ(of("ringway_loop_turns_total", "worker=\"1\""), 81);
  EXPECT_EQ(of("ringway_backend_system_calls_total", "worker=\"1\""), 91);
  EXPECT_EQ(of("ringway_receive_peak_bytes", "worker=\"1\""), 101);
}

TEST(MetricsPage, EachMemberOfATableHasItsOwnLine) {
  WorkerSnapshot worker;
  uint64_t next = 1;
  const auto fill = [&](const auto& table, auto& stats) {
    for (const auto& metric : table) {
      if (metric.number != nullptr) stats.*metric.number = next++;
    }
  };
  fill(internal::kWorkerMetrics, worker.counters);
  fill(internal::kTaskMetrics, worker.executor);
  fill(internal::kFrameMetrics, worker.executor.frames);
  fill(internal::kLoopMetrics, worker.executor.loop);
  fill(internal::kBackendMetrics, worker.executor.loop.backend);
  fill(internal::kReceiveMetrics, worker.executor.loop.backend.receive_memory);
  RuntimeSnapshot snapshot;
  snapshot.workers.emplace_back(std::move(worker));
  snapshot.resolver.emplace();
  fill(internal::kPoolMetrics, snapshot.resolver->pool);
  fill(internal::kResolverMetrics, *snapshot.resolver);
  snapshot.tls.emplace_back();
  fill(internal::kTlsMetrics, snapshot.tls.back().statistics);

  const std::map<std::string, double> values = ValuesOf(PageOf(snapshot));
  std::multiset<double> found;
  for (const auto& [name, value] : values) found.insert(value);
  for (uint64_t i = 2; i < next; ++i)
    EXPECT_EQ(found.count(static_cast<double>(i)), 1u) << i;
}

TEST(MetricsPage, NamesFollowTheConventions) {
  std::set<std::string_view> names;
  for (const internal::MetricSection& section :
       internal::RuntimeMetricSections()) {
    for (const MetricInfo& info : section.metrics) {
      EXPECT_EQ(FaultIn(info), "") << info.name;
      EXPECT_EQ(StyleFaultIn(info), "") << info.name;
      EXPECT_TRUE(info.name.starts_with("ringway_") ||
                  info.name.starts_with("process_"))
          << info.name;
      EXPECT_TRUE(info.help.ends_with(".")) << info.name;
      EXPECT_TRUE(names.insert(info.name).second) << info.name;
    }
  }
  EXPECT_GT(names.size(), 70u);
}

TEST(MetricsPage, HasEveryMetricOfTheDocumentOnce) {
  RuntimeSnapshot snapshot;
  snapshot.workers.emplace_back(WorkerSnapshot());
  snapshot.resolver.emplace();
  snapshot.tls.emplace_back();
  const std::string page =
      MetricsPage(snapshot, MetricRegistry(), ProcessStats());
  std::multiset<std::string> on_page;
  for (const std::string_view line : absl::StrSplit(page, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (line.starts_with("# TYPE ")) on_page.insert(words[2]);
  }
  std::multiset<std::string> in_document;
  for (const internal::MetricSection& section :
       internal::RuntimeMetricSections()) {
    for (const MetricInfo& info : section.metrics)
      in_document.insert(std::string(info.name));
  }
  EXPECT_EQ(on_page, in_document);
}

TEST(MetricsPage, AWorkerThatDoesNotAnswerIsDown) {
  RuntimeSnapshot snapshot;
  snapshot.workers.resize(2);
  snapshot.workers[1].emplace();
  std::map<std::string, double> values = ValuesOf(PageOf(snapshot));
  EXPECT_EQ(values.at("ringway_worker_up{worker=\"0\"}"), 0);
  EXPECT_EQ(values.at("ringway_worker_up{worker=\"1\"}"), 1);
  EXPECT_EQ(values.count("ringway_tasks{worker=\"0\"}"), 0u);
  EXPECT_EQ(values.count("ringway_tasks{worker=\"1\"}"), 1u);
}

TEST(MetricsPage, HasPoolsByName) {
  RuntimeSnapshot snapshot;
  PoolSnapshot blocking;
  blocking.name = "blocking";
  blocking.stats.queued = 3;
  snapshot.pools.push_back(blocking);
  snapshot.resolver.emplace();
  snapshot.resolver->asked = 4;
  snapshot.resolver->pool.queued = 5;
  std::map<std::string, double> values = ValuesOf(PageOf(snapshot));
  EXPECT_EQ(values.at("ringway_pool_jobs_queued{pool=\"blocking\"}"), 3);
  EXPECT_EQ(values.at("ringway_pool_jobs_queued{pool=\"resolver\"}"), 5);
  EXPECT_EQ(values.at("ringway_resolver_lookups_total"), 4);
}

TEST(MetricsPage, HasTlsContextsByName) {
  RuntimeSnapshot snapshot;
  for (const char* name : {"web", "admin"}) {
    snapshot.tls.push_back({name, net::TlsStatistics()});
    snapshot.tls.back().statistics.resumed = snapshot.tls.size();
  }
  snapshot.tls[0].statistics.handshake_time = absl::Milliseconds(1'500);
  std::map<std::string, double> values = ValuesOf(PageOf(snapshot));
  const auto of = [&](std::string_view name, std::string_view context) {
    return values.at(absl::StrCat(name, "{context=\"", context, "\"}"));
  };
  EXPECT_EQ(of("ringway_tls_handshakes_resumed_total", "web"), 1);
  EXPECT_EQ(of("ringway_tls_handshakes_resumed_total", "admin"), 2);
  EXPECT_EQ(of("ringway_tls_handshakes_seconds_total", "web"), 1.5);
}

TEST(MetricsPage, HasTheProcess) {
  ProcessStats process;
  process.cpu_time = absl::Milliseconds(1'500);
  process.open_fds = 7;
  std::map<std::string, double> values =
      ValuesOf(MetricsPage(RuntimeSnapshot(), MetricRegistry(), process));
  EXPECT_EQ(values.at("process_cpu_seconds_total"), 1.5);
  EXPECT_EQ(values.at("process_open_fds"), 7);
  // Where /proc cannot be read there are none.
  EXPECT_EQ(ValuesOf(PageOf(RuntimeSnapshot())).count("process_open_fds"), 0u);
}

TEST(MetricsPage, SumsHistogramsOverTheWorkers) {
  RuntimeSnapshot snapshot;
  for (const uint64_t ns : {1'000, 999, 20'000'000}) {
    auto histograms = std::make_shared<WorkerHistograms>();
    histograms->ready_delay.Record(ns);
    histograms->ready_delay.Record(60'000'000'000);
    WorkerSnapshot worker;
    worker.histograms = std::move(histograms);
    snapshot.workers.emplace_back(std::move(worker));
  }
  snapshot.workers.emplace_back(WorkerSnapshot());  // without histograms
  std::map<std::string, double> values = ValuesOf(PageOf(snapshot));
  const auto at_most = [&](std::string_view bound) {
    return values.at(
        absl::StrCat("ringway_ready_delay_seconds_bucket{le=\"", bound, "\"}"));
  };
  EXPECT_EQ(at_most("1e-06"), 2);
  EXPECT_EQ(at_most("0.01"), 2);
  EXPECT_EQ(at_most("0.025"), 3);
  EXPECT_EQ(at_most("10"), 3);
  EXPECT_EQ(at_most("+Inf"), 6);
  EXPECT_EQ(values.at("ringway_ready_delay_seconds_count"), 6);
  EXPECT_NEAR(values.at("ringway_ready_delay_seconds_sum"), 180.02, 1e-3);
  EXPECT_EQ(values.at("ringway_turn_seconds_count"), 0);
}

TEST(MetricsPage, EndsWithTheProgramsOwn) {
  MetricRegistry registry;
  Counter counter = *registry.AddCounter("my_total", "Mine.");
  counter.Increment(7);
  const std::string page = MetricsPage(RuntimeSnapshot(), registry);
  EXPECT_TRUE(absl::EndsWith(page,
                             "# HELP my_total Mine.\n"
                             "# TYPE my_total counter\n"
                             "my_total 7\n"))
      << page;
  EXPECT_EQ(ValuesOf(page).at("ringway_metrics"), 1);
}

}  // namespace
}  // namespace ringway
