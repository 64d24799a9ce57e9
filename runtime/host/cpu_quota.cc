// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/cpu_quota.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ringway/runtime/host/host_file.h"

namespace ringway {
namespace {

using internal::ReadHostFile;

enum class CgroupVersion { kV1, kV2 };

// A mount of the hierarchy that has the CPU controller.
struct CgroupMount {
  CgroupVersion version;
  std::string group;   // that is mounted
  std::string folder;  // where
};

bool HasCpu(std::string_view controllers) {
  const std::vector<std::string_view> all = absl::StrSplit(controllers, ',');
  return std::ranges::find(all, "cpu") != all.end();
}

// mountinfo has spaces and others as \040, see proc(5).
std::string Unescape(std::string_view field) {
  std::string path;
  return absl::CUnescape(field, &path) ? path : std::string(field);
}

// By the lines of /proc/self/mountinfo:
// 31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw
std::vector<CgroupMount> CgroupMounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (const std::string_view line : absl::StrSplit(mountinfo, '\n')) {
    const std::pair<std::string_view, std::string_view> halves =
        absl::StrSplit(line, absl::MaxSplits(" - ", 1));
    const std::vector<std::string_view> place =
        absl::StrSplit(halves.first, ' ');
    const std::vector<std::string_view> type =
        absl::StrSplit(halves.second, ' ');
    if (place.size() < 5 || type.size() < 3) continue;
    const bool is_v2 = type[0] == "cgroup2";
    if (!is_v2 && !(type[0] == "cgroup" && HasCpu(type[2]))) continue;
    mounts.push_back({is_v2 ? CgroupVersion::kV2 : CgroupVersion::kV1,
                      Unescape(place[3]), Unescape(place[4])});
  }
  return mounts;
}

// The group of this process by the lines of /proc/self/cgroup, "0::/a/b" for
// version 2 and "4:cpu,cpuacct:/a/b" for version 1. Empty if there is none.
std::string_view OwnGroup(std::string_view cgroup, CgroupVersion version) {
  for (const std::string_view line : absl::StrSplit(cgroup, '\n')) {
    const std::vector<std::string_view> fields =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() < 3) continue;
    const bool found =
        version == CgroupVersion::kV2 ? fields[0] == "0" : HasCpu(fields[1]);
    if (found) return fields[2];
  }
  return "";
}

// The path of `group` below `mount`, "/a/b"; empty for the mount itself, and
// for a group that is not below it, as seen from another namespace.
std::string_view PathBelow(const CgroupMount& mount, std::string_view group) {
  if (mount.group != "/" && !absl::ConsumePrefix(&group, mount.group))
    return "";
  const bool is_below = absl::StartsWith(group, "/") && group.size() > 1 &&
                        !absl::StrContains(group, "/..");
  return is_below ? group : "";
}

std::optional<double> Ratio(std::string_view quota, std::string_view period) {
  uint64_t quota_us = 0;
  uint64_t period_us = 0;
  // No limit is "max" in version 2 and -1 in version 1.
  if (!absl::SimpleAtoi(quota, &quota_us) ||
      !absl::SimpleAtoi(period, &period_us) || quota_us == 0 || period_us == 0)
    return std::nullopt;
  return static_cast<double>(quota_us) / static_cast<double>(period_us);
}

std::optional<double> QuotaIn(const std::string& folder,
                              CgroupVersion version) {
  if (version == CgroupVersion::kV1) {
    return Ratio(ReadHostFile(folder + "/cpu.cfs_quota_us").value_or(""),
                 ReadHostFile(folder + "/cpu.cfs_period_us").value_or(""));
  }
  const std::string max = ReadHostFile(folder + "/cpu.max").value_or("");
  const std::pair<std::string_view, std::string_view> parts =
      absl::StrSplit(max, absl::MaxSplits(' ', 1));
  return Ratio(parts.first, parts.second);
}

std::optional<double> Least(std::optional<double> a, std::optional<double> b) {
  if (!a.has_value()) return b;
  return b.has_value() ? std::min(*a, *b) : a;
}

}  // namespace

std::optional<double> CgroupCpuQuota(const std::string& root) {
  const std::optional<std::string> cgroup =
      ReadHostFile(root + "/proc/self/cgroup");
  const std::optional<std::string> mountinfo =
      ReadHostFile(root + "/proc/self/mountinfo");
  if (!cgroup.has_value() || !mountinfo.has_value()) return std::nullopt;
  std::optional<double> least;
  for (const CgroupMount& mount : CgroupMounts(*mountinfo)) {
    const std::string folder = root + mount.folder;
    std::string_view below = PathBelow(mount, OwnGroup(*cgroup, mount.version));
    while (!below.empty()) {
      least = Least(least, QuotaIn(absl::StrCat(folder, below), mount.version));
      below.remove_suffix(below.size() - below.rfind('/'));
    }
    least = Least(least, QuotaIn(folder, mount.version));
  }
  return least;
}

}  // namespace ringway
