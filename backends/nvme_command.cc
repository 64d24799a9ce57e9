// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/nvme_command.h"

#include <limits>

#include "ringway/core/check.h"

namespace ringway {
namespace {

NvmeCommand TransferCommand(uint8_t opcode, const NvmeBlocks& blocks,
                            const void* data, size_t n_bytes) {
  RINGWAY_CHECK(blocks.count >= 1 && blocks.count <= kMostNvmeBlocks,
                "an NVMe command for %u blocks", blocks.count);
  RINGWAY_CHECK(n_bytes <= std::numeric_limits<uint32_t>::max(),
                "an NVMe command with %zu bytes", n_bytes);
  NvmeCommand command;
  command.opcode = opcode;
  command.nsid = blocks.nsid;
  command.addr = reinterpret_cast<uintptr_t>(data);
  command.data_len = static_cast<uint32_t>(n_bytes);
  command.cdw10 = static_cast<uint32_t>(blocks.lba);
  command.cdw11 = static_cast<uint32_t>(blocks.lba >> 32);
  command.cdw12 = blocks.count - 1;  // "0's based", in the lower 16 bits
  return command;
}

}  // namespace

NvmeCommand NvmeReadCommand(const NvmeBlocks& blocks,
                            std::span<std::byte> memory) {
  return TransferCommand(kNvmeRead, blocks, memory.data(), memory.size());
}

NvmeCommand NvmeWriteCommand(const NvmeBlocks& blocks,
                             std::span<const std::byte> memory) {
  return TransferCommand(kNvmeWrite, blocks, memory.data(), memory.size());
}

NvmeCommand NvmeFlushCommand(uint32_t nsid) {
  NvmeCommand command;
  command.opcode = kNvmeFlush;
  command.nsid = nsid;
  return command;
}

}  // namespace ringway
