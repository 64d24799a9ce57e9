// SPDX-License-Identifier: Apache-2.0
//
// Arguments that change nothing on most machines: the conformance suites pass
// them, and pass without them. Direct I/O is polled for only by devices with
// poll queues, splice takes its flags for advice.

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

TEST_F(PrepareTest, SpliceKeepsItsFlags) {
  PrepareSplice(op_, 3, kCurrentPosition, 4, kCurrentPosition, 8,
                SPLICE_F_MORE | SPLICE_F_MOVE);
  EXPECT_EQ(op_.flags, SPLICE_F_MORE | SPLICE_F_MOVE);
}

}  // namespace
}  // namespace ringway
