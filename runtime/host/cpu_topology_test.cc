// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/cpu_topology.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/runtime/host/testing/host_tree.h"

namespace ringway {
namespace {

using testing::HostTree;
using Cpus = std::vector<int>;

constexpr char kOnline[] = "/sys/devices/system/cpu/online";

Cpus UpTo(int n) {
  Cpus cpus;
  for (int i = 0; i < n; ++i) cpus.push_back(i);
  return cpus;
}

TEST(ParseCpuList, ReadsNumbersAndRanges) {
  const auto parsed = [](std::string_view text) {
    return ParseCpuList(text).value();
  };
  EXPECT_EQ(parsed("0-3,8,10-11"), (Cpus{0, 1, 2, 3, 8, 10, 11}));
  EXPECT_EQ(parsed("5"), Cpus{5});
  EXPECT_EQ(parsed("7-7"), Cpus{7});
  EXPECT_EQ(parsed(" 0-1\n"), (Cpus{0, 1}));
  EXPECT_EQ(parsed(""), Cpus{});
  EXPECT_EQ(parsed("\n"), Cpus{});
  EXPECT_EQ(parsed("65535"), Cpus{kMostCpus - 1});
}

TEST(ParseCpuList, SortsAndNamesEachCpuOnce) {
  EXPECT_EQ(ParseCpuList("8,0-3,2-4,0").value(), (Cpus{0, 1, 2, 3, 4, 8}));
}

TEST(ParseCpuList, NamesTheWrongPart) {
  for (const char* wrong :
       {"x", "-1", "1-", "-", "3-1", "1-2-3", "1 2", "+1", "0x1", "1.5",
        "65536", "0-65536", "99999999999999999999"}) {
    const absl::StatusOr<Cpus> parsed = ParseCpuList(absl::StrCat("0,", wrong));
    EXPECT_TRUE(absl::IsInvalidArgument(parsed.status())) << wrong;
    EXPECT_TRUE(absl::StrContains(parsed.status().message(),
                                  absl::StrCat("\"", wrong, "\"")))
        << parsed.status();
  }
  for (const char* wrong : {",", "0,", ",0", "0,,1", "0, ,1"})
    EXPECT_TRUE(absl::IsInvalidArgument(ParseCpuList(wrong).status())) << wrong;
}

TEST(AllowedCpus, AreTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  const Cpus all = AllowedCpus().value();
  EXPECT_EQ(all.size(), static_cast<size_t>(CPU_COUNT(&before)));
  EXPECT_TRUE(std::ranges::is_sorted(all));
  cpu_set_t last;
  CPU_ZERO(&last);
  CPU_SET(all.back(), &last);
  ASSERT_EQ(sched_setaffinity(0, sizeof(last), &last), 0);
  EXPECT_EQ(AllowedCpus().value(), Cpus{all.back()});
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

// Two packages of two cores of two threads, numbered as most machines do.
class TwoPackagesTest : public ::testing::Test {
 protected:
  TwoPackagesTest() {
    tree_.Write(kOnline, "0-7\n");
    for (int number = 0; number < 8; ++number) {
      const int first = number % 4;
      tree_.WriteCpu(number, /*package=*/first / 2, /*core=*/first % 2,
                     absl::StrCat(first, ",", first + 4));
    }
    tree_.Write("/sys/devices/system/node/online", "0-1\n");
    tree_.Write("/sys/devices/system/node/node0/cpulist", "0-1,4-5\n");
    tree_.Write("/sys/devices/system/node/node1/cpulist", "2-3,6-7\n");
  }

  CpuTopology Read(const Cpus& allowed = {}) const {
    return CpuTopology::Read(allowed, tree_.root());
  }

  HostTree tree_;
};

TEST_F(TwoPackagesTest, AreReadWithTheirPlaces) {
  const CpuTopology topology = Read();
  ASSERT_EQ(topology.cpus().size(), 8u);
  const CpuInfo* cpu = topology.Find(7);
  ASSERT_NE(cpu, nullptr);
  EXPECT_EQ(cpu->number, 7);
  EXPECT_EQ(cpu->package, 1);
  EXPECT_EQ(cpu->core, 1);
  EXPECT_EQ(cpu->die, -1);
  EXPECT_EQ(cpu->first_sibling, 3);
  EXPECT_EQ(topology.NodeOf(5), 0);
  EXPECT_EQ(topology.NodeOf(6), 1);
  EXPECT_EQ(topology.NodeOf(8), -1);
  EXPECT_EQ(topology.Find(8), nullptr);
  EXPECT_EQ(topology.Find(-1), nullptr);
  EXPECT_EQ(topology.n_cores(), 4);
}

TEST_F(TwoPackagesTest, CountsTheCoresOfSomeCpus) {
  const CpuTopology topology = Read();
  EXPECT_EQ(topology.CountCores(Cpus{0, 4}), 1);
  EXPECT_EQ(topology.CountCores(Cpus{4, 5, 2}), 3);
  EXPECT_EQ(topology.CountCores(Cpus{}), 0);
  EXPECT_EQ(topology.CountCores(Cpus{99}), 0);
}

TEST_F(TwoPackagesTest, AreUsedByPhysicalCoreFirst) {
  EXPECT_EQ(PinningOrder(Read(), UpTo(8)), (Cpus{0, 1, 2, 3, 4, 5, 6, 7}));
}

// Siblings that are neighbours, as some firmware numbers them: the order is
// that of the cores, not of the numbers.
TEST(PinningOrder, DependsOnCoresAndNotOnNumbers) {
  HostTree tree;
  tree.Write(kOnline, "0-7");
  for (int number = 0; number < 8; ++number) {
    const int first = number / 2 * 2;
    tree.WriteCpu(number, /*package=*/number / 4 == 0 ? 1 : 0, number / 2 % 2,
                  absl::StrCat(first, "-", first + 1));
  }
  const CpuTopology topology = CpuTopology::Read({}, tree.root());
  EXPECT_EQ(PinningOrder(topology, UpTo(8)), (Cpus{4, 6, 0, 2, 5, 7, 1, 3}));
}

TEST(PinningOrder, KeepsTheDiesOfAPackageTogether) {
  HostTree tree;
  tree.Write(kOnline, "0-3");
  for (int number = 0; number < 4; ++number) {
    tree.WriteCpu(number, /*package=*/0, /*core=*/number / 2,
                  absl::StrCat(number));
    tree.Write(
        absl::StrCat("/sys/devices/system/cpu/cpu", number, "/topology/die_id"),
        absl::StrCat(number % 2));
  }
  const CpuTopology topology = CpuTopology::Read({}, tree.root());
  EXPECT_EQ(topology.n_cores(), 4);
  EXPECT_EQ(PinningOrder(topology, UpTo(4)), (Cpus{0, 2, 1, 3}));
}

TEST_F(TwoPackagesTest, OnlyAllowedOnesAreUsed) {
  const CpuTopology topology = Read();
  // Core 1 has its second thread only, which is as good as the first.
  EXPECT_EQ(PinningOrder(topology, Cpus{0, 4, 5, 7}), (Cpus{0, 5, 7, 4}));
  EXPECT_EQ(PinningOrder(topology, Cpus{7, 5, 7, 99}), (Cpus{5, 7}));
  EXPECT_EQ(PinningOrder(topology, Cpus{}), Cpus{});
  EXPECT_EQ(PinningOrder(topology, Cpus{}, /*offset=*/3), Cpus{});
}

TEST_F(TwoPackagesTest, AnOffsetWrapsAround) {
  const CpuTopology topology = Read();
  const Cpus allowed = {0, 1, 4, 5};
  EXPECT_EQ(PinningOrder(topology, allowed, 1), (Cpus{1, 4, 5, 0}));
  EXPECT_EQ(PinningOrder(topology, allowed, 4), (Cpus{0, 1, 4, 5}));
  EXPECT_EQ(PinningOrder(topology, allowed, ~size_t{0}), (Cpus{5, 0, 1, 4}));
}

TEST_F(TwoPackagesTest, ACpuWithoutItsListIsFoundInItsSiblings) {
  for (const int number : {0, 4}) {
    const std::string list = absl::StrCat("/sys/devices/system/cpu/cpu", number,
                                          "/topology/thread_siblings_list");
    for (const char* torn : {"", "0-", "1,5"}) {
      tree_.Write(list, torn);
      EXPECT_EQ(Read().n_cores(), 4) << number << " " << torn;
      EXPECT_EQ(Read().Find(number)->first_sibling, 0) << number << " " << torn;
    }
    tree_.Write(list, "0,4");
  }
}

TEST_F(TwoPackagesTest, MalformedNumbersAreUnknown) {
  for (const char* torn : {"", "x", "-1", "99999999999"}) {
    tree_.Write("/sys/devices/system/cpu/cpu2/topology/physical_package_id",
                torn);
    EXPECT_EQ(Read().Find(2)->package, -1) << torn;
    EXPECT_EQ(Read().n_cores(), 4);
  }
}

TEST_F(TwoPackagesTest, AllowedCpusCountAlsoWithoutAnOnlineList) {
  tree_.Remove(kOnline);
  EXPECT_EQ(Read().cpus().size(), 0u);
  const CpuTopology topology = Read({1, 5, 6});
  EXPECT_EQ(topology.cpus().size(), 3u);
  EXPECT_EQ(topology.n_cores(), 2);
  tree_.Write(kOnline, "0-");
  EXPECT_EQ(Read({1, 5, 6}).cpus().size(), 3u);
}

TEST(CpuTopology, WithoutSysfsEachAllowedCpuIsACore) {
  HostTree empty;
  const Cpus allowed = {9, 2, 4};
  const CpuTopology topology = CpuTopology::Read(allowed, empty.root());
  EXPECT_EQ(topology.n_cores(), 3);
  EXPECT_EQ(topology.NodeOf(2), -1);
  EXPECT_EQ(PinningOrder(topology, allowed), (Cpus{2, 4, 9}));
  EXPECT_EQ(PinningOrder(topology, allowed, 1), (Cpus{4, 9, 2}));
}

TEST(CpuTopology, OfThisMachineHasEveryAllowedCpuInItsOrder) {
  Cpus allowed = AllowedCpus().value();
  const CpuTopology topology = CpuTopology::Read(allowed);
  Cpus order = PinningOrder(topology, allowed);
  const int n_cores = topology.CountCores(allowed);
  ASSERT_LE(n_cores, topology.n_cores());
  ASSERT_GE(order.size(), static_cast<size_t>(n_cores));
  const Cpus first(order.begin(), order.begin() + n_cores);
  EXPECT_EQ(topology.CountCores(first), n_cores);
  std::ranges::sort(order);
  EXPECT_EQ(order, allowed);
}

}  // namespace
}  // namespace ringway
