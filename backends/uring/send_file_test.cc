// SPDX-License-Identifier: Apache-2.0
//
// Buffers of sendfile: it keeps a bounded number, and always returns its own.

#include "ringway/backends/uring/send_file.h"

#include <sys/socket.h>

#include <deque>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"

namespace ringway::uring {
namespace {

void Begin(SendFile& send_file, Operation& op) {
  PrepareSendFile(op, /*to=*/1, /*from=*/0, 0, 1);
  EXPECT_TRUE(send_file.Begin(op));
}

// Each transfer uses a buffer of 64 KiB. All of them used to be kept for
// later transfers, so a backend held its peak forever: 64 MiB after 1,000
// concurrent downloads.
TEST(SendFile, KeepsFewBuffersOfManyTransfers) {
  SendFile send_file;
  std::deque<Operation> transfers;
  for (int i = 0; i < 1'000; ++i)
    Begin(send_file, transfers.emplace_back(nullptr));
  for (Operation& op : transfers) send_file.End(op);
  EXPECT_EQ(send_file.idle(), SendFile::kIdleBuffers);
}

TEST(SendFile, KeepsBuffersForTransfersThatGoOn) {
  SendFile send_file;
  std::deque<Operation> transfers;
  for (int i = 0; i < 100; ++i)
    Begin(send_file, transfers.emplace_back(nullptr));
  for (int i = 0; i < 40; ++i) send_file.End(transfers[static_cast<size_t>(i)]);
  EXPECT_EQ(send_file.idle(), 40u) << "the pieces of 100 transfers come and go";
  for (Operation& op : transfers) send_file.End(op);
}

TEST(SendFile, TakesABufferBackOnce) {
  SendFile send_file;
  Operation op(nullptr);
  Begin(send_file, op);
  void* const buffer = op.backend.memory;
  EXPECT_TRUE(send_file.Begin(op)) << "its second step";
  EXPECT_EQ(op.backend.memory, buffer);
  send_file.End(op);
  EXPECT_EQ(op.backend.memory, nullptr);
  send_file.End(op);
  EXPECT_EQ(send_file.idle(), 1u);
}

TEST(SendFile, SendsWithTheFlagsOfItsOperation) {
  SendFile send_file;
  for (const int flags : {int{MSG_WAITALL}, 0}) {
    Operation op(nullptr);
    PrepareSendFile(op, /*to=*/1, /*from=*/0, 0, /*n_bytes=*/1, flags);
    ASSERT_TRUE(send_file.Begin(op));
    ASSERT_TRUE(send_file.Advance(op, /*result=*/1)) << "the read";
    io_uring_sqe sqe = {};
    send_file.PrepareEntry(op, sqe);
    EXPECT_EQ(sqe.msg_flags, static_cast<uint32_t>(flags | MSG_NOSIGNAL));
    send_file.End(op);
  }
}

}  // namespace
}  // namespace ringway::uring
