// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/cpu_topology.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ringway/core/errno_status.h"
#include "ringway/runtime/host/host_file.h"

namespace ringway {
namespace {

std::optional<int> CpuNumber(std::string_view text) {
  int number = 0;
  const bool valid = std::ranges::all_of(text, absl::ascii_isdigit) &&
                     absl::SimpleAtoi(text, &number) && number < kMostCpus;
  return valid ? std::optional<int>(number) : std::nullopt;
}

absl::Status BadCpuList(std::string_view list, std::string_view part) {
  return absl::InvalidArgumentError(
      absl::StrCat("CPU list \"", list, "\": \"", part,
                   "\" is neither a CPU nor a range such as 0-3 (CPUs are "
                   "below ",
                   kMostCpus, ")"));
}

// What `file` of sysfs lists; nothing if it is missing or malformed.
std::vector<int> ListIn(const std::string& file) {
  const std::optional<std::string> text = internal::ReadHostFile(file);
  if (!text.has_value()) return {};
  absl::StatusOr<std::vector<int>> list = ParseCpuList(*text);
  return list.ok() ? *std::move(list) : std::vector<int>();
}

// The number that `file` of sysfs contains; -1 if it is missing or malformed.
int NumberIn(const std::string& file) {
  int number = -1;
  const std::optional<std::string> text = internal::ReadHostFile(file);
  const bool valid = text.has_value() && absl::SimpleAtoi(*text, &number);
  return valid && number >= 0 ? number : -1;
}

CpuInfo ReadCpu(const std::string& folder, int number) {
  const std::string topology =
      absl::StrCat(folder, "/cpu", number, "/topology/");
  CpuInfo cpu;
  cpu.number = number;
  cpu.package = NumberIn(topology + "physical_package_id");
  cpu.die = NumberIn(topology + "die_id");
  cpu.core = NumberIn(topology + "core_id");
  cpu.first_sibling = number;
  return cpu;
}

// CPU -> the lowest thread of its core. A CPU whose own list is missing is
// found in those of its siblings.
std::map<int, int> FirstSiblings(const std::string& folder,
                                 const std::set<int>& numbers) {
  std::map<int, int> first;
  for (const int number : numbers) {
    const std::vector<int> siblings = ListIn(
        absl::StrCat(folder, "/cpu", number, "/topology/thread_siblings_list"));
    // A list of others only cannot be right.
    if (!std::ranges::binary_search(siblings, number)) continue;
    for (const int sibling : siblings) first.emplace(sibling, siblings.front());
  }
  return first;
}

std::map<int, int> NodesOfCpus(const std::string& folder) {
  std::map<int, int> nodes;
  for (const int node : ListIn(folder + "/online")) {
    for (const int number :
         ListIn(absl::StrCat(folder, "/node", node, "/cpulist")))
      nodes.emplace(number, node);
  }
  return nodes;
}

int ValueOr(const std::map<int, int>& values, int key, int otherwise) {
  const auto found = values.find(key);
  return found == values.end() ? otherwise : found->second;
}

}  // namespace

absl::StatusOr<std::vector<int>> ParseCpuList(std::string_view text) {
  const std::string_view list = absl::StripAsciiWhitespace(text);
  std::set<int> numbers;
  if (list.empty()) return std::vector<int>();
  for (const std::string_view part : absl::StrSplit(list, ',')) {
    const std::pair<std::string_view, std::string_view> ends =
        absl::StrSplit(part, absl::MaxSplits('-', 1));
    const bool is_range = ends.first.size() < part.size();
    const std::optional<int> first = CpuNumber(ends.first);
    const std::optional<int> last = is_range ? CpuNumber(ends.second) : first;
    if (!first.has_value() || !last.has_value() || *last < *first)
      return BadCpuList(list, part);
    for (int number = *first; number <= *last; ++number) numbers.insert(number);
  }
  return std::vector<int>(numbers.begin(), numbers.end());
}

absl::StatusOr<std::vector<int>> AllowedCpus() {
  // The kernel returns EINVAL if the set is smaller than its own.
  for (int n_cpus = CPU_SETSIZE;; n_cpus *= 2) {
    const size_t n_bytes = CPU_ALLOC_SIZE(n_cpus);
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(
        CPU_ALLOC(n_cpus), [](cpu_set_t* cpus) { CPU_FREE(cpus); });
    if (set == nullptr) return ErrnoToStatus(ENOMEM, "read the affinity mask");
    CPU_ZERO_S(n_bytes, set.get());
    if (sched_getaffinity(0, n_bytes, set.get()) != 0) {
      if (errno == EINVAL && n_cpus < kMostCpus) continue;
      return ErrnoToStatus(errno, "read the affinity mask");
    }
    std::vector<int> allowed;
    for (int number = 0; number < n_cpus; ++number) {
      if (CPU_ISSET_S(number, n_bytes, set.get())) allowed.push_back(number);
    }
    return allowed;
  }
}

CpuTopology CpuTopology::Read(std::span<const int> allowed,
                              const std::string& root) {
  const std::string folder = root + "/sys/devices/system/cpu";
  const std::vector<int> online = ListIn(folder + "/online");
  std::set<int> numbers(online.begin(), online.end());
  numbers.insert(allowed.begin(), allowed.end());
  const std::map<int, int> first_siblings = FirstSiblings(folder, numbers);
  const std::map<int, int> nodes =
      NodesOfCpus(root + "/sys/devices/system/node");
  CpuTopology topology;
  for (const int number : numbers) {
    CpuInfo cpu = ReadCpu(folder, number);
    cpu.first_sibling = ValueOr(first_siblings, number, number);
    cpu.node = ValueOr(nodes, number, -1);
    topology.cpus_.push_back(cpu);
  }
  return topology;
}

const CpuInfo* CpuTopology::Find(int number) const {
  const auto found =
      std::ranges::lower_bound(cpus_, number, {}, &CpuInfo::number);
  return found != cpus_.end() && found->number == number ? &*found : nullptr;
}

int CpuTopology::NodeOf(int number) const {
  const CpuInfo* cpu = Find(number);
  return cpu == nullptr ? -1 : cpu->node;
}

int CpuTopology::n_cores() const {
  std::set<int> cores;
  for (const CpuInfo& cpu : cpus_) cores.insert(cpu.first_sibling);
  return static_cast<int>(cores.size());
}

int CpuTopology::CountCores(std::span<const int> numbers) const {
  std::set<int> cores;
  for (const int number : numbers) {
    if (const CpuInfo* cpu = Find(number)) cores.insert(cpu->first_sibling);
  }
  return static_cast<int>(cores.size());
}

std::vector<int> PinningOrder(const CpuTopology& topology,
                              std::span<const int> allowed, size_t offset) {
  // How many allowed threads of its core come before it, its place, its number.
  using Key = std::tuple<int, int, int, int, int, int>;
  std::map<int, int> n_threads;  // by core
  std::vector<Key> keys;
  for (const int number : std::set<int>(allowed.begin(), allowed.end())) {
    const CpuInfo* cpu = topology.Find(number);
    if (cpu == nullptr) continue;
    keys.emplace_back(n_threads[cpu->first_sibling]++, cpu->package, cpu->die,
                      cpu->core, cpu->first_sibling, number);
  }
  std::ranges::sort(keys);
  std::vector<int> order;
  order.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i)
    order.push_back(
        std::get<5>(keys[(offset % keys.size() + i) % keys.size()]));
  return order;
}

}  // namespace ringway
