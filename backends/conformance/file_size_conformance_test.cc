// SPDX-License-Identifier: Apache-2.0
//
// What operations do to the size of an open file and to its copy on disk, and
// the exact errno of what cannot be done.

#include <fcntl.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/file_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

// Instantiated in file_conformance_test.cc.

// --- fsync

TEST_P(FileConformance, FsyncAndFdatasyncOfAFileSucceed) {
  TestFd file = Open(O_RDWR);
  PrepareWrite(op_, file.get(), AsBytes("kept"), 0);
  EXPECT_EQ(Run(), 4);
  PrepareFdatasync(op_, file.get());
  EXPECT_EQ(Run(), 0);
  PrepareFsync(op_, file.get());
  EXPECT_EQ(Run(), 0);
}

TEST_P(FileConformance, FsyncOfAPipeIsEinval) {
  TestFdPair pipe = system().Pipe();
  PrepareFsync(op_, pipe.second.get());
  EXPECT_EQ(Run(), -EINVAL);
  PrepareFdatasync(op_, pipe.second.get());
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(FileConformance, FsyncOfABadFdIsEbadf) {
  PrepareFsync(op_, -1);
  EXPECT_EQ(Run(), -EBADF);
}

// --- sync_file_range

constexpr unsigned kWriteAndWait = SYNC_FILE_RANGE_WAIT_BEFORE |
                                   SYNC_FILE_RANGE_WRITE |
                                   SYNC_FILE_RANGE_WAIT_AFTER;

TEST_P(FileConformance, SyncFileRangeLeavesTheContentAsItIs) {
  TestFd file = Open(O_RDWR);
  PrepareWrite(op_, file.get(), AsBytes("written"), 0);
  ASSERT_EQ(Run(), 7);
  for (const uint32_t n_bytes : {0u, 3u, 4096u}) {
    PrepareSyncFileRange(op_, file.get(), 0, n_bytes, kWriteAndWait);
    EXPECT_EQ(Run(), 0);
  }
  EXPECT_EQ(system().Content(file.get()), "written");
}

TEST_P(FileConformance, SyncFileRangeOfABadRangeOrFlagIsEinval) {
  TestFd file = Open(O_RDWR);
  PrepareSyncFileRange(op_, file.get(), -1, 1, kWriteAndWait);
  EXPECT_EQ(Run(), -EINVAL);
  PrepareSyncFileRange(op_, file.get(), 0, 1, 1u << 10);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(FileConformance, SyncFileRangeOfAPipeIsEspipe) {
  TestFdPair pipe = system().Pipe();
  PrepareSyncFileRange(op_, pipe.second.get(), 0, 1, kWriteAndWait);
  EXPECT_EQ(Run(), -ESPIPE);
}

// --- fallocate

TEST_P(FileConformance, FallocateExtendsTheFileWithZeros) {
  TestFd file = Open(O_RDWR);
  PrepareFallocate(op_, file.get(), 0, 2, 6);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(system().Content(file.get()), std::string(8, '\0'));
}

TEST_P(FileConformance, FallocateCanKeepTheSize) {
  TestFd file = Open(O_RDWR);
  PrepareFallocate(op_, file.get(), FALLOC_FL_KEEP_SIZE, 0, 8192);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(system().Content(file.get()), "");
}

TEST_P(FileConformance, FallocateOfNothingIsEinval) {
  TestFd file = Open(O_RDWR);
  PrepareFallocate(op_, file.get(), 0, 0, 0);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(FileConformance, FallocateOfAReadOnlyFdIsEbadf) {
  TestFd file = ReadOnlyFile("hello");
  PrepareFallocate(op_, file.get(), 0, 0, 100);
  EXPECT_EQ(Run(), -EBADF);
}

TEST_P(FileConformance, FallocateOfAPipeIsEspipe) {
  TestFdPair pipe = system().Pipe();
  PrepareFallocate(op_, pipe.second.get(), 0, 0, 100);
  EXPECT_EQ(Run(), -ESPIPE);
}

// --- ftruncate

TEST_P(FileConformance, TruncateCutsAndExtendsWithZeros) {
  TestFd file = system().File("hello");
  PrepareTruncate(op_, file.get(), 2);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(system().Content(file.get()), "he");
  PrepareTruncate(op_, file.get(), 4);
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(system().Content(file.get()), std::string("he\0\0", 4));
}

TEST_P(FileConformance, TruncateToANegativeSizeIsEinval) {
  TestFd file = system().File("hello");
  PrepareTruncate(op_, file.get(), -1);
  EXPECT_EQ(Run(), -EINVAL);
  EXPECT_EQ(system().Content(file.get()), "hello");
}

TEST_P(FileConformance, TruncateOfAReadOnlyFdIsEinval) {
  TestFd file = ReadOnlyFile("hello");
  PrepareTruncate(op_, file.get(), 0);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(FileConformance, TruncateOfAPipeIsEinval) {
  TestFdPair pipe = system().Pipe();
  PrepareTruncate(op_, pipe.second.get(), 0);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(FileConformance, TruncateOfABadFdIsEbadf) {
  PrepareTruncate(op_, -1, 0);
  EXPECT_EQ(Run(), -EBADF);
}

}  // namespace
}  // namespace ringway::testing
