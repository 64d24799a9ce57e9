// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/default_workers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/runtime/host/cpu_topology.h"
#include "ringway/runtime/host/testing/host_tree.h"

namespace ringway {
namespace {

using internal::WorkersWithin;

void ExpectWorkers(const WorkerCount& count, int workers,
                   const std::string& explanation) {
  EXPECT_EQ(count.workers, workers);
  EXPECT_EQ(count.explanation, explanation);
}

TEST(DefaultWorkers, AreThePhysicalCores) {
  ExpectWorkers(WorkersWithin(8, 8, std::nullopt), 8, "8 of 8 cores");
  ExpectWorkers(WorkersWithin(1, 1, std::nullopt), 1, "1 of 1 core");
}

TEST(DefaultWorkers, AreWithinTheAffinityMask) {
  ExpectWorkers(WorkersWithin(8, 2, std::nullopt), 2,
                "2 of 8 cores: affinity allows 2");
}

TEST(DefaultWorkers, AreWithinTheQuotaRoundedDown) {
  ExpectWorkers(WorkersWithin(8, 8, 3.9), 3, "3 of 8 cores: cgroup allows 3.9");
  ExpectWorkers(WorkersWithin(8, 8, 3.0), 3, "3 of 8 cores: cgroup allows 3");
  ExpectWorkers(WorkersWithin(8, 2, 1.5), 1,
                "1 of 8 cores: affinity allows 2; cgroup allows 1.5");
  ExpectWorkers(WorkersWithin(8, 2, 5.5), 2,
                "2 of 8 cores: affinity allows 2; cgroup allows 5.5");
}

TEST(DefaultWorkers, AreNotLimitedByAQuotaOfAllCores) {
  ExpectWorkers(WorkersWithin(8, 8, 8.0), 8, "8 of 8 cores");
  ExpectWorkers(WorkersWithin(8, 8, 1e300), 8, "8 of 8 cores");
}

TEST(DefaultWorkers, AreAtLeastOne) {
  ExpectWorkers(WorkersWithin(8, 8, 0.2), 1, "1 of 8 cores: cgroup allows 0.2");
}

// A machine with all CPUs that this process may use, two threads to a core, and
// two more cores.
class DefaultWorkersTest : public ::testing::Test {
 protected:
  DefaultWorkersTest() {
    const std::vector<int> allowed = AllowedCpus().value();
    n_cores_ = static_cast<int>(allowed.size());
    std::string online;
    for (int number : allowed) {
      // Their siblings are others, which are not allowed.
      WriteCpu(number, 10'000 + number, online);
    }
    for (int number : {20'000, 20'001})
      WriteCpu(number, 21'000 + number, online);
    tree_.Write("/sys/devices/system/cpu/online", online);
  }

  void WriteCpu(int first, int second, std::string& online) {
    const std::string siblings = absl::StrCat(first, ",", second);
    tree_.WriteCpu(first, 0, first, siblings);
    tree_.WriteCpu(second, 0, first, siblings);
    absl::StrAppend(&online, online.empty() ? "" : ",", siblings);
  }

  testing::HostTree tree_;
  int n_cores_;
};

TEST_F(DefaultWorkersTest, ReadTopologyAndMask) {
  ExpectWorkers(DefaultWorkers(tree_.root()), n_cores_,
                absl::StrCat(n_cores_, " of ", n_cores_ + 2,
                             " cores: affinity allows ", n_cores_));
}

TEST_F(DefaultWorkersTest, ReadTheQuota) {
  tree_.Write("/proc/self/cgroup", "0::/\n");
  tree_.Write("/proc/self/mountinfo", "1 1 0:1 / /cg rw - cgroup2 cgroup2 rw");
  tree_.Write("/cg/cpu.max", "50000 100000");
  ExpectWorkers(DefaultWorkers(tree_.root()), 1,
                absl::StrCat("1 of ", n_cores_ + 2, " cores: affinity allows ",
                             n_cores_, "; cgroup allows 0.5"));
}

TEST(DefaultWorkers, WithoutFilesAreTheAllowedCpus) {
  const testing::HostTree empty;
  const int n = static_cast<int>(AllowedCpus().value().size());
  ExpectWorkers(DefaultWorkers(empty.root()), n,
                absl::StrCat(n, " of ", n, n == 1 ? " core" : " cores"));
}

}  // namespace
}  // namespace ringway
