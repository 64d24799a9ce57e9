// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/samples/copy/file_content.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "ringway/fs/direct/direct_file.h"
#include "ringway/fs/directory/temporary.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/crc32c.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/streaming/read_ahead.h"
#include "ringway/fs/streaming/write_behind.h"
#include "ringway/tools/samples/copy/path_parts.h"

namespace ringway::copy {
namespace {

using fs::DirectFile;
using fs::ReadAhead;
using fs::WriteBehind;

// Large enough for a disk that is asked for few of them at a time.
fs::StreamingOptions DirectBlocks() {
  fs::StreamingOptions options;
  options.block_bytes = size_t{1} << 20;
  return options;
}

bool IsZero(std::span<const std::byte> bytes) {
  return bytes.empty() ||
         (bytes.front() == std::byte{0} &&
          memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

size_t RoundedUp(size_t n, size_t to) { return (n + to - 1) / to * to; }

// Copies what `reader` has. The file is longer than that at the end: a direct
// write has no other length.
Task<absl::Status> Transfer(
    ReadAhead<DirectFile>& reader, WriteBehind<DirectFile>& writer,
    size_t alignment, int64_t size,
    const std::function<void(int64_t, int64_t)>& on_progress) {
  int64_t reached = 0;
  while (true) {
    auto next = reader.Next();
    const absl::StatusOr<std::span<const std::byte>> block =
        co_await std::move(next);
    if (!block.ok()) co_return block.status();
    if (block->empty()) break;
    // Memory behind a last, short block is the block's own.
    const std::span<const std::byte> whole(block->data(),
                                           RoundedUp(block->size(), alignment));
    Task<absl::Status> put =
        IsZero(*block) ? writer.Skip(static_cast<int64_t>(whole.size()))
                       : writer.Write(whole);
    const absl::Status status = co_await std::move(put);
    if (!status.ok()) co_return status;
    reached += static_cast<int64_t>(block->size());
    on_progress(reached, size);
  }
  auto finish = writer.Finish();
  co_return co_await std::move(finish);
}

// The content of `from` in the new file `path`.
Task<absl::Status> WriteDirectly(
    std::string from, std::string path, bool durable,
    const std::function<void(int64_t, int64_t)>& on_progress) {
  auto open_source = DirectFile::Open(from);
  absl::StatusOr<DirectFile> source = co_await std::move(open_source);
  if (!source.ok()) co_return source.status();
  const absl::StatusOr<fs::FileInfo> info = co_await source->Stat();
  if (!info.ok()) co_return info.status();
  fs::DirectFileOptions options;
  options.open = fs::OpenOptions::ForUpdating();
  auto open_target = DirectFile::Open(path, options);
  absl::StatusOr<DirectFile> target = co_await std::move(open_target);
  if (!target.ok()) co_return target.status();

  ReadAhead<DirectFile> reader(*source, 0, ReadAhead<DirectFile>::kToTheEnd,
                               DirectBlocks());
  WriteBehind<DirectFile> writer(*target, 0, DirectBlocks());
  Task<absl::Status> transfer = Transfer(
      reader, writer, target->alignment().offset, info->size, on_progress);
  absl::Status status = co_await std::move(transfer);
  if (status.ok()) status = co_await target->Truncate(info->size);
  if (status.ok() && durable) status = co_await target->Sync();
  if (status.ok())
    status = co_await fs::SetPermissions(path, info->permissions);
  if (status.ok()) {
    fs::FileTimes times;
    times.modified = info->modified;
    times.accessed = info->accessed;
    status = co_await fs::SetTimes(path, times);
  }
  const absl::Status closed = co_await target->Close();
  co_return status.ok() ? closed : status;
}

template <typename F>
Task<absl::StatusOr<uint32_t>> ChecksumOf(F& file) {
  ReadAhead<F> reader(file);
  uint32_t crc = 0;
  while (true) {
    auto next = reader.Next();
    const absl::StatusOr<std::span<const std::byte>> block =
        co_await std::move(next);
    if (!block.ok()) co_return block.status();
    if (block->empty()) co_return crc;
    crc = fs::internal::ExtendCrc32c(crc, *block);
  }
}

}  // namespace

Task<absl::Status> CopyDirectly(
    std::string from, std::string to, bool durable,
    std::function<void(int64_t reached, int64_t size)> on_progress) {
  auto make = fs::MakeTemporaryFile(DirectoryOf(to), "copy");
  absl::StatusOr<fs::TemporaryFile> made = co_await std::move(make);
  if (!made.ok()) co_return made.status();
  Task<absl::Status> write =
      WriteDirectly(std::move(from), made->path(), durable, on_progress);
  absl::Status status = co_await std::move(write);
  if (status.ok()) status = co_await fs::Rename(made->path(), to);
  if (!status.ok()) {
    auto remove = made->Remove();
    (co_await std::move(remove)).IgnoreError();
    co_return status;
  }
  made->Keep();
  if (!durable) co_return absl::OkStatus();
  fs::OpenOptions options;
  options.directory = true;
  absl::StatusOr<fs::File> directory =
      co_await fs::File::Open(DirectoryOf(to), options);
  if (!directory.ok()) co_return directory.status();
  co_return co_await directory->Sync();
}

Task<absl::Status> CompareContent(std::string from, std::string to) {
  absl::StatusOr<fs::File> original = co_await fs::File::Open(from);
  if (!original.ok()) co_return original.status();
  auto sum_original = ChecksumOf(*original);
  const absl::StatusOr<uint32_t> wanted = co_await std::move(sum_original);
  if (!wanted.ok()) co_return wanted.status();

  fs::DirectFileOptions options;
  options.mode = fs::DirectMode::kOptional;
  auto open_copy = DirectFile::Open(to, options);
  absl::StatusOr<DirectFile> copy = co_await std::move(open_copy);
  if (!copy.ok()) co_return copy.status();
  auto sum_copy = ChecksumOf(*copy);
  const absl::StatusOr<uint32_t> got = co_await std::move(sum_copy);
  if (!got.ok()) co_return got.status();
  if (*wanted == *got) co_return absl::OkStatus();
  co_return absl::DataLossError(
      absl::StrFormat("%s has the checksum %08x, its copy %s has %08x", from,
                      *wanted, to, *got));
}

}  // namespace ringway::copy
