// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/file.h"

#include <fcntl.h>
#include <limits.h>

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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::FsTest;
using testing::Pattern;
using testing::ValueOf;

using FileTest = FsTest;

// --- Opening and closing

TEST_P(FileTest, WhatIsWrittenIsRead) {
  auto main = [&]() -> Task<void> {
    const std::string path = PathOf("file");
    const std::vector<std::byte> bytes = Pattern(300'000, 1);
    {
      File file = ValueOf(co_await File::Open(path, OpenOptions::ForWriting()));
      EXPECT_EQ(file.path(), path);
      EXPECT_TRUE((co_await file.WriteAll(bytes)).ok());
      EXPECT_TRUE((co_await file.Sync()).ok());
      EXPECT_TRUE((co_await file.Close()).ok());
    }
    File file = ValueOf(co_await File::Open(path));
    std::vector<std::byte> read(bytes.size());
    EXPECT_TRUE((co_await file.ReadExactlyAt(read, 0)).ok());
    EXPECT_EQ(read, bytes);
    EXPECT_EQ(ValueOf(co_await file.Stat()).size, 300'000);
  };
  Run(main());
}

struct BadPath {
  const char* what;
  std::string path;
  int errnum;
};

TEST_P(FileTest, WhatCannotBeOpenedIsNamedExactly) {
  auto main = [&]() -> Task<void> {
    const std::string file = co_await Make("file", "x");
    const std::vector<BadPath> cases = {
        {"none", PathOf("none"), ENOENT},
        {"below a file", file + "/below", ENOTDIR},
        {"long name", PathOf(std::string(NAME_MAX + 1, 'n')), ENAMETOOLONG},
        {"empty", "", ENOENT},
    };
    for (const BadPath& bad : cases) {
      SCOPED_TRACE(bad.what);
      const absl::Status status = (co_await File::Open(bad.path)).status();
      EXPECT_EQ(ErrnoOf(status), bad.errnum) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), bad.path)) << status;
    }
    OpenOptions write;
    write.write = true;
    const std::string directory = file.substr(0, file.rfind('/'));
    EXPECT_EQ(ErrnoOf((co_await File::Open(directory, write)).status()),
              EISDIR);
    OpenOptions only_new = OpenOptions::ForWriting();
    only_new.create_new = true;
    EXPECT_EQ(ErrnoOf((co_await File::Open(file, only_new)).status()), EEXIST);
    OpenOptions only_directory;
    only_directory.directory = true;
    EXPECT_EQ(ErrnoOf((co_await File::Open(file, only_directory)).status()),
              ENOTDIR);
    const std::string nul("/tmp/a\0b", 8);
    EXPECT_TRUE(absl::IsInvalidArgument((co_await File::Open(nul)).status()));
    EXPECT_EQ(co_await ContentOf(file), "x") << "a failed open changed it";
  };
  Run(main());
}

TEST_P(FileTest, DroppingItClosesIt) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    const size_t before = OpenFds();
    {
      File first = ValueOf(co_await File::Open(path));
      File second = ValueOf(co_await File::Open(path));
      first = std::move(second);
    }
    for (int i = 0; i < 1'000 && OpenFds() != before; ++i)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_EQ(OpenFds(), before);
  };
  Run(main());
}

// TearDown() counts the fds.
TEST_P(FileTest, TheEndOfTheLoopClosesIt) {
  std::optional<File> kept;
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    kept = ValueOf(co_await File::Open(path));
    File dropped = ValueOf(co_await File::Open(path));
  };
  Run(main());
  DestroyExecutor();
  EXPECT_EQ(kept->fd(), -1);
}

// What the page cache has is read at once, the rest by an operation.
TEST_P(FileTest, AReadOfWhatIsPartlyCachedIsWhole) {
  // The first is more than epoll reads at once.
  static constexpr size_t kLengths[] = {600'000, 50'000};
  auto main = [&]() -> Task<void> {
    const std::vector<std::byte> content = Pattern(kLengths[0], 1);
    File file = ValueOf(
        co_await File::Open(PathOf("file"), OpenOptions::ForUpdating()));
    EXPECT_TRUE((co_await file.WriteAllAt(content, 0)).ok());
    for (const size_t n : kLengths) {
      for (size_t cached = 0; cached < n; cached += n / 5) {
        EXPECT_TRUE((co_await file.Sync()).ok());
        const auto begin = static_cast<int64_t>(cached);
        EXPECT_TRUE((co_await file.Advise(begin, 0, POSIX_FADV_DONTNEED)).ok());
        std::vector<std::byte> once(n), all(n);
        EXPECT_EQ(ValueOf(co_await file.ReadAt(once, 0)), n);
        EXPECT_TRUE((co_await file.ReadExactlyAt(all, 0)).ok());
        EXPECT_TRUE(std::equal(once.begin(), once.end(), content.begin()));
        EXPECT_EQ(all, once);
      }
    }
  };
  Run(main());
}

// A task that only reads what is cached never waits; others run all the same.
TEST_P(FileTest, ReadsOfWhatIsCachedLeaveRoomForOthers) {
  auto main = [&]() -> Task<void> {
    File file = ValueOf(
        co_await File::Open(co_await Make("file", std::string(50'000, 'x'))));
    int ticks = 0;
    auto tick = [&ticks]() -> Task<void> {
      for (; ticks < 5; ++ticks) co_await net::testing::TurnTimes(1);
    };
    JoinHandle<void> ticking = Spawn(tick());
    std::vector<std::byte> buffer(50'000);
    int64_t n_reads = 0;
    for (; ticks < 5 && n_reads < 2'000'000; ++n_reads)
      EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer, 0)), buffer.size());
    EXPECT_EQ(ticks, 5) << n_reads << " reads";
    (co_await ticking).IgnoreError();
  };
  Run(main());
}

using FileEndTest = testing::FsEndTest;

// The open may have ended while nobody has taken its fd yet.
TEST_P(FileEndTest, LeavesNoFdOfAnOpenHoweverFarItHasCome) {
  const std::string path = PathOf("file");
  EndAfterEachTurn([&]() -> Task<void> {
    const absl::StatusOr<File> file =
        co_await File::Open(path, OpenOptions::ForWriting());
    if (!file.ok()) co_return;  // it was cancelled
    const absl::StatusOr<File> other = co_await File::Open(path);
  });
}

TEST_P(FileTest, AClosedFileSaysSo) {
  auto main = [&]() -> Task<void> {
    File file = ValueOf(co_await File::Open(co_await Make("file", "x")));
    EXPECT_TRUE((co_await file.Close()).ok());
    std::array<std::byte, 4> buffer;
    std::vector<absl::Status> statuses;
    statuses.push_back((co_await file.Read(buffer)).status());
    statuses.push_back(co_await file.ReadExactlyAt(buffer, 0));
    statuses.push_back(co_await file.WriteAll(buffer));
    statuses.push_back(co_await file.Sync());
    statuses.push_back(co_await file.Truncate(0));
    statuses.push_back((co_await file.Stat()).status());
    statuses.push_back(co_await file.Close());
    for (const absl::Status& status : statuses)
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_EQ(file.fd(), -1);
  };
  Run(main());
}

TEST_P(FileTest, AnOpenThatIsCancelledLeavesNothing) {
  auto open = [](std::string path) -> Task<absl::Status> {
    co_return (co_await File::Open(path)).status();
  };
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "x");
    for (int i = 0; i < 50; ++i) {
      JoinHandle<absl::Status> opening = Spawn(open(path));
      if (i % 2 == 0) (co_await Sleep(absl::ZeroDuration())).IgnoreError();
      opening.Cancel();
      const absl::Status status = co_await opening;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    }
  };
  Run(main());
}

// --- Positions and offsets

TEST_P(FileTest, OffsetsDoNotMoveThePosition) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "0123456789");
    OpenOptions update = OpenOptions::ForUpdating();
    File file = ValueOf(co_await File::Open(path, update));
    std::array<std::byte, 3> buffer;
    EXPECT_EQ(ValueOf(co_await file.Read(buffer)), 3u);
    EXPECT_EQ(AsString(buffer), "012");
    EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer, 7)), 3u);
    EXPECT_EQ(AsString(buffer), "789");
    EXPECT_EQ(ValueOf(co_await file.WriteAt(Bytes("AB"), 5)), 2u);
    EXPECT_TRUE((co_await file.WriteAll(Bytes("x"))).ok());
    EXPECT_TRUE((co_await file.ReadExactly(buffer)).ok());
    EXPECT_EQ(AsString(buffer), "4AB");
    EXPECT_EQ(co_await ContentOf(path), "012x4AB789");
  };
  Run(main());
}

TEST_P(FileTest, AppendingIgnoresOffsets) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "begin");
    File file = ValueOf(co_await File::Open(path, OpenOptions::ForAppending()));
    EXPECT_TRUE((co_await file.WriteAllAt(Bytes(", then"), 0)).ok());
    EXPECT_TRUE((co_await file.WriteAll(Bytes(", end"))).ok());
    EXPECT_EQ(co_await ContentOf(path), "begin, then, end");
  };
  Run(main());
}

TEST_P(FileTest, TheEndIsZeroOrOutOfRange) {
  auto main = [&]() -> Task<void> {
    File file = ValueOf(co_await File::Open(co_await Make("file", "12345")));
    std::array<std::byte, 8> buffer;
    EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer, 5)), 0u);
    EXPECT_EQ(ValueOf(co_await file.ReadAt(buffer, int64_t{1} << 40)), 0u);
    EXPECT_EQ(ValueOf(co_await file.ReadAt({}, 0)), 0u);
    const absl::Status status = co_await file.ReadExactlyAt(buffer, 2);
    EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "offset 5, 5 bytes"))
        << status;
    EXPECT_TRUE(absl::IsOutOfRange(co_await file.ReadExactly(buffer)));
  };
  Run(main());
}

TEST_P(FileTest, ReadingWhatIsNotForThatIsAnError) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "12345");
    std::array<std::byte, 8> buffer = {};
    File reader = ValueOf(co_await File::Open(path));
    const absl::Status written = co_await reader.WriteAllAt(buffer, 3);
    EXPECT_EQ(ErrnoOf(written), EBADF) << written;
    EXPECT_TRUE(absl::StrContains(written.message(), path + " at offset 3"))
        << written;
    File writer =
        ValueOf(co_await File::Open(path, OpenOptions::ForAppending()));
    EXPECT_EQ(ErrnoOf((co_await writer.ReadAt(buffer, 0)).status()), EBADF);
    File directory =
        ValueOf(co_await File::Open(path.substr(0, path.rfind('/'))));
    EXPECT_EQ(ErrnoOf((co_await directory.Read(buffer)).status()), EISDIR);
  };
  Run(main());
}

// --- Vectors

TEST_P(FileTest, MoreBuffersThanTheKernelTakesAreTransferredInOrder) {
  auto main = [&]() -> Task<void> {
    constexpr size_t kParts = 5'431;  // IOV_MAX is 1,024
    const std::string path = PathOf("file");
    const std::vector<std::byte> bytes = Pattern(kParts * 3, 1);
    std::vector<std::span<const std::byte>> parts;
    for (size_t i = 0; i < kParts; ++i) {
      parts.push_back(std::span(bytes).subspan(i * 3, 3));
      if (i % 7 == 0) parts.emplace_back();  // empty
    }
    OpenOptions update = OpenOptions::ForUpdating();
    File file = ValueOf(co_await File::Open(path, update));
    EXPECT_TRUE((co_await file.WritevAllAt(parts, 10)).ok());
    EXPECT_EQ(ValueOf(co_await file.Stat()).size,
              static_cast<int64_t>(bytes.size()) + 10);
    std::vector<std::byte> read(bytes.size());
    std::vector<std::span<std::byte>> buffers;
    for (size_t i = 0; i < bytes.size(); i += 11) {
      buffers.push_back(
          std::span(read).subspan(i, std::min<size_t>(11, read.size() - i)));
    }
    EXPECT_TRUE((co_await file.ReadvExactlyAt(buffers, 10)).ok());
    EXPECT_EQ(read, bytes);
    EXPECT_EQ(ValueOf(co_await file.ReadvAt(
                  buffers, static_cast<int64_t>(bytes.size()) + 10)),
              0u);
    EXPECT_TRUE(absl::IsOutOfRange(co_await file.ReadvExactlyAt(buffers, 11)));
  };
  Run(main());
}

TEST_P(FileTest, NothingIsTransferredAtOnce) {
  auto main = [&]() -> Task<void> {
    File file = ValueOf(co_await File::Open(co_await Make("file", "12345")));
    EXPECT_EQ(ValueOf(co_await file.ReadvAt({}, 0)), 0u);
    EXPECT_TRUE((co_await file.WritevAllAt({}, 0)).ok());
    EXPECT_TRUE((co_await file.WriteAll({})).ok());
  };
  Run(main());
}

// --- The file itself

TEST_P(FileTest, IsCutOffAndExtended) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "0123456789");
    File file = ValueOf(co_await File::Open(path, OpenOptions::ForUpdating()));
    EXPECT_TRUE((co_await file.Truncate(4)).ok());
    EXPECT_EQ(co_await ContentOf(path), "0123");
    EXPECT_TRUE((co_await file.Truncate(6)).ok());
    EXPECT_EQ(co_await ContentOf(path), std::string("0123\0\0", 6));
    EXPECT_EQ(ErrnoOf(co_await file.Truncate(-1)), EINVAL);
    EXPECT_TRUE((co_await file.Allocate(0, 4'096)).ok());
    EXPECT_EQ(ValueOf(co_await file.Stat()).size, 4'096);
  };
  Run(main());
}

TEST_P(FileTest, StatTellsWhatItIs) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "12345");
    File file = ValueOf(co_await File::Open(path));
    const FileInfo info = ValueOf(co_await file.Stat());
    EXPECT_TRUE(info.is_regular());
    EXPECT_EQ(info.size, 5);
    EXPECT_EQ(info.links, 1u);
    File directory =
        ValueOf(co_await File::Open(path.substr(0, path.rfind('/'))));
    EXPECT_TRUE(ValueOf(co_await directory.Stat()).is_directory());
  };
  Run(main());
}

// --- Several at a time

// Each byte of the file comes from one of the writes, whatever is in flight at
// the same time, and a dropped handle is closed after the last of them.
TEST_P(FileTest, ManyTasksReadAndWriteAtTheSameTime) {
  constexpr size_t kBlock = 4'096;
  constexpr size_t kBlocks = 64;
  auto write = [](File& file, size_t i) -> Task<absl::Status> {
    const std::vector<std::byte> block =
        Pattern(kBlock, static_cast<uint32_t>(i));
    co_return co_await file.WriteAllAt(block, static_cast<int64_t>(i * kBlock));
  };
  auto read = [](File& file, size_t i) -> Task<absl::Status> {
    std::vector<std::byte> block(kBlock);
    absl::Status status =
        co_await file.ReadExactlyAt(block, static_cast<int64_t>(i * kBlock));
    EXPECT_EQ(block, Pattern(kBlock, static_cast<uint32_t>(i))) << i;
    co_return status;
  };
  auto main = [&]() -> Task<void> {
    const std::string path = PathOf("file");
    File file = ValueOf(co_await File::Open(path, OpenOptions::ForUpdating()));
    std::vector<JoinHandle<absl::Status>> all;
    for (size_t i = 0; i < kBlocks; ++i) all.push_back(Spawn(write(file, i)));
    for (JoinHandle<absl::Status>& one : all) EXPECT_TRUE((co_await one).ok());
    all.clear();
    for (size_t i = 0; i < kBlocks; ++i) all.push_back(Spawn(read(file, i)));
    for (JoinHandle<absl::Status>& one : all) EXPECT_TRUE((co_await one).ok());
  };
  Run(main());
}

TEST_P(FileTest, AHandleThatIsDroppedInBetweenIsClosedAfterwards) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", std::string(100'000, 'x'));
    const size_t before = OpenFds();
    auto file = std::make_unique<File>(ValueOf(co_await File::Open(path)));
    auto read = [](File& of) -> Task<absl::StatusOr<size_t>> {
      std::vector<std::byte> buffer(100'000);
      co_return co_await of.ReadAt(buffer, 0);
    };
    JoinHandle<absl::StatusOr<size_t>> reading = Spawn(read(*file));
    (co_await Sleep(absl::ZeroDuration())).IgnoreError();
    file.reset();
    const absl::StatusOr<size_t> n = co_await reading;
    EXPECT_TRUE(n.ok() || absl::IsFailedPrecondition(n.status())) << n.status();
    for (int i = 0; i < 1'000 && OpenFds() != before; ++i)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_EQ(OpenFds(), before);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FileTest);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FileEndTest);

}  // namespace
}  // namespace ringway::fs
