// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/cpu_quota.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "ringway/runtime/host/testing/host_tree.h"

namespace ringway {
namespace {

constexpr char kV2Mount[] =
    "24 1 8:1 / / rw,relatime - ext4 /dev/root rw\n"
    "31 24 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
constexpr char kV1Mounts[] =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
    "rw,cpu,cpuacct\n";

class CpuQuotaTest : public ::testing::Test {
 protected:
  void SetGroup(const std::string& lines, const std::string& mountinfo) {
    tree_.Write("/proc/self/cgroup", lines);
    tree_.Write("/proc/self/mountinfo", mountinfo);
  }
  void SetV1(const std::string& folder, const char* quota, const char* period) {
    tree_.Write(folder + "/cpu.cfs_quota_us", quota);
    tree_.Write(folder + "/cpu.cfs_period_us", period);
  }
  std::optional<double> Quota() const { return CgroupCpuQuota(tree_.root()); }

  testing::HostTree tree_;
};

TEST_F(CpuQuotaTest, OfTheOwnGroup) {
  SetGroup("0::/a/b\n", kV2Mount);
  tree_.Write("/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
  EXPECT_EQ(Quota(), 1.5);
}

TEST_F(CpuQuotaTest, IsTheLeastOfAllParents) {
  SetGroup("0::/a/b/c\n", kV2Mount);
  tree_.Write("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  tree_.Write("/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
  tree_.Write("/sys/fs/cgroup/a/cpu.max", "100000 50000\n");
  EXPECT_EQ(Quota(), 2.0);
  // The root of a container's mount has one, unlike the machine's.
  tree_.Write("/sys/fs/cgroup/cpu.max", "25000 100000\n");
  EXPECT_EQ(Quota(), 0.25);
  tree_.Write("/sys/fs/cgroup/a/b/c/cpu.max", "10000 100000\n");
  EXPECT_EQ(Quota(), 0.1);
}

TEST_F(CpuQuotaTest, IsNoneWithoutALimit) {
  EXPECT_EQ(Quota(), std::nullopt) << "no files";
  SetGroup("0::/\n", kV2Mount);
  EXPECT_EQ(Quota(), std::nullopt) << "the root group has no cpu.max";
  SetGroup("0::/a\n", kV2Mount);
  tree_.Write("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(Quota(), std::nullopt);
}

TEST_F(CpuQuotaTest, MalformedFilesDoNotLimit) {
  SetGroup("0::/a\n", kV2Mount);
  for (const char* wrong : {"", "x", "100000", "100000 0", "0 100000",
                            "100000 max", "-1 100000", "100000 -1"}) {
    tree_.Write("/sys/fs/cgroup/a/cpu.max", wrong);
    EXPECT_EQ(Quota(), std::nullopt) << wrong;
  }
  tree_.Write("/sys/fs/cgroup/a/cpu.max", "100000 100000\n");
  for (const char* wrong : {"", "0", "0:", "0::", "x::/a\n", "0::a"}) {
    SetGroup(wrong, kV2Mount);
    EXPECT_EQ(Quota(), std::nullopt) << wrong;
  }
  for (const char* wrong : {"", "31 24 0:28 / - cgroup2 cgroup2 rw",
                            "31 24 0:28 / /sys/fs/cgroup rw cgroup2",
                            "31 24 0:28 / /sys/fs/cgroup rw - cgroup2"}) {
    SetGroup("0::/a", wrong);
    EXPECT_EQ(Quota(), std::nullopt) << wrong;
  }
}

TEST_F(CpuQuotaTest, OfVersion1) {
  SetGroup("5:cpuset:/other\n4:cpu,cpuacct:/a/b\n1:name=systemd:/x\n0::/x\n",
           kV1Mounts);
  SetV1("/sys/fs/cgroup/cpu,cpuacct/a/b", "-1\n", "100000\n");
  EXPECT_EQ(Quota(), std::nullopt);
  SetV1("/sys/fs/cgroup/cpu,cpuacct/a", "250000\n", "100000\n");
  EXPECT_EQ(Quota(), 2.5);
  SetV1("/sys/fs/cgroup/cpu,cpuacct/a/b", "50000\n", "100000\n");
  EXPECT_EQ(Quota(), 0.5);
  tree_.Remove("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us");
  EXPECT_EQ(Quota(), 2.5);
}

TEST_F(CpuQuotaTest, OfBothVersionsIsTheLesser) {
  SetGroup("4:cpu,cpuacct:/a\n0::/b\n", std::string(kV1Mounts) + kV2Mount);
  SetV1("/sys/fs/cgroup/cpu,cpuacct/a", "300000\n", "100000\n");
  tree_.Write("/sys/fs/cgroup/b/cpu.max", "200000 100000\n");
  EXPECT_EQ(Quota(), 2.0);
  SetV1("/sys/fs/cgroup/cpu,cpuacct/a", "100000\n", "100000\n");
  EXPECT_EQ(Quota(), 1.0);
}

// A container without a namespace of its own for groups sees its path on the
// host, and a mount that begins there.
TEST_F(CpuQuotaTest, OfAMountThatBeginsAtAGroup) {
  const std::string mount =
      "31 24 0:28 /docker/ab /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  tree_.Write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
  tree_.Write("/sys/fs/cgroup/sub/cpu.max", "100000 100000\n");
  SetGroup("0::/docker/ab\n", mount);
  EXPECT_EQ(Quota(), 4.0);
  SetGroup("0::/docker/ab/sub\n", mount);
  EXPECT_EQ(Quota(), 1.0);
  // Another group, whose name begins alike: the mount itself counts.
  SetGroup("0::/docker/ab/../abc/sub\n", mount);
  EXPECT_EQ(Quota(), 4.0);
  SetGroup("0::/docker/abc/sub\n", mount);
  EXPECT_EQ(Quota(), 4.0);
}

// Outside of its namespace's root: "/../x" does not lead out of the mount.
TEST_F(CpuQuotaTest, OfAGroupOutsideOfTheNamespace) {
  SetGroup("0::/../fs\n", kV2Mount);
  tree_.Write("/sys/fs/cpu.max", "100000 100000\n");
  tree_.Write("/sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(Quota(), 3.0);
}

TEST_F(CpuQuotaTest, OfAMountWithASpaceInItsPath) {
  SetGroup("0::/a\n", R"(31 24 0:28 / /my\040groups rw - cgroup2 none rw)");
  tree_.Write("/my groups/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(Quota(), 1.5);
}

TEST(CpuQuota, OfThisMachineIsPositive) {
  EXPECT_GT(CgroupCpuQuota().value_or(1), 0);
}

}  // namespace
}  // namespace ringway
