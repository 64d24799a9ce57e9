// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/direct_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/direct/align_range.h"
#include "ringway/fs/direct/find_alignment.h"

namespace ringway::fs {
namespace {

using internal::DirectCore;
using internal::DirectSupport;
using internal::FileCore;
using Kind = DirectSupport::Kind;

absl::Status NotDirect(const std::string& path, const char* why) {
  return absl::FailedPreconditionError(
      absl::StrCat("direct I/O is required for ", path, ", but ", why));
}

// Why a file must not be opened, by what was found of it.
absl::Status CheckRequired(const FileCore& core, const DirectSupport& support,
                           const DirectFileOptions& options) {
  if (options.mode != DirectMode::kRequired) return absl::OkStatus();
  switch (support.kind) {
    case Kind::kYes:
      break;
    case Kind::kIgnored:
      return NotDirect(core.path(), "its file system ignores O_DIRECT");
    case Kind::kUnknown:
      return NotDirect(core.path(),
                       "its file system does not tell whether it has that, and "
                       "there is nothing to be read to find out");
  }
  return absl::OkStatus();
}

absl::Status CheckPolling(Loop& loop, const std::string& path,
                          const DirectFileOptions& options) {
  if (options.polling != DirectPolling::kRequired ||
      loop.backend().info().polls_direct_io) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "polling is required for ", path, ", but the backend (",
      loop.backend().name(), ") does not poll: UringOptions::direct_polling"));
}

absl::Status CheckPool(const AlignedBufferPool& pool,
                       const DirectAlignment& alignment) {
  const AlignedBufferPoolOptions& options = pool.options();
  if (options.alignment >= alignment.memory &&
      options.buffer_bytes % alignment.offset == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "a pool's buffers of ", options.buffer_bytes, " bytes at multiples of ",
      options.alignment, " do not fit direct I/O at multiples of ",
      alignment.memory, ", in lengths of multiples of ", alignment.offset));
}

}  // namespace

Task<absl::StatusOr<DirectFile>> DirectFile::Open(std::string path,
                                                  DirectFileOptions options) {
  if (absl::Status s = CheckDirectFileOptions(options); !s.ok()) co_return s;
  options.open.direct = options.mode != DirectMode::kOff;
  absl::StatusOr<File> file = co_await File::Open(path, options.open);
  if (options.open.direct && ErrnoOf(file.status()) == EINVAL) {
    if (options.mode == DirectMode::kRequired)
      co_return NotDirect(path, "its file system refuses O_DIRECT");
    options.open.direct = false;
    file = co_await File::Open(path, options.open);
  }
  if (!file.ok()) co_return file.status();
  FileCore& core = *file->core_;
  if (absl::Status s = CheckPolling(core.loop(), path, options); !s.ok())
    co_return s;
  DirectSupport support = {.kind = Kind::kIgnored, .alignment = {}};
  if (options.open.direct) {
    Task<absl::StatusOr<DirectSupport>> find =
        internal::FindDirectSupport(core);
    absl::StatusOr<DirectSupport> found = co_await std::move(find);
    if (!found.ok()) co_return found.status();
    support = *found;
    if (absl::Status s = CheckRequired(core, support, options); !s.ok())
      co_return s;
  }
  co_return DirectFile(std::make_unique<DirectCore>(
      core, support.alignment, support.kind == Kind::kYes, options));
}

DirectFile& DirectFile::operator=(DirectFile&& other) noexcept {
  if (this != &other) {
    if (core_ != nullptr) FileCore::Abandon(std::move(core_));
    core_ = std::move(other.core_);
  }
  return *this;
}

DirectFile::~DirectFile() {
  if (core_ != nullptr) FileCore::Abandon(std::move(core_));
}

DirectReadOp DirectFile::ReadAt(std::span<std::byte> buffer, int64_t offset) {
  return {core_.get(), buffer, offset};
}

DirectWriteOp DirectFile::WriteAt(std::span<const std::byte> bytes,
                                  int64_t offset) {
  return {core_.get(), bytes, offset};
}

Task<absl::StatusOr<size_t>> DirectFile::ReadRangeAt(std::span<std::byte> bytes,
                                                     int64_t offset,
                                                     AlignedBufferPool& pool) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  if (offset < 0 || bytes.size() > static_cast<uint64_t>(kMost - offset)) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("direct read of ", path(), " of ", bytes.size(),
                     " bytes at offset ", offset, ": no such range"));
  }
  if (absl::Status s = CheckPool(pool, alignment()); !s.ok()) co_return s;
  absl::StatusOr<AlignedBuffer> buffer = co_await pool.Acquire();
  if (!buffer.ok()) co_return buffer.status();
  size_t n_done = 0;
  while (n_done < bytes.size()) {
    const std::span<std::byte> rest = bytes.subspan(n_done);
    const AlignedRange range =
        AlignRange(offset + static_cast<int64_t>(n_done),
                   static_cast<int64_t>(rest.size()), alignment().offset);
    const size_t n_wanted =
        std::min<uint64_t>(range.length, buffer->capacity());
    const absl::StatusOr<size_t> n_read =
        co_await ReadAt(buffer->bytes().first(n_wanted), range.offset);
    if (!n_read.ok()) co_return n_read.status();
    const auto before = static_cast<size_t>(
        offset + static_cast<int64_t>(n_done) - range.offset);
    if (*n_read <= before) break;  // the file ends before it
    const size_t n = std::min(*n_read - before, rest.size());
    memcpy(rest.data(), buffer->data() + before, n);
    n_done += n;
    if (*n_read < n_wanted) break;
  }
  co_return n_done;
}

DirectAlignment DirectFile::alignment() const {
  return core_ != nullptr ? core_->alignment() : DirectAlignment();
}

DirectFileStats DirectFile::stats() const {
  return core_ != nullptr ? core_->stats() : DirectFileStats();
}

const std::string& DirectFile::path() const {
  static const std::string none;
  return core_ != nullptr ? core_->path() : none;
}

}  // namespace ringway::fs
