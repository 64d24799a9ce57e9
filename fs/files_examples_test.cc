// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/files.md, which documents_test compares, and what they
// do.

#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/direct/aligned_buffer_pool.h"
#include "ringway/fs/direct/direct_file.h"
#include "ringway/fs/directory/directory.h"
#include "ringway/fs/directory/directory_reader.h"
#include "ringway/fs/directory/temporary.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/streaming/read_ahead.h"
#include "ringway/fs/testing/fs_fixture.h"
#include "ringway/fs/watcher.h"
#include "ringway/fs/whole_file.h"
#include "ringway/net/file_sink.h"
#include "ringway/net/forward.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp.h"

namespace ringway {
namespace {

using fs::testing::AsString;
using fs::testing::Bytes;
using fs::testing::Pattern;
using fs::testing::ValueOf;

using FilesExamplesTest = fs::testing::FsTest;

// --- The examples.

// Counts the starts of a program in a file.
Task<absl::StatusOr<int>> CountStart(std::string path) {
  int n_starts = 0;
  absl::StatusOr<std::string> text = co_await fs::ReadFile(path, /*limit=*/64);
  if (text.ok() && !absl::SimpleAtoi(*text, &n_starts))
    co_return absl::DataLossError(absl::StrCat(path, " has no number"));
  if (!text.ok() && ErrnoOf(text.status()) != ENOENT) co_return text.status();
  absl::Status saved =
      co_await fs::WriteFileAtomically(path, absl::StrCat(++n_starts));
  if (!saved.ok()) co_return saved;
  co_return n_starts;
}

// The last bytes of a file.
Task<absl::StatusOr<std::string>> Tail(std::string path, int64_t n_bytes) {
  absl::StatusOr<fs::File> file = co_await fs::File::Open(path);
  if (!file.ok()) co_return file.status();
  absl::StatusOr<fs::FileInfo> info = co_await file->Stat();
  if (!info.ok()) co_return info.status();
  const int64_t n = std::min(n_bytes, info->size);
  std::string tail(static_cast<size_t>(n), '\0');
  absl::Status read = co_await file->ReadExactlyAt(
      std::as_writable_bytes(std::span(tail)), info->size - n);
  if (!read.ok()) co_return read;
  co_return tail;
}

// Sends what a client has asked for, if it is below `root`.
Task<absl::Status> SendBelow(fs::Directory& root, net::TcpStream& stream,
                             std::string path_from_client) {
  absl::StatusOr<fs::File> file = co_await root.OpenFile(path_from_client);
  if (!file.ok()) co_return file.status();  // EXDEV: it leads out
  absl::StatusOr<fs::FileInfo> info = co_await file->Stat();
  if (!info.ok()) co_return info.status();
  absl::StatusOr<uint64_t> sent = co_await stream.SendFile(
      file->fd(), 0, static_cast<uint64_t>(info->size));
  co_return sent.status();
}

// Receives a file, which appears when it is whole and safe.
Task<absl::Status> ReceiveFile(net::TcpStream& stream, std::string directory,
                               std::string path) {
  absl::StatusOr<fs::TemporaryFile> file =
      co_await fs::MakeTemporaryFile(directory);
  if (!file.ok()) co_return file.status();
  absl::StatusOr<uint64_t> received =
      co_await net::Forward(stream.reader(), net::FileSink(file->file().fd()));
  if (!received.ok()) co_return received.status();
  absl::Status synced = co_await file->file().Sync();
  if (!synced.ok()) co_return synced;
  absl::Status renamed = co_await fs::Rename(file->path(), path);
  if (renamed.ok()) file->Keep();
  co_return renamed;
}

Task<absl::StatusOr<int>> CountLines(std::string path) {
  absl::StatusOr<fs::File> file = co_await fs::File::Open(path);
  if (!file.ok()) co_return file.status();
  fs::ReadAhead reader(*file);
  int n_lines = 0;
  while (true) {
    absl::StatusOr<std::span<const std::byte>> block = co_await reader.Next();
    if (!block.ok()) co_return block.status();
    if (block->empty()) co_return n_lines;
    n_lines += static_cast<int>(
        std::count(block->begin(), block->end(), std::byte{'\n'}));
  }
}

Task<absl::StatusOr<int>> CountEntries(std::string path) {
  absl::StatusOr<fs::DirectoryReader> reader = co_await fs::ReadDirectory(path);
  if (!reader.ok()) co_return reader.status();
  for (int n_entries = 0;; ++n_entries) {
    absl::StatusOr<std::optional<fs::DirectoryEntry>> entry =
        co_await reader->Next();
    if (!entry.ok()) co_return entry.status();
    if (!entry->has_value()) co_return n_entries;
  }
}

// Orders that are applied once, also after a crash.
struct Orders {
  std::optional<fs::AppendLog> log;
  int n_applied = 0;

  Task<absl::Status> Open(std::string directory) {
    absl::StatusOr<fs::AppendLog> opened =
        co_await fs::AppendLog::Open(directory);
    if (!opened.ok()) co_return opened.status();
    log = *std::move(opened);
    fs::LogReader old = log->Read();
    while (true) {
      absl::StatusOr<std::optional<fs::LogEntry>> entry = co_await old.Next();
      if (!entry.ok()) co_return entry.status();
      if (!entry->has_value()) co_return absl::OkStatus();
      ++n_applied;
    }
  }

  // Ends when the order survives a crash of the machine.
  Task<absl::Status> Take(std::string order) {
    absl::StatusOr<uint64_t> number = co_await log->Append(order);
    if (number.ok()) ++n_applied;
    co_return number.status();
  }
};

// Reads a part of a large file that nobody will read again.
Task<absl::StatusOr<size_t>> ReadPastTheCache(std::string path,
                                              std::span<std::byte> to,
                                              int64_t offset) {
  fs::DirectFileOptions options;
  options.mode = fs::DirectMode::kOptional;  // on tmpfs, too
  absl::StatusOr<fs::DirectFile> file =
      co_await fs::DirectFile::Open(path, options);
  if (!file.ok()) co_return file.status();
  absl::StatusOr<std::unique_ptr<fs::AlignedBufferPool>> pool =
      fs::AlignedBufferPool::Create();
  if (!pool.ok()) co_return pool.status();
  co_return co_await file->ReadRangeAt(to, offset, **pool);
}

// Ends when the file `name` in `directory` has been replaced or written.
Task<absl::Status> WaitForChange(std::string directory, std::string name) {
  absl::StatusOr<fs::Watcher> watcher = co_await fs::Watcher::Create();
  if (!watcher.ok()) co_return watcher.status();
  absl::StatusOr<int> watch =
      co_await watcher->Add(directory, IN_CLOSE_WRITE | IN_MOVED_TO);
  if (!watch.ok()) co_return watch.status();
  while (true) {
    absl::StatusOr<fs::WatchEvent> event = co_await watcher->Next();
    if (!event.ok()) co_return event.status();
    if (event->name == name || event->overflow()) co_return absl::OkStatus();
  }
}

// --- What they do.

TEST_P(FilesExamplesTest, StartsAreCounted) {
  auto main = [&]() -> Task<void> {
    for (int n = 1; n <= 3; ++n)
      EXPECT_EQ(ValueOf(co_await CountStart(PathOf("starts"))), n);
    co_await Make("starts", "many");
    EXPECT_TRUE(
        absl::IsDataLoss((co_await CountStart(PathOf("starts"))).status()));
  };
  Run(main());
}

TEST_P(FilesExamplesTest, TheTailIsTheEnd) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "one two three");
    EXPECT_EQ(ValueOf(co_await Tail(path, 5)), "three");
    EXPECT_EQ(ValueOf(co_await Tail(path, 100)), "one two three");
  };
  Run(main());
}

TEST_P(FilesExamplesTest, NothingLeadsOutOfTheRoot) {
  auto main = [&]() -> Task<void> {
    co_await Make("secret", "secret");
    EXPECT_EQ(co_await fs::MakeDirectory(PathOf("root")), absl::OkStatus());
    co_await Make("root/page", "hello");
    EXPECT_EQ(co_await fs::Symlink("../secret", PathOf("root/link")),
              absl::OkStatus());
    fs::Directory root = ValueOf(co_await fs::Directory::Open(PathOf("root")));
    auto pair = ValueOf(net::StreamPair());
    for (const char* path : {"../secret", "link", "/etc/passwd"}) {
      const absl::Status sent = co_await SendBelow(root, pair.first, path);
      EXPECT_EQ(ErrnoOf(sent), EXDEV) << path << ": " << sent;
    }
    EXPECT_EQ(co_await SendBelow(root, pair.first, "page"), absl::OkStatus());
    EXPECT_EQ(co_await net::testing::ReadExactly(pair.second, 5), "hello");
  };
  Run(main());
}

TEST_P(FilesExamplesTest, AReceivedFileIsWhole) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(net::StreamPair());
    const std::string content = AsString(Pattern(10'000, 1));
    JoinHandle<absl::Status> receiving =
        Spawn(ReceiveFile(pair.first, PathOf("."), PathOf("file")));
    EXPECT_EQ(co_await pair.second.Write(Bytes(content)), absl::OkStatus());
    EXPECT_FALSE((co_await fs::Stat(PathOf("file"))).ok());
    EXPECT_EQ(co_await pair.second.Close(), absl::OkStatus());
    EXPECT_EQ(co_await receiving, absl::OkStatus());
    EXPECT_EQ(co_await ContentOf(PathOf("file")), content);
    EXPECT_EQ(ValueOf(co_await CountEntries(PathOf("."))), 1);
  };
  Run(main());
}

TEST_P(FilesExamplesTest, LinesAreCounted) {
  auto main = [&]() -> Task<void> {
    std::string text;
    for (int i = 0; i < 100'000; ++i) absl::StrAppend(&text, i, "\n");
    const std::string path = co_await Make("file", text);
    EXPECT_EQ(ValueOf(co_await CountLines(path)), 100'000);
  };
  Run(main());
}

TEST_P(FilesExamplesTest, OrdersAreThereAfterARestart) {
  auto main = [&]() -> Task<void> {
    for (int n = 0; n < 3; ++n) {
      Orders orders;
      EXPECT_EQ(co_await orders.Open(PathOf("orders")), absl::OkStatus());
      EXPECT_EQ(orders.n_applied, n);
      EXPECT_EQ(co_await orders.Take("tea"), absl::OkStatus());
      EXPECT_EQ(co_await orders.log->Close(), absl::OkStatus());
    }
  };
  Run(main());
}

TEST_P(FilesExamplesTest, DirectReadsNeedNotBeAligned) {
  auto main = [&]() -> Task<void> {
    const std::string content = AsString(Pattern(10'000, 1));
    const std::string path = co_await Make("file", content);
    std::array<std::byte, 1'000> part;
    EXPECT_EQ(ValueOf(co_await ReadPastTheCache(path, part, 4'097)), 1'000u);
    EXPECT_EQ(AsString(part), content.substr(4'097, 1'000));
  };
  Run(main());
}

TEST_P(FilesExamplesTest, AChangeIsSeen) {
  auto main = [&]() -> Task<void> {
    JoinHandle<absl::Status> waiting =
        Spawn(WaitForChange(PathOf("."), "app.conf"));
    for (int i = 0; i < 1'000 && !waiting.done(); ++i) {
      co_await Make("other", "x");
      co_await Make("app.conf", absl::StrCat(i));
    }
    const absl::Status changed = co_await waiting;
    EXPECT_TRUE(changed.ok() || absl::IsUnimplemented(changed)) << changed;
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FilesExamplesTest);

}  // namespace
}  // namespace ringway
