// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes of open files: where they read and write, what they leave,
// and the exact errno of what cannot be done.

#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/file_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

// --- read

TEST_P(FileConformance, ReadTakesFromTheOffset) {
  TestFd file = system().File("hello, world");
  PrepareRead(op_, file.get(), buffer_, 7);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(5), "world");
  EXPECT_EQ(system().Position(file.get()), 0);
}

TEST_P(FileConformance, ReadTakesNoMoreThanTheBufferHolds) {
  TestFd file = system().File("hello, world");
  PrepareRead(op_, file.get(), std::span(buffer_).first(3), 0);
  EXPECT_EQ(Run(), 3);
  EXPECT_EQ(Text(4), std::string_view("hel\0", 4));
}

TEST_P(FileConformance, ReadAtTheCurrentPositionMovesIt) {
  TestFd file = system().File("hello, world");
  PrepareRead(op_, file.get(), std::span(buffer_).first(7), kCurrentPosition);
  EXPECT_EQ(Run(), 7);
  EXPECT_EQ(system().Position(file.get()), 7);
  PrepareRead(op_, file.get(), buffer_, kCurrentPosition);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(5), "world");
  EXPECT_EQ(system().Position(file.get()), 12);
}

TEST_P(FileConformance, ReadAtTheEndIsZero) {
  TestFd file = system().File("hello");
  PrepareRead(op_, file.get(), buffer_, 5);
  EXPECT_EQ(Run(), 0);
}

// Anything that is missing is left to the operation.
TEST_P(FileConformance, ReadCachedReadsWhatIsThereAtOnceOrNothing) {
  TestFd file = system().File("hello, world");
  PrepareRead(op_, file.get(), std::span(buffer_).first(5), 7);
  const int32_t n = driver()->ReadCached(op_);
  ASSERT_TRUE(n == 5 || n == -EAGAIN) << n;
  if (n == 5) {
    EXPECT_EQ(Text(5), "world");
  }
  PrepareRead(op_, file.get(), std::span(buffer_).first(6), 7);
  EXPECT_EQ(driver()->ReadCached(op_), n) << "it has one byte less";
  PrepareRead(op_, file.get(), std::span(buffer_).first(5), 12);
  EXPECT_EQ(driver()->ReadCached(op_), -EAGAIN) << "the end of the file";
  PrepareRead(op_, file.get(), std::span(buffer_).first(5), kCurrentPosition);
  EXPECT_EQ(driver()->ReadCached(op_), -EAGAIN);
  PrepareRead(op_, file.get(), std::span(buffer_).first(5), 0, kDirectIo);
  EXPECT_EQ(driver()->ReadCached(op_), -EAGAIN);
  EXPECT_EQ(system().Position(file.get()), 0);
  PrepareRead(op_, -1, buffer_, 0);
  EXPECT_EQ(driver()->ReadCached(op_), -EAGAIN);
  // The operation is as it was prepared.
  PrepareRead(op_, file.get(), std::span(buffer_).first(5), 7);
  EXPECT_EQ(driver()->ReadCached(op_), n);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(5), "world");
}

TEST_P(FileConformance, ReadFarBeyondTheEndIsZero) {
  TestFd file = system().File("hello");
  PrepareRead(op_, file.get(), buffer_, int64_t{1} << 40);
  EXPECT_EQ(Run(), 0);
}

TEST_P(FileConformance, ReadIntoNothingIsZero) {
  TestFd file = system().File("hello");
  PrepareRead(op_, file.get(), {}, 0);
  EXPECT_EQ(Run(), 0);
}

TEST_P(FileConformance, ReadOfABadFdIsEbadf) {
  PrepareRead(op_, -1, buffer_, 0);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(FileConformance, ReadOfAWriteOnlyFdIsEbadf) {
  TestFd file = Open(O_WRONLY);
  PrepareRead(op_, file.get(), buffer_, 0);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(FileConformance, ReadOfADirectoryIsEisdir) {
  const std::string path = system().Directory();
  PrepareOpenAt(op_, AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  TestFd directory = system().Own(Run());
  PrepareRead(op_, directory.get(), buffer_, 0);
  EXPECT_EQ(Run(), -EISDIR);
}

TEST_P(FileConformance, ReadIntoBadMemoryIsEfault) {
  RINGWAY_REQUIRES_KERNEL("check of addresses");
  TestFd file = system().File("hello");
  PrepareRead(op_, file.get(), {reinterpret_cast<std::byte*>(8), 5}, 0);
  EXPECT_EQ(Run(), -EFAULT);
}

TEST_P(FileConformance, ReadOfAPipeTakesWhatThereIs) {
  TestFdPair pipe = system().Pipe();
  SendAll(pipe.second.get(), "hello");
  PrepareRead(op_, pipe.first.get(), buffer_, kCurrentPosition);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(Text(5), "hello");
}

TEST_P(FileConformance, ReadOfAPipeWaitsForTheFirstByte) {
  TestFdPair pipe = system().Pipe();
  PrepareRead(op_, pipe.first.get(), buffer_, kCurrentPosition);
  StartAndPend();
  SendAll(pipe.second.get(), "x");
  EXPECT_EQ(Finish(), 1);
}

TEST_P(FileConformance, ReadOfAPipeThatNobodyWritesIsZero) {
  TestFdPair pipe = system().Pipe();
  PrepareRead(op_, pipe.first.get(), buffer_, kCurrentPosition);
  StartAndPend();
  pipe.second.Reset();
  EXPECT_EQ(Finish(), 0);
}

// --- readv

TEST_P(FileConformance, ReadvFillsItsPartsInOrder) {
  TestFd file = system().File("hello, world");
  const std::span<std::byte> room(buffer_);
  const iovec parts[] = {{room.data(), 2}, {nullptr, 0}, {&room[10], 20}};
  PrepareReadv(op_, file.get(), parts, 3);
  EXPECT_EQ(Run(), 9);
  EXPECT_EQ(Text(2), "lo");
  EXPECT_EQ(AsText(room.subspan(10, 7)), ", world");
}

TEST_P(FileConformance, ReadvAtTheCurrentPositionMovesIt) {
  TestFd file = system().File("hello");
  const iovec parts[] = {{buffer_.data(), 1}, {&buffer_[1], 2}};
  PrepareReadv(op_, file.get(), parts, kCurrentPosition);
  EXPECT_EQ(Run(), 3);
  EXPECT_EQ(Text(3), "hel");
  EXPECT_EQ(system().Position(file.get()), 3);
}

TEST_P(FileConformance, ReadvAtTheEndIsZero) {
  TestFd file = system().File("hello");
  const iovec part = {buffer_.data(), buffer_.size()};
  PrepareReadv(op_, file.get(), {&part, 1}, 5);
  EXPECT_EQ(Run(), 0);
}

TEST_P(FileConformance, ReadvOfAsManyPartsAsThereMayBe) {
  TestFd file = system().File(std::string(IOV_MAX, 'x'));
  std::vector<char> bytes(IOV_MAX);
  std::vector<iovec> parts;
  for (char& byte : bytes) parts.push_back({&byte, 1});
  PrepareReadv(op_, file.get(), parts, 0);
  EXPECT_EQ(Run(), IOV_MAX);
  EXPECT_EQ(bytes.back(), 'x');
}

TEST_P(FileConformance, ReadvOfTooManyPartsIsEinval) {
  TestFd file = system().File("hello");
  const std::vector<iovec> parts(IOV_MAX + 1, {buffer_.data(), 1});
  PrepareReadv(op_, file.get(), parts, 0);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(FileConformance, ReadvOfABadFdIsEbadf) {
  const iovec part = {buffer_.data(), buffer_.size()};
  PrepareReadv(op_, -1, {&part, 1}, 0);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(FileConformance, ReadvOfAPipeWaitsForTheFirstByte) {
  TestFdPair pipe = system().Pipe();
  const iovec parts[] = {{buffer_.data(), 1}, {&buffer_[1], 9}};
  PrepareReadv(op_, pipe.first.get(), parts, kCurrentPosition);
  StartAndPend();
  SendAll(pipe.second.get(), "hello");
  EXPECT_EQ(Finish(), 5);
  EXPECT_EQ(Text(5), "hello");
}

// --- write

TEST_P(FileConformance, WritePutsAtTheOffset) {
  TestFd file = system().File("hello, world");
  PrepareWrite(op_, file.get(), AsBytes("W"), 7);
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(system().Content(file.get()), "hello, World");
  EXPECT_EQ(system().Position(file.get()), 0);
}

TEST_P(FileConformance, WriteAtTheCurrentPositionMovesIt) {
  TestFd file = system().File("hello, world");
  for (int i = 1; i <= 2; ++i) {
    PrepareWrite(op_, file.get(), AsBytes("HE"), kCurrentPosition);
    EXPECT_EQ(Run(), 2);
    EXPECT_EQ(system().Position(file.get()), 2 * i);
  }
  EXPECT_EQ(system().Content(file.get()), "HEHEo, world");
}

TEST_P(FileConformance, WriteBeyondTheEndLeavesZeros) {
  TestFd file = system().File("a");
  PrepareWrite(op_, file.get(), AsBytes("b"), 4);
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(system().Content(file.get()), std::string("a\0\0\0b", 5));
}

TEST_P(FileConformance, WriteToAnAppendingFdGoesToTheEndWhateverTheOffset) {
  TestFd file = Open(O_RDWR | O_APPEND);
  for (int64_t offset : {int64_t{0}, int64_t{0}, kCurrentPosition}) {
    PrepareWrite(op_, file.get(), AsBytes("ab"), offset);
    EXPECT_EQ(Run(), 2);
  }
  EXPECT_EQ(system().Content(file.get()), "ababab");
}

TEST_P(FileConformance, WriteToAReadOnlyFdIsEbadf) {
  TestFd file = ReadOnlyFile("hello");
  PrepareWrite(op_, file.get(), AsBytes("x"), 0);
  EXPECT_EQ(Run(), -EBADF);
  EXPECT_EQ(system().Content(file.get()), "hello");
}

TEST_P(FileConformance, WriteToABadFdIsEbadf) {
  PrepareWrite(op_, -1, AsBytes("x"), 0);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(FileConformance, WriteToAFullPipeWaitsForRoom) {
  TestFdPair pipe = system().Pipe();
  const std::string block(4096, 'x');
  size_t n_filled = 0;
  for (int64_t n; (n = system().Send(pipe.second.get(), block)) > 0;) {
    n_filled += static_cast<size_t>(n);
  }
  PrepareWrite(op_, pipe.second.get(), AsBytes("last"), kCurrentPosition);
  StartAndPend();
  const std::string first = system().Receive(pipe.first.get(), n_filled);
  EXPECT_EQ(Finish(), 4);
  const std::string received =
      first + ReceiveAll(pipe.first.get(), n_filled + 4 - first.size());
  EXPECT_EQ(received, std::string(n_filled, 'x') + "last");
}

TEST_P(FileConformance, WritevGathersItsParts) {
  TestFd file = system().File("hello, world");
  char first[] = "HE", second[] = "LLO";
  const iovec parts[] = {{first, 2}, {second, 3}};
  PrepareWritev(op_, file.get(), parts, 7);
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(system().Content(file.get()), "hello, HELLO");
}

TEST_P(FileConformance, WritevAtTheCurrentPositionMovesIt) {
  TestFd file = system().File("");
  char first[] = "ab", second[] = "c";
  const iovec parts[] = {{first, 2}, {second, 1}};
  PrepareWritev(op_, file.get(), parts, kCurrentPosition);
  EXPECT_EQ(Run(), 3);
  EXPECT_EQ(system().Position(file.get()), 3);
  EXPECT_EQ(system().Content(file.get()), "abc");
}

TEST_P(FileConformance, WritevToAnAppendingFdGoesToTheEnd) {
  TestFd file = Open(O_RDWR | O_APPEND);
  char text[] = "ab";
  const iovec parts[] = {{text, 1}, {&text[1], 1}};
  for (int i = 0; i < 2; ++i) {
    PrepareWritev(op_, file.get(), parts, 0);
    EXPECT_EQ(Run(), 2);
  }
  EXPECT_EQ(system().Content(file.get()), "abab");
}

TEST_P(FileConformance, WritevOfTooManyPartsIsEinval) {
  TestFd file = system().File("");
  const std::vector<iovec> parts(IOV_MAX + 1, {buffer_.data(), 1});
  PrepareWritev(op_, file.get(), parts, 0);
  EXPECT_EQ(Run(), -EINVAL);
  EXPECT_EQ(system().Content(file.get()), "");
}

TEST_P(FileConformance, WritevToABadFdIsEbadf) {
  const iovec part = {buffer_.data(), 1};
  PrepareWritev(op_, -1, {&part, 1}, 0);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(FileConformance, ManyReadsAndWritesAtOnceKeepTheirPlaces) {
  constexpr size_t kBlocks = 64, kBytes = 4096;
  std::string content;
  for (size_t i = 0; i < kBlocks; ++i) {
    content += std::string(kBytes, static_cast<char>(i));
  }
  TestFd from = system().File(content), to = system().File("");
  std::vector<CountedOperation> operations(kBlocks);
  std::string copy(content.size(), '?');
  const auto run_all = [&](auto prepare) {
    for (size_t i = 0; i < kBlocks; ++i) {
      prepare(operations[i], i * kBytes);
      operations[i].completions = 0;
      driver().Start(operations[i]);
    }
    for (CountedOperation& op : operations) {
      ASSERT_TRUE(driver().RunUntil([&] { return op.done(); }));
      ASSERT_EQ(op.result, static_cast<int32_t>(kBytes));
    }
  };

  run_all([&](CountedOperation& op, size_t at) {
    PrepareRead(op, from.get(),
                std::as_writable_bytes(std::span(copy)).subspan(at, kBytes),
                static_cast<int64_t>(at));
  });
  run_all([&](CountedOperation& op, size_t at) {
    PrepareWrite(op, to.get(), AsBytes(copy).subspan(at, kBytes),
                 static_cast<int64_t>(at));
  });

  EXPECT_TRUE(system().Content(to.get()) == content);
}

// --- What is ready at once

TEST_P(FileConformance, CancelOfAFileReadLeavesAResultOfItsOwn) {
  TestFd file = system().File("hello");
  PrepareRead(op_, file.get(), buffer_, 0);
  op_.completions = 0;
  driver().Start(op_);
  driver()->Submit(driver().pending(), driver().ready());
  driver().Cancel(op_);
  const int32_t result = Finish();
  EXPECT_TRUE(result == 5 || result == -ECANCELED) << result;
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FileConformance);

}  // namespace
}  // namespace ringway::testing
