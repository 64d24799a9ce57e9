// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/system_call.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/unique_fd.h"

namespace ringway {
namespace {

class SystemCallTest : public ::testing::Test {
 protected:
  SystemCallTest() {
    std::string name = ::testing::TempDir() + "/system_call_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~SystemCallTest() override {
    unlink(Path("a").c_str());
    unlink(Path("b").c_str());
    rmdir(Path("d").c_str());
    rmdir(directory_.c_str());
  }

  std::string Path(const char* name) const { return directory_ + "/" + name; }

  UniqueFd Open(const std::string& path) {
    PrepareOpenAt(op_, AT_FDCWD, path.c_str(), O_RDWR | O_CREAT, 0600);
    const int32_t fd = RunSystemCall(op_);
    EXPECT_GE(fd, 0);
    return UniqueFd(fd);
  }

  std::string directory_;
  std::array<std::byte, 16> buffer_ = {};
  Operation op_{nullptr};
};

TEST_F(SystemCallTest, FilesAreReadAndWrittenAtOffsetsAndAtTheirPosition) {
  UniqueFd file = Open(Path("a"));
  PrepareWrite(op_, file.get(), std::as_bytes(std::span("hello", 5)), 2);
  EXPECT_EQ(RunSystemCall(op_), 5);
  PrepareRead(op_, file.get(), buffer_, 0);
  EXPECT_EQ(RunSystemCall(op_), 7);
  EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 0);
  PrepareRead(op_, file.get(), {buffer_.data(), 3}, kCurrentPosition);
  EXPECT_EQ(RunSystemCall(op_), 3);
  EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 3);

  iovec parts[] = {{buffer_.data(), 1}, {buffer_.data() + 1, 2}};
  PrepareReadv(op_, file.get(), parts, 6);
  EXPECT_EQ(RunSystemCall(op_), 1);
  EXPECT_EQ(buffer_[0], std::byte{'o'});
  PrepareWritev(op_, file.get(), parts, kCurrentPosition);
  EXPECT_EQ(RunSystemCall(op_), 3);
  EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 6);
}

TEST_F(SystemCallTest, DirectoriesChangeAsAsked) {
  Open(Path("a")).Reset();
  const std::string from = Path("a"), to = Path("b"), made = Path("d");
  PrepareRename(op_, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str());
  EXPECT_EQ(RunSystemCall(op_), 0);
  PrepareLink(op_, AT_FDCWD, to.c_str(), AT_FDCWD, from.c_str());
  EXPECT_EQ(RunSystemCall(op_), 0);
  struct statx info;
  PrepareLstat(op_, from.c_str(), &info);
  EXPECT_EQ(RunSystemCall(op_), 0);
  EXPECT_EQ(info.stx_nlink, 2u);
  PrepareUnlink(op_, AT_FDCWD, from.c_str());
  EXPECT_EQ(RunSystemCall(op_), 0);
  PrepareSymlink(op_, "b", AT_FDCWD, from.c_str());
  EXPECT_EQ(RunSystemCall(op_), 0);
  PrepareLstat(op_, from.c_str(), &info);
  EXPECT_EQ(RunSystemCall(op_), 0);
  EXPECT_TRUE(S_ISLNK(info.stx_mode));
  PrepareMkdir(op_, AT_FDCWD, made.c_str(), 0700);
  EXPECT_EQ(RunSystemCall(op_), 0);
  EXPECT_EQ(RunSystemCall(op_), -EEXIST);
  PrepareRmdir(op_, AT_FDCWD, made.c_str());
  EXPECT_EQ(RunSystemCall(op_), 0);
}

TEST_F(SystemCallTest, FilesChangeTheirSize) {
  UniqueFd file = Open(Path("a"));
  PrepareTruncate(op_, file.get(), 100);
  EXPECT_EQ(RunSystemCall(op_), 0);
  PrepareFallocate(op_, file.get(), 0, 100, 28);
  EXPECT_EQ(RunSystemCall(op_), 0);
  PrepareFsync(op_, file.get());
  EXPECT_EQ(RunSystemCall(op_), 0);
  PrepareFdatasync(op_, file.get());
  EXPECT_EQ(RunSystemCall(op_), 0);
  EXPECT_EQ(lseek(file.get(), 0, SEEK_END), 128);
}

TEST_F(SystemCallTest, SpliceAndSendFileMoveWhatTheyAreToldTo) {
  UniqueFd file = Open(Path("a"));
  ASSERT_EQ(pwrite(file.get(), "0123456789", 10, 0), 10);
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  UniqueFd read_end(fds[0]), write_end(fds[1]);
  PrepareSplice(op_, file.get(), 4, write_end.get(), kCurrentPosition, 3);
  EXPECT_EQ(RunSystemCall(op_), 3);
  EXPECT_EQ(read(read_end.get(), buffer_.data(), buffer_.size()), 3);
  EXPECT_EQ(buffer_[0], std::byte{'4'});

  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  UniqueFd sender(fds[0]), receiver(fds[1]);
  PrepareSendFile(op_, sender.get(), file.get(), 8, 100);
  EXPECT_EQ(RunSystemCall(op_), 2);
  EXPECT_EQ(recv(receiver.get(), buffer_.data(), buffer_.size(), 0), 2);
  EXPECT_EQ(buffer_[1], std::byte{'9'});
}

TEST_F(SystemCallTest, ProcessIsWaitedFor) {
  const pid_t child = fork();
  if (child == 0) _exit(3);
  ASSERT_GT(child, 0);
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  ASSERT_TRUE(pidfd.valid());
  siginfo_t info = {};
  PrepareWaitPid(op_, pidfd.get(), &info);
  EXPECT_EQ(RunSystemCall(op_), 0);
  EXPECT_EQ(info.si_status, 3);
  PrepareWaitPid(op_, pidfd.get(), nullptr);
  EXPECT_EQ(RunSystemCall(op_), -ECHILD);
}

TEST_F(SystemCallTest, PollTellsTheMaskAndBadFds) {
  UniqueFd event(eventfd(1, EFD_CLOEXEC));
  PreparePoll(op_, event.get(), POLLIN);
  EXPECT_EQ(RunSystemCall(op_), POLLIN);
  PreparePoll(op_, -1, POLLIN);
  EXPECT_EQ(RunSystemCall(op_), -EBADF);
  PreparePoll(op_, 19'999, POLLIN);
  EXPECT_EQ(RunSystemCall(op_), -EBADF);
}

TEST_F(SystemCallTest, WhatHasNoPlainFormIsNotSupported) {
  DeliveringOperation multishot(nullptr);
  PrepareAcceptMultishot(multishot, 0);
  EXPECT_EQ(RunSystemCall(multishot), -EOPNOTSUPP);
  PrepareUringCommand(op_, 0, 0);
  EXPECT_EQ(RunSystemCall(op_), -EOPNOTSUPP);
}

}  // namespace
}  // namespace ringway
