// SPDX-License-Identifier: Apache-2.0
//
// Copying between files, finding their holes, advice, and locks.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/directory_fixture.h"
#include "ringway/backends/prepare.h"

namespace ringway::testing {
namespace {

class CopyConformance : public NamedFilesConformance {
 protected:
  int32_t Copy(const TestFd& from, int64_t from_offset, const TestFd& to,
               int64_t to_offset, size_t n_bytes) {
    PrepareCopyFileRange(op_, from.get(), from_offset, to.get(), to_offset,
                         n_bytes);
    return Run();
  }

  // The new position, or -errno.
  int64_t Seek(const TestFd& file, int64_t offset, int whence) {
    int64_t position = -1;
    PrepareSeek(op_, file.get(), offset, whence, &position);
    const int32_t result = Run();
    return result < 0 ? result : position;
  }

  int32_t Lock(const TestFd& file, int type, int64_t offset = 0,
               int64_t n_bytes = 0) {
    PrepareLock(op_, file.get(), type, offset, n_bytes);
    return Run();
  }

  TestFd Reopen(int flags) { return system().Own(Open(Path("a"), flags)); }
};

// --- copy_file_range

TEST_P(CopyConformance, CopiesBetweenOffsets) {
  TestFd from = system().File("hello, world");
  TestFd to = system().File("......");
  EXPECT_EQ(Copy(from, 7, to, 3, 5), 5);
  EXPECT_EQ(system().Content(to.get()), "...world");
  EXPECT_EQ(system().Position(from.get()), 0);
  EXPECT_EQ(system().Position(to.get()), 0);
}

TEST_P(CopyConformance, CopiesFromPositionToPosition) {
  TestFd from = system().File("hello, world");
  TestFd to = system().File("");
  EXPECT_EQ(Copy(from, kCurrentPosition, to, kCurrentPosition, 7), 7);
  EXPECT_EQ(Copy(from, kCurrentPosition, to, kCurrentPosition, 100), 5);
  EXPECT_EQ(Copy(from, kCurrentPosition, to, kCurrentPosition, 100), 0);
  EXPECT_EQ(system().Content(to.get()), "hello, world");
}

TEST_P(CopyConformance, CopyBeyondTheEndIsNothing) {
  TestFd from = system().File("hello");
  TestFd to = system().File("x");
  EXPECT_EQ(Copy(from, 5, to, 0, 10), 0);
  EXPECT_EQ(Copy(from, 1'000, to, 0, 10), 0);
  EXPECT_EQ(system().Content(to.get()), "x");
}

TEST_P(CopyConformance, CopyWithinAFileMustNotOverlap) {
  TestFd file = system().File("0123456789");
  EXPECT_EQ(Copy(file, 0, file, 2, 5), -EINVAL);
  EXPECT_EQ(Copy(file, 0, file, 5, 5), 5);
  EXPECT_EQ(system().Content(file.get()), "0123401234");
}

TEST_P(CopyConformance, CopiesThatCannotBeHaveTheirErrno) {
  MakeFile("a", "hello");
  TestFd reads = Reopen(O_RDONLY), writes = Reopen(O_WRONLY);
  TestFd appends = Reopen(O_WRONLY | O_APPEND), to = system().File("");
  EXPECT_EQ(Copy(writes, 0, to, 0, 5), -EBADF);
  EXPECT_EQ(Copy(to, 0, reads, 0, 5), -EBADF);
  EXPECT_EQ(Copy(to, 0, appends, 0, 5), -EBADF);
  MakeDirectory("d");
  EXPECT_EQ(Copy(OpenDirectory("d"), 0, to, 0, 5), -EISDIR);
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(Copy(to, 0, pipe.second, kCurrentPosition, 5), -EINVAL);
}

// --- lseek

TEST_P(CopyConformance, SeekMovesThePosition) {
  TestFd file = system().File("hello, world");
  EXPECT_EQ(Seek(file, 7, SEEK_SET), 7);
  EXPECT_EQ(system().Position(file.get()), 7);
  EXPECT_EQ(Seek(file, -2, SEEK_CUR), 5);
  EXPECT_EQ(Seek(file, 3, SEEK_END), 15);
  EXPECT_EQ(Seek(file, int64_t{1} << 40, SEEK_SET), int64_t{1} << 40);
}

TEST_P(CopyConformance, SeekFindsDataAndHoles) {
  constexpr int64_t kMebibyte = 1 << 20;
  TestFd file = system().File("");
  PrepareTruncate(op_, file.get(), 4 * kMebibyte);
  ASSERT_EQ(Run(), 0);
  PrepareWrite(op_, file.get(), buffer_, kMebibyte);
  ASSERT_EQ(Run(), 64);
  EXPECT_EQ(Seek(file, 0, SEEK_HOLE), 0);
  EXPECT_EQ(Seek(file, 0, SEEK_DATA), kMebibyte);
  const int64_t hole = Seek(file, kMebibyte, SEEK_HOLE);
  EXPECT_GE(hole, kMebibyte + 64);
  EXPECT_LT(hole, 2 * kMebibyte) << "blocks are smaller than that";
  EXPECT_EQ(Seek(file, hole, SEEK_DATA), -ENXIO) << "none follows";
}

TEST_P(CopyConformance, SeekThatCannotBeHasItsErrno) {
  TestFd file = system().File("hello");
  EXPECT_EQ(Seek(file, -1, SEEK_SET), -EINVAL);
  EXPECT_EQ(Seek(file, -6, SEEK_END), -EINVAL);
  EXPECT_EQ(Seek(file, 0, 77), -EINVAL);
  EXPECT_EQ(Seek(file, 5, SEEK_DATA), -ENXIO);
  EXPECT_EQ(Seek(file, 5, SEEK_HOLE), -ENXIO);
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(Seek(pipe.first, 0, SEEK_SET), -ESPIPE);
}

// --- fadvise

TEST_P(CopyConformance, AdviceIsTakenOrRefused) {
  TestFd file = system().File("hello");
  for (const int advice :
       {POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
        POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE}) {
    PrepareFadvise(op_, file.get(), 0, 4096, advice);
    EXPECT_EQ(Run(), 0) << advice;
  }
  PrepareFadvise(op_, file.get(), 0, 0, 77);
  EXPECT_EQ(Run(), -EINVAL);
  TestFdPair pipe = system().Pipe();
  PrepareFadvise(op_, pipe.first.get(), 0, 0, POSIX_FADV_NORMAL);
  EXPECT_EQ(Run(), -ESPIPE);
}

// --- Locks

TEST_P(CopyConformance, ALockExcludesOthersAndNotItsOwner) {
  MakeFile("a", "hello");
  TestFd first = Reopen(O_RDWR), second = Reopen(O_RDWR);
  EXPECT_EQ(Lock(first, F_WRLCK), 0);
  EXPECT_EQ(Lock(first, F_WRLCK), 0);
  EXPECT_EQ(Lock(second, F_WRLCK), -EAGAIN);
  EXPECT_EQ(Lock(second, F_RDLCK), -EAGAIN);
  EXPECT_EQ(Lock(first, F_UNLCK), 0);
  EXPECT_EQ(Lock(second, F_WRLCK), 0);
}

TEST_P(CopyConformance, SharedLocksExcludeWritersOnly) {
  MakeFile("a", "hello");
  TestFd first = Reopen(O_RDWR), second = Reopen(O_RDWR);
  EXPECT_EQ(Lock(first, F_RDLCK), 0);
  EXPECT_EQ(Lock(second, F_RDLCK), 0);
  EXPECT_EQ(Lock(second, F_WRLCK), -EAGAIN);
  EXPECT_EQ(Lock(first, F_UNLCK), 0);
  EXPECT_EQ(Lock(second, F_WRLCK), 0);
  EXPECT_EQ(Lock(second, F_RDLCK), 0) << "made weaker";
  EXPECT_EQ(Lock(first, F_RDLCK), 0);
}

TEST_P(CopyConformance, LocksAreOfBytes) {
  MakeFile("a", "hello");
  TestFd first = Reopen(O_RDWR), second = Reopen(O_RDWR);
  EXPECT_EQ(Lock(first, F_WRLCK, 10, 20), 0);
  EXPECT_EQ(Lock(second, F_WRLCK, 0, 10), 0);
  EXPECT_EQ(Lock(second, F_WRLCK, 30, 0), 0) << "to the end";
  EXPECT_EQ(Lock(second, F_WRLCK, 29, 1), -EAGAIN);
  EXPECT_EQ(Lock(first, F_UNLCK, 15, 5), 0) << "out of the middle";
  EXPECT_EQ(Lock(second, F_WRLCK, 15, 5), 0);
  EXPECT_EQ(Lock(second, F_WRLCK, 14, 1), -EAGAIN);
  EXPECT_EQ(Lock(second, F_WRLCK, 20, 1), -EAGAIN);
}

TEST_P(CopyConformance, ClosingReleasesTheLock) {
  MakeFile("a", "hello");
  TestFd first = Reopen(O_RDWR), second = Reopen(O_RDWR);
  EXPECT_EQ(Lock(first, F_WRLCK), 0);
  EXPECT_EQ(Lock(second, F_WRLCK), -EAGAIN);
  PrepareClose(op_, first.Release());
  ASSERT_EQ(Run(), 0);
  EXPECT_EQ(Lock(second, F_WRLCK), 0);
}

TEST_P(CopyConformance, LocksThatCannotBeHaveTheirErrno) {
  MakeFile("a", "hello");
  TestFd reads = Reopen(O_RDONLY), writes = Reopen(O_WRONLY);
  EXPECT_EQ(Lock(reads, F_WRLCK), -EBADF);
  EXPECT_EQ(Lock(writes, F_RDLCK), -EBADF);
  EXPECT_EQ(Lock(writes, 77), -EINVAL);
  EXPECT_EQ(Lock(writes, F_WRLCK, -1, 1), -EINVAL);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(CopyConformance);

}  // namespace
}  // namespace ringway::testing
