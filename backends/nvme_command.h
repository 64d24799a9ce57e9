// SPDX-License-Identifier: Apache-2.0
//
// NvmeCommand: the arguments of an NVMe command that io_uring passes through to
// a device (IORING_OP_URING_CMD on /dev/ngXnY), past file system and block
// layer. Encoding only; fs/nvme.h has the operations of tasks.
//
//   const NvmeCommand read = NvmeReadCommand({.nsid = 1, .lba = 0, .count = 8},
//                                            memory);
//   PrepareUringCommand(op, fd, kNvmeIo, BytesOf(read));
//
// A command has 72 bytes, so it needs UringOptions::large_entries.

#ifndef RINGWAY_BACKENDS_NVME_COMMAND_H_
#define RINGWAY_BACKENDS_NVME_COMMAND_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/core/compiler.h"

namespace ringway {

// struct nvme_uring_cmd of <linux/nvme_ioctl.h> (Linux 5.19): fields of the
// NVMe base specification's command, "Common Command Format".
struct NvmeCommand {
  uint8_t opcode = 0;
  uint8_t flags = 0;
  uint16_t reserved1 = 0;
  uint32_t nsid = 0;  // the namespace
  uint32_t cdw2 = 0;
  uint32_t cdw3 = 0;
  uint64_t metadata = 0;
  uint64_t addr = 0;
  uint32_t metadata_len = 0;
  uint32_t data_len = 0;  // in bytes
  uint32_t cdw10 = 0;
  uint32_t cdw11 = 0;
  uint32_t cdw12 = 0;
  uint32_t cdw13 = 0;
  uint32_t cdw14 = 0;
  uint32_t cdw15 = 0;
  uint32_t timeout_ms = 0;  // 0: the driver's
  uint32_t reserved2 = 0;
};
static_assert(sizeof(NvmeCommand) == 72);

// The command_op of an entry: NVME_URING_CMD_IO.
inline constexpr uint32_t kNvmeIo = 0xC048'4E80;

// NVMe's I/O opcodes ("NVM Command Set").
inline constexpr uint8_t kNvmeFlush = 0x00;
inline constexpr uint8_t kNvmeWrite = 0x01;
inline constexpr uint8_t kNvmeRead = 0x02;

// The most blocks of one command; the device may take fewer (MDTS).
inline constexpr uint32_t kMostNvmeBlocks = 65'536;

// Blocks of a namespace, in its own block size.
struct NvmeBlocks {
  uint32_t nsid;
  uint64_t lba;    // the first
  uint32_t count;  // 1 to kMostNvmeBlocks (checked)
};

// `memory` has the size of the blocks, less than 4 GiB (checked).
NvmeCommand NvmeReadCommand(const NvmeBlocks& blocks,
                            std::span<std::byte> memory);
NvmeCommand NvmeWriteCommand(const NvmeBlocks& blocks,
                             std::span<const std::byte> memory);
// Makes durable what the namespace has.
NvmeCommand NvmeFlushCommand(uint32_t nsid);

// For PrepareUringCommand(): `command` must outlive the operation.
inline std::span<const std::byte> BytesOf(const NvmeCommand& command) {
  return std::as_bytes(std::span(&command, 1));
}

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_NVME_COMMAND_H_
