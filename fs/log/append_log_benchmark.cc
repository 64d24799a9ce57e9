// SPDX-License-Identifier: Apache-2.0
//
// Group commit: records a second, each durable before the next one of its
// writer, by the number of writers. In TEST_TMPDIR or else /var/tmp, which must
// be on the disk that is meant.

#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/benchmark_support.h"
#include "ringway/fs/log/append_log.h"

namespace ringway::fs {
namespace {

constexpr int64_t kEach = 16;  // records of a writer, per iteration

class LogDirectory {
 public:
  LogDirectory() {
    const char* const parent = getenv("TEST_TMPDIR");
    path_ = absl::StrCat(parent != nullptr ? parent : "/var/tmp",
                         "/append_log_benchmark_", getpid());
  }
  ~LogDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Task<void> Append(AppendLog& log, const std::string& record) {
  for (int64_t i = 0; i < kEach; ++i) {
    Task<absl::StatusOr<uint64_t>> append = log.Append(record);
    const absl::StatusOr<uint64_t> sequence = co_await std::move(append);
    RINGWAY_CHECK(sequence.ok(), "%s", sequence.status().ToString().c_str());
  }
}

Task<void> AppendByAll(benchmark::State& state) {
  const int64_t n_writers = state.range(0);
  const std::string record(static_cast<size_t>(state.range(1)), 'x');
  const LogDirectory directory;
  Task<absl::StatusOr<AppendLog>> open = AppendLog::Open(directory.path());
  absl::StatusOr<AppendLog> log = co_await std::move(open);
  RINGWAY_CHECK(log.ok(), "%s", log.status().ToString().c_str());
  std::vector<JoinHandle<void>> writers;
  for (auto _ : state) {
    for (int64_t i = 0; i < n_writers; ++i)
      writers.push_back(Spawn(Append(*log, record)));
    for (JoinHandle<void>& writer : writers) (co_await writer).IgnoreError();
    writers.clear();
  }
  const AppendLogStats stats = log->stats();
  state.SetItemsProcessed(static_cast<int64_t>(stats.records));
  state.counters["records_per_sync"] =
      static_cast<double>(stats.records) / static_cast<double>(stats.groups);
  (co_await log->Close()).IgnoreError();
}

// Compare items_per_second of 64 writers with that of 1.
void BM_AppendByWriters(benchmark::State& state) {
  benchmarks::RunOnExecutor(state, state.range(0) * kEach, AppendByAll);
}
BENCHMARK(BM_AppendByWriters)
    ->Args({1, 100})
    ->Args({8, 100})
    ->Args({64, 100})
    ->Args({64, 4'000})
    ->UseRealTime();

}  // namespace
}  // namespace ringway::fs
