// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/find_alignment.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <span>

#include "ringway/backends/prepare.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/memory/aligned_buffer.h"
#include "ringway/fs/file_ops.h"

namespace ringway::fs::internal {
namespace {

using Kind = DirectSupport::Kind;
using ReadSome = ReadTransfer<Until::kOnce>;

// Where statx does not say, unknown files are treated as if they had this.
constexpr uint32_t kUsual = 4096;
constexpr uint32_t kTried[] = {512, kUsual};

class [[nodiscard]] AlignmentOp : public FileOp {
 public:
  explicit AlignmentOp(FileCore& core) : FileOp(&core) {
    if (!usable()) return;
    PrepareStatx(*this, core.fd(), "", AT_EMPTY_PATH,
                 STATX_BASIC_STATS | STATX_DIOALIGN, &info_);
  }
  absl::StatusOr<struct statx> await_resume() const {
    absl::Status status = Status("stat of");
    return status.ok() ? absl::StatusOr<struct statx>(info_)
                       : absl::StatusOr<struct statx>(status);
  }

 private:
  struct statx info_ = {};
};

DirectSupport Found(Kind kind, DirectAlignment alignment) {
  return {.kind = kind, .alignment = alignment};
}

DirectSupport Unknown() {
  return Found(Kind::kUnknown, {.memory = kUsual, .offset = kUsual});
}

}  // namespace

Task<absl::StatusOr<DirectSupport>> FindDirectSupport(FileCore& core) {
  const absl::StatusOr<struct statx> info = co_await AlignmentOp(core);
  if (!info.ok()) co_return info.status();
  if ((info->stx_mask & STATX_DIOALIGN) == 0) {
    Task<absl::StatusOr<DirectSupport>> probe =
        ProbeAlignment(core, static_cast<int64_t>(info->stx_size));
    co_return co_await std::move(probe);
  }
  if (info->stx_dio_offset_align == 0) co_return Found(Kind::kIgnored, {});
  co_return Found(Kind::kYes, {.memory = info->stx_dio_mem_align,
                               .offset = info->stx_dio_offset_align});
}

Task<absl::StatusOr<DirectSupport>> ProbeAlignment(FileCore& core,
                                                   int64_t size) {
  if (size < 2) co_return Unknown();
  absl::StatusOr<ringway::AlignedBuffer> memory =
      ringway::AlignedBuffer::Create(3 * kUsual, 2 * kUsual);
  if (!memory.ok()) co_return memory.status();
  const std::span<std::byte> bytes = memory->span();
  const absl::StatusOr<size_t> odd =
      co_await ReadSome(&core, bytes.subspan(1, 1), /*at=*/1);
  if (odd.ok()) co_return Found(Kind::kIgnored, {});
  if (ErrnoOf(odd.status()) == EBADF) co_return Unknown();  // for writing only
  if (ErrnoOf(odd.status()) != EINVAL) co_return odd.status();
  for (const uint32_t n : kTried) {
    // Memory that is aligned to `n` and nothing more.
    const absl::StatusOr<size_t> read =
        co_await ReadSome(&core, bytes.subspan(n, n), /*at=*/0);
    if (read.ok()) co_return Found(Kind::kYes, {.memory = n, .offset = n});
    if (ErrnoOf(read.status()) != EINVAL) co_return read.status();
  }
  co_return Unknown();
}

}  // namespace ringway::fs::internal
