// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/process_stats.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "ringway/runtime/host/host_file.h"

namespace ringway {
namespace {

// The fields of proc_pid_stat(5), which numbers them from 1; 0 for one that is
// missing.
class StatFields {
 public:
  // The program's name, the second, is in parentheses and may contain any
  // character.
  explicit StatFields(std::string_view stat)
      : from_third_(absl::StrSplit(stat.substr(stat.rfind(')') + 1), ' ',
                                   absl::SkipEmpty())) {}

  uint64_t operator[](size_t number) const {
    const size_t i = number - 3;
    uint64_t value = 0;
    return i < from_third_.size() && absl::SimpleAtoi(from_third_[i], &value)
               ? value
               : 0;
  }

 private:
  const std::vector<std::string_view> from_third_;
};

absl::Duration FromTicks(uint64_t n_ticks) {
  return absl::Seconds(1) * static_cast<double>(n_ticks) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

// When the machine was booted, in seconds since the epoch; 0: unknown.
int64_t ReadBootTime() {
  const std::optional<std::string> stat = internal::ReadHostFile("/proc/stat");
  if (!stat.has_value()) return 0;
  for (const std::string_view line : absl::StrSplit(*stat, '\n')) {
    constexpr std::string_view kName = "btime ";
    int64_t seconds = 0;
    if (line.starts_with(kName) &&
        absl::SimpleAtoi(line.substr(kName.size()), &seconds)) {
      return seconds;
    }
  }
  return 0;
}

// Read once: it changes when the clock is set, and a start at another time
// would look like a restart.
int64_t BootTime() {
  static std::atomic<int64_t> known{0};
  int64_t none = 0;
  if (known.load() == 0) known.compare_exchange_strong(none, ReadBootTime());
  return known.load();
}

std::optional<uint64_t> CountOpenFds() {
  const std::unique_ptr<DIR, int (*)(DIR*)> fds(opendir("/proc/self/fd"),
                                                &closedir);
  if (fds == nullptr) return std::nullopt;
  uint64_t n = 0;
  while (const dirent* entry = readdir(fds.get()))
    n += entry->d_name[0] != '.' ? 1 : 0;
  return n - 1;  // without that of `fds`
}

}  // namespace

std::optional<ProcessStats> ReadProcessStats() {
  const std::optional<std::string> stat =
      internal::ReadHostFile("/proc/self/stat");
  const std::optional<uint64_t> open_fds = CountOpenFds();
  rlimit fds = {};
  if (!stat.has_value() || BootTime() == 0 || !open_fds.has_value() ||
      getrlimit(RLIMIT_NOFILE, &fds) != 0) {
    return std::nullopt;
  }
  const StatFields fields(*stat);
  ProcessStats stats;
  stats.cpu_time = FromTicks(fields[14] + fields[15]);
  stats.open_fds = *open_fds;
  stats.max_fds = fds.rlim_cur;
  stats.virtual_bytes = fields[23];
  stats.resident_bytes =
      fields[24] * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  stats.started = absl::Seconds(BootTime()) + FromTicks(fields[22]);
  stats.threads = fields[20];
  return stats;
}

}  // namespace ringway
