// SPDX-License-Identifier: Apache-2.0
//
// CRC-32C, the checksum of iSCSI (RFC 3720, 12.1), ext4 and others. Abseil has
// it from 2023 on; the oldest that this builds with has not.

#ifndef RINGWAY_FS_LOG_CRC32C_H_
#define RINGWAY_FS_LOG_CRC32C_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/core/compiler.h"

namespace ringway::fs::internal {

// The checksum of what has the checksum `crc`, 0 for nothing, and `bytes`
// behind it.
//
// Cost: about 1 ns for 2 bytes.
uint32_t ExtendCrc32c(uint32_t crc, std::span<const std::byte> bytes);

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_LOG_CRC32C_H_
