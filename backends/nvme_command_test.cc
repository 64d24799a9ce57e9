// SPDX-License-Identifier: Apache-2.0
//
// The encoding of NVMe commands, compared with the kernel's header: there may
// be no device.

#include "ringway/backends/nvme_command.h"

#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "gtest/gtest.h"

namespace ringway {
namespace {

// As the kernel reads the bytes of an entry.
nvme_uring_cmd AsKernelReads(const NvmeCommand& command) {
  nvme_uring_cmd read;
  EXPECT_EQ(BytesOf(command).size(), sizeof(read));
  memcpy(&read, BytesOf(command).data(), sizeof(read));
  return read;
}

TEST(NvmeCommand, HasTheLayoutOfTheKernelsHeader) {
  EXPECT_EQ(sizeof(NvmeCommand), sizeof(nvme_uring_cmd));
#define EXPECT_SAME_FIELD(ours, kernels)                                     \
  EXPECT_EQ(offsetof(NvmeCommand, ours), offsetof(nvme_uring_cmd, kernels)); \
  EXPECT_EQ(sizeof(NvmeCommand::ours), sizeof(nvme_uring_cmd::kernels))
  EXPECT_SAME_FIELD(opcode, opcode);
  EXPECT_SAME_FIELD(flags, flags);
  EXPECT_SAME_FIELD(reserved1, rsvd1);
  EXPECT_SAME_FIELD(nsid, nsid);
  EXPECT_SAME_FIELD(cdw2, cdw2);
  EXPECT_SAME_FIELD(cdw3, cdw3);
  EXPECT_SAME_FIELD(metadata, metadata);
  EXPECT_SAME_FIELD(addr, addr);
  EXPECT_SAME_FIELD(metadata_len, metadata_len);
  EXPECT_SAME_FIELD(data_len, data_len);
  EXPECT_SAME_FIELD(cdw10, cdw10);
  EXPECT_SAME_FIELD(cdw11, cdw11);
  EXPECT_SAME_FIELD(cdw12, cdw12);
  EXPECT_SAME_FIELD(cdw13, cdw13);
  EXPECT_SAME_FIELD(cdw14, cdw14);
  EXPECT_SAME_FIELD(cdw15, cdw15);
  EXPECT_SAME_FIELD(timeout_ms, timeout_ms);
  EXPECT_SAME_FIELD(reserved2, rsvd2);
#undef EXPECT_SAME_FIELD
}

TEST(NvmeCommand, TheKernelsNumberOfTheCommandIsItsOwn) {
  EXPECT_EQ(kNvmeIo, NVME_URING_CMD_IO);
}

TEST(NvmeCommand, AReadNamesItsFirstBlockAndOneLessThanTheirNumber) {
  std::array<std::byte, 4096> memory;
  const nvme_uring_cmd read = AsKernelReads(NvmeReadCommand(
      {.nsid = 7, .lba = 0x1234'5678'9abc, .count = 8}, memory));
  EXPECT_EQ(read.opcode, 0x02);
  EXPECT_EQ(read.flags, 0);
  EXPECT_EQ(read.nsid, 7u);
  EXPECT_EQ(read.addr, reinterpret_cast<uintptr_t>(memory.data()));
  EXPECT_EQ(read.data_len, 4096u);
  EXPECT_EQ(read.cdw10, 0x5678'9abcu);
  EXPECT_EQ(read.cdw11, 0x1234u);
  EXPECT_EQ(read.cdw12, 7u);
  EXPECT_EQ(read.metadata, 0u);
  EXPECT_EQ(read.metadata_len, 0u);
  EXPECT_EQ(read.cdw13 | read.cdw14 | read.cdw15, 0u);
  EXPECT_EQ(read.timeout_ms, 0u);
}

TEST(NvmeCommand, AWriteIsTheSameWithItsOwnOpcode) {
  const std::array<std::byte, 512> memory = {};
  const nvme_uring_cmd write = AsKernelReads(
      NvmeWriteCommand({.nsid = 1, .lba = 3, .count = 1}, memory));
  EXPECT_EQ(write.opcode, 0x01);
  EXPECT_EQ(write.addr, reinterpret_cast<uintptr_t>(memory.data()));
  EXPECT_EQ(write.data_len, 512u);
  EXPECT_EQ(write.cdw10, 3u);
  EXPECT_EQ(write.cdw11, 0u);
  EXPECT_EQ(write.cdw12, 0u);
}

// The number of blocks shares its word with flags, from bit 16 on.
TEST(NvmeCommand, TheMostBlocksSetNoFlag) {
  std::array<std::byte, 8> memory;
  const nvme_uring_cmd read = AsKernelReads(NvmeReadCommand(
      {.nsid = 1, .lba = UINT64_MAX, .count = kMostNvmeBlocks}, memory));
  EXPECT_EQ(read.cdw10, UINT32_MAX);
  EXPECT_EQ(read.cdw11, UINT32_MAX);
  EXPECT_EQ(read.cdw12, 0xffffu);
}

TEST(NvmeCommandDeathTest, NoBlocksOrTooManyAreAMistake) {
  std::array<std::byte, 8> memory;
  EXPECT_DEATH(NvmeReadCommand({.nsid = 1, .lba = 0, .count = 0}, memory),
               "for 0 blocks");
  EXPECT_DEATH(NvmeReadCommand({.nsid = 1, .lba = 0, .count = 65'537}, memory),
               "for 65537 blocks");
}

TEST(NvmeCommand, AFlushIsForTheNamespace) {
  const nvme_uring_cmd flush = AsKernelReads(NvmeFlushCommand(2));
  EXPECT_EQ(flush.opcode, 0x00);
  EXPECT_EQ(flush.nsid, 2u);
  EXPECT_EQ(flush.data_len, 0u);
}

}  // namespace
}  // namespace ringway
