// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/process_memory.h"

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

TEST(ProcessMemory, ReadsTheSecondNumber) {
  const std::string path = ::testing::TempDir() + "/statm";
  std::ofstream(path) << "9000 250 100 1 0 50 0\n";
  EXPECT_EQ(ProcessMemory(path).ResidentBytes(),
            250 * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

TEST(ProcessMemory, OfThisProcessGrowsWithWhatItTouches) {
  constexpr size_t kBytes = size_t{64} << 20;
  const ProcessMemory memory(getpid());
  const uint64_t before = memory.ResidentBytes();
  EXPECT_GT(before, 0u);
  const std::vector<char> touched(kBytes, 'x');
  EXPECT_GT(memory.ResidentBytes(), before + kBytes / 2);
  EXPECT_EQ(touched.back(), 'x');
}

TEST(ProcessMemory, IsZeroOnceTheProcessHasEnded) {
  EXPECT_EQ(ProcessMemory(::testing::TempDir() + "/nowhere").ResidentBytes(),
            0u);
  const std::string path = ::testing::TempDir() + "/empty_statm";
  std::ofstream(path) << "";
  EXPECT_EQ(ProcessMemory(path).ResidentBytes(), 0u);
}

}  // namespace
}  // namespace ringway::loadgen
