// SPDX-License-Identifier: Apache-2.0
//
// Arguments without effect on most machines, so that the conformance suites
// would pass without them: only devices with poll queues poll for direct I/O,
// and splice treats its flags as hints.

#include "ringway/backends/prepare.h"

#include <fcntl.h>

#include <array>
#include <cstddef>

#include "gtest/gtest.h"
#include "ringway/backends/operation.h"

namespace ringway {
namespace {

class PrepareTest : public ::testing::Test {
 protected:
  Operation op_{nullptr};
  std::array<std::byte, 8> buffer_ = {};
};

TEST_F(PrepareTest, ReadKeepsTheMarkOfDirectIo) {
  PrepareRead(op_, 3, buffer_, 0, kDirectIo);
  EXPECT_EQ(op_.flags, kDirectIo);
  PrepareRead(op_, 3, buffer_, 0);
  EXPECT_EQ(op_.flags, 0u);
}

TEST_F(PrepareTest, WriteKeepsTheMarkOfDirectIo) {
  PrepareWrite(op_, 3, buffer_, 0, kDirectIo);
  EXPECT_EQ(op_.flags, kDirectIo);
  PrepareWrite(op_, 3, buffer_, 0);
  EXPECT_EQ(op_.flags, 0u);
}

TEST_F(PrepareTest, DirectIoThatMustBePolledForIsMarkedSo) {
  PrepareRead(op_, 3, buffer_, 0, kDirectIo | kMustPoll);
  EXPECT_EQ(op_.flags, kDirectIo | kMustPoll);
}

TEST_F(PrepareTest, SpliceKeepsItsFlags) {
  PrepareSplice(op_, 3, kCurrentPosition, 4, kCurrentPosition, 8,
                SPLICE_F_MORE | SPLICE_F_MOVE);
  EXPECT_EQ(op_.flags, SPLICE_F_MORE | SPLICE_F_MOVE);
}

}  // namespace
}  // namespace ringway
