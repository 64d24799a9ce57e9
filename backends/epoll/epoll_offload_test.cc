// SPDX-License-Identifier: Apache-2.0
//
// What blocks runs on threads: it holds up no socket, and a cancel reaches it
// while it waits for one.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/epoll/epoll_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {
namespace {

using ::ringway::testing::CountedOperation;
using ::ringway::testing::FdPair;
using ::ringway::testing::MakeFile;
using ::ringway::testing::MakeSocketPair;
using ::ringway::testing::SendAll;

class EpollOffloadTest : public EpollBackendTest {
 protected:
  static BackendOptions OneThread() {
    BackendOptions options;
    options.offload_threads = 1;
    return options;
  }
  EpollOffloadTest() : EpollBackendTest(OneThread()) {
    EXPECT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
    // Opening a FIFO blocks until there is somebody at the other end.
    PrepareOpenAt(op_, AT_FDCWD, fifo_.c_str(), O_WRONLY);
  }
  ~EpollOffloadTest() override { unlink(fifo_.c_str()); }

  // Lets the open go on.
  UniqueFd OpenOtherEnd() {
    return UniqueFd(open(fifo_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }

  const std::string fifo_ =
      ::testing::TempDir() + "/epoll_offload_fifo." + std::to_string(getpid());
};

TEST_F(EpollOffloadTest, BlockedThreadDelaysNoSocket) {
  driver_.Start(op_);
  FdPair sockets = MakeSocketPair();
  StartRecv(sockets.first.get());
  driver_.TurnWithoutBlocking();
  SendAll(sockets.second.get(), "x");

  RunUntilDone(recv_);

  EXPECT_FALSE(op_.done());
  const UniqueFd reader = OpenOtherEnd();
  RunUntilDone(op_);
  const UniqueFd opened(op_.result);
  EXPECT_TRUE(opened.valid());
}

TEST_F(EpollOffloadTest, CancelEndsWhatIsQueuedAndNotWhatRuns) {
  CountedOperation queued;
  driver_.Start(op_);
  PrepareFsync(queued, -1);
  driver_.Start(queued);
  driver_.TurnWithoutBlocking();

  EXPECT_EQ(driver_.Cancel(queued), CancelOutcome::kRequested);
  RunUntilDone(queued);
  EXPECT_EQ(queued.result, -ECANCELED);

  const UniqueFd reader = OpenOtherEnd();
  EXPECT_EQ(driver_.Cancel(op_), CancelOutcome::kRequested);
  RunUntilDone(op_);
  // It may not have begun when it was cancelled.
  EXPECT_TRUE(op_.result >= 0 || op_.result == -ECANCELED) << op_.result;
  const UniqueFd opened(op_.result >= 0 ? op_.result : -1);
  EXPECT_EQ(driver_->stats().in_flight, 0u);
}

// preadv2(RWF_NOWAIT) returns at once unless the file was opened with O_DIRECT:
// then it waits for the device.
TEST_F(EpollOffloadTest, DirectReadsNeverWaitOnTheLoop) {
  const UniqueFd file = MakeFile("content");
  std::byte buffer[7];
  CountedOperation read;
  PrepareRead(read, file.get(), buffer, 0);
  EXPECT_EQ(driver_.RunToEnd(read), 7);
  EXPECT_EQ(driver_->stats().offloaded, 0u) << "the page cache has it";
  PrepareRead(read, file.get(), buffer, 0, kDirectIo);
  EXPECT_EQ(driver_.RunToEnd(read), 7);
  EXPECT_EQ(driver_->stats().offloaded, 1u);
}

TEST_F(EpollOffloadTest, SendFileToAFullSocketCanBeCancelled) {
  FdPair sockets = MakeSocketPair();
  FillSendBuffer(sockets.first.get());
  const UniqueFd file = MakeFile("content");
  CountedOperation send_file;
  PrepareSendFile(send_file, sockets.first.get(), file.get(), 0, 7);
  driver_.Start(send_file);
  while (driver_->stats().offloaded == 0) driver_.TurnWithoutBlocking();
  driver_.TurnWithoutBlocking();
  EXPECT_FALSE(send_file.done());

  driver_.Cancel(send_file);
  RunUntilDone(send_file);

  EXPECT_EQ(send_file.result, -ECANCELED);
}

}  // namespace
}  // namespace ringway::epoll
