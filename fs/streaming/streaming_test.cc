// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/rng.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/streaming/read_ahead.h"
#include "ringway/fs/streaming/write_behind.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::FsTest;
using testing::Pattern;
using testing::ValueOf;

using StreamingTest = FsTest;

size_t Pick(Rng& random, std::initializer_list<size_t> of) {
  return of.begin()[random.Below(of.size())];
}

StreamingOptions Blocks(size_t block_bytes, size_t depth) {
  StreamingOptions options;
  options.block_bytes = block_bytes;
  options.depth = depth;
  return options;
}

Task<absl::StatusOr<std::string>> ReadAll(ReadAhead<>* reader) {
  std::string all;
  while (true) {
    const absl::StatusOr<std::span<const std::byte>> block =
        co_await reader->Next();
    if (!block.ok()) co_return block.status();
    if (block->empty()) co_return all;
    all += AsString(*block);
  }
}

Task<std::string> Remaining(File* file, int64_t offset, int64_t n_bytes,
                            StreamingOptions options) {
  ReadAhead<> reader(*file, offset, n_bytes, options);
  std::string all = ValueOf(co_await ReadAll(&reader));
  const auto again = co_await reader.Next();
  EXPECT_TRUE(again.ok() && again->empty());
  co_return all;
}

TEST_P(StreamingTest, EveryRangeIsReadOnceAndInOrder) {
  auto main = [&]() -> Task<void> {
    Rng random(1);
    for (const size_t size : {0, 1, 999, 1'000, 1'001, 20'000}) {
      const std::string content = AsString(Pattern(size, 3));
      const std::string path = co_await Make("file", content);
      File file = ValueOf(co_await File::Open(path));
      for (int round = 0; round < 12; ++round) {
        const StreamingOptions options =
            Blocks(Pick(random, {1, 7, 1'000, 4'096, 65'536}),
                   Pick(random, {1, 2, 5, 16}));
        if (size / options.block_bytes > 3'000) continue;
        const size_t from = random.Below(size + 2);
        const bool whole = random.Chance(0.3);
        const size_t n = random.Below(size + 2);
        const std::string read = co_await Remaining(
            &file, static_cast<int64_t>(from),
            whole ? ReadAhead<>::kToTheEnd : static_cast<int64_t>(n), options);
        const size_t begin = std::min(from, size);
        EXPECT_EQ(read,
                  whole ? content.substr(begin) : content.substr(begin, n))
            << size << " from " << from << ", " << n << " bytes, blocks of "
            << options.block_bytes;
      }
    }
  };
  Run(main());
}

TEST_P(StreamingTest, WhatIsWrittenInPartsIsThere) {
  auto main = [&]() -> Task<void> {
    Rng random(2);
    for (int round = 0; round < 20; ++round) {
      const StreamingOptions options =
          Blocks(Pick(random, {1, 7, 1'000, 4'096, 65'536}),
                 Pick(random, {1, 2, 5, 16}));
      const size_t size = std::min<size_t>(Pick(random, {0, 1, 4'096, 30'000}),
                                           options.block_bytes * 500);
      const std::string content = AsString(Pattern(size, 4));
      File file = ValueOf(
          co_await File::Open(PathOf("file"), OpenOptions::ForWriting()));
      WriteBehind<> writer(file, 0, options);
      for (size_t at = 0; at < size;) {
        const size_t n = std::min<size_t>(1 + random.Below(9'000), size - at);
        EXPECT_EQ(co_await writer.Write(Bytes(content).subspan(at, n)),
                  absl::OkStatus());
        at += n;
        EXPECT_EQ(writer.offset(), static_cast<int64_t>(at));
      }
      EXPECT_EQ(co_await writer.Finish(), absl::OkStatus());
      EXPECT_EQ(co_await writer.Finish(), absl::OkStatus());
      EXPECT_EQ(co_await file.Close(), absl::OkStatus());
      EXPECT_EQ(co_await ContentOf(PathOf("file")), content);
    }
  };
  Run(main());
}

TEST_P(StreamingTest, WritingMayGoOnAfterFinish) {
  auto main = [&]() -> Task<void> {
    File file =
        ValueOf(co_await File::Open(PathOf("file"), OpenOptions::ForWriting()));
    WriteBehind<> writer(file, 3, Blocks(4, 2));
    EXPECT_EQ(co_await writer.Write(Bytes("one")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Finish(), absl::OkStatus());
    EXPECT_EQ(co_await writer.Write(Bytes("two, three")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Finish(), absl::OkStatus());
    EXPECT_EQ(writer.offset(), 16);
    EXPECT_EQ(co_await ContentOf(PathOf("file")),
              std::string(3, '\0') + "onetwo, three");
  };
  Run(main());
}

TEST_P(StreamingTest, WhatIsSkippedStaysAsItIs) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "abcdefghijklmnop");
    File file = ValueOf(co_await File::Open(path, OpenOptions::ForUpdating()));
    WriteBehind<> writer(file, 1, Blocks(4, 2));
    EXPECT_EQ(co_await writer.Skip(1), absl::OkStatus());
    EXPECT_EQ(co_await writer.Write(Bytes("CDEFG")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Skip(6), absl::OkStatus());
    EXPECT_EQ(co_await writer.Skip(1), absl::OkStatus());
    EXPECT_EQ(co_await writer.Write(Bytes("OP")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Finish(), absl::OkStatus());
    EXPECT_EQ(writer.offset(), 16);
    EXPECT_EQ(co_await ContentOf(path), "abCDEFGhijklmnOP");
  };
  Run(main());
}

TEST_P(StreamingTest, AnErrorIsReturnedAgainAndAgain) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "content");
    File read_only = ValueOf(co_await File::Open(path));
    WriteBehind<> writer(read_only, 0, Blocks(2, 2));
    absl::Status failed;
    for (int i = 0; i < 10 && failed.ok(); ++i)
      failed = co_await writer.Write(Bytes("more"));
    EXPECT_EQ(ErrnoOf(failed), EBADF) << failed;
    EXPECT_EQ(co_await writer.Write(Bytes("more")), failed);
    EXPECT_EQ(co_await writer.Finish(), failed);

    OpenOptions write_only = OpenOptions::ForWriting();
    File unreadable = ValueOf(co_await File::Open(path, write_only));
    ReadAhead<> reader(unreadable);
    const absl::Status unread = (co_await reader.Next()).status();
    EXPECT_EQ(ErrnoOf(unread), EBADF) << unread;
    EXPECT_EQ((co_await reader.Next()).status(), unread);
  };
  Run(main());
}

TEST_P(StreamingTest, OptionsOutOfRangeAreNamed) {
  auto main = [&]() -> Task<void> {
    File file = ValueOf(co_await File::Open(co_await Make("file", "x")));
    ReadAhead<> reader(file, 0, 1, Blocks(0, 1));
    const absl::Status block = (co_await reader.Next()).status();
    EXPECT_TRUE(
        absl::StrContains(block.message(), "StreamingOptions::block_bytes"))
        << block;
    WriteBehind<> writer(file, 0, Blocks(1, kMostBlocksInFlight + 1));
    const absl::Status depth = co_await writer.Write(Bytes("x"));
    EXPECT_TRUE(absl::StrContains(depth.message(), "StreamingOptions::depth"))
        << depth;
  };
  Run(main());
}

Task<absl::Status> AppendNext(ReadAhead<>* reader, std::string* all,
                              bool* end) {
  const absl::StatusOr<std::span<const std::byte>> block =
      co_await reader->Next();
  if (!block.ok()) co_return block.status();
  *all += AsString(*block);
  *end = block->empty();
  co_return absl::OkStatus();
}

// Whatever the cancel finds, no block is skipped or returned twice.
TEST_P(StreamingTest, ACancelledWaitLosesNoBlock) {
  auto main = [&]() -> Task<void> {
    Rng random(7);
    const std::string content = AsString(Pattern(50'000, 5));
    File file = ValueOf(co_await File::Open(co_await Make("file", content)));
    ReadAhead<> reader(file, 0, ReadAhead<>::kToTheEnd, Blocks(1'000, 3));
    std::string all;
    bool end = false;
    while (!end) {
      JoinHandle<absl::Status> next = Spawn(AppendNext(&reader, &all, &end));
      if (random.Chance(0.5)) {
        co_await Yield();
        next.Cancel();
      }
      const absl::Status status = co_await next;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    }
    EXPECT_EQ(all, content);
  };
  Run(main());
}

TEST_P(StreamingTest, MayBeDroppedWithBlocksInFlight) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", std::string(100'000, 'x'));
    for (int i = 0; i < 20; ++i) {
      File file = ValueOf(co_await File::Open(
          path, i % 2 == 0 ? OpenOptions() : OpenOptions::ForWriting()));
      if (i % 2 == 0) {
        ReadAhead<> reader(file, 0, ReadAhead<>::kToTheEnd, Blocks(1'000, 8));
        if (i % 4 == 0) {
          EXPECT_TRUE((co_await reader.Next()).ok());
        }
      } else {
        WriteBehind<> writer(file, 0, Blocks(1'000, 8));
        const std::string bytes(5'500, 'x');
        EXPECT_EQ(co_await writer.Write(Bytes(bytes)), absl::OkStatus());
      }
    }
  };
  Run(main());
}

TEST_P(StreamingTest, CopiesWithABoundedMemory) {
  auto main = [&]() -> Task<void> {
    const std::string content = AsString(Pattern(300'001, 6));
    File from = ValueOf(co_await File::Open(co_await Make("from", content)));
    File to =
        ValueOf(co_await File::Open(PathOf("to"), OpenOptions::ForWriting()));
    ReadAhead<> reader(from, 0, ReadAhead<>::kToTheEnd, Blocks(8'192, 4));
    WriteBehind<> writer(to, 0, Blocks(10'000, 3));
    while (true) {
      const auto block = ValueOf(co_await reader.Next());
      if (block.empty()) break;
      EXPECT_EQ(co_await writer.Write(block), absl::OkStatus());
    }
    EXPECT_EQ(co_await writer.Finish(), absl::OkStatus());
    EXPECT_EQ(co_await ContentOf(PathOf("to")), content);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamingTest);

}  // namespace
}  // namespace ringway::fs
