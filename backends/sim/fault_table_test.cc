// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/fault_table.h"

#include <algorithm>
#include <cerrno>

#include "gtest/gtest.h"

namespace ringway::sim {
namespace {

bool MayFailWith(OpCode opcode, bool is_socket, int errnum) {
  const auto errors = PossibleErrors(opcode, is_socket);
  return std::find(errors.begin(), errors.end(), errnum) != errors.end();
}

TEST(FaultTable, HoldsNoErrorThatOnlyAWrongProgramGets) {
  for (size_t i = 0; i < kOpCodeCount; ++i) {
    const OpCode opcode = static_cast<OpCode>(i);
    for (bool is_socket : {false, true}) {
      for (int errnum : {0, EBADF, EFAULT, EINVAL, ENOTSOCK, EAGAIN, EINTR,
                         ECANCELED, ETIME}) {
        EXPECT_FALSE(MayFailWith(opcode, is_socket, errnum))
            << OpCodeName(opcode) << " " << errnum;
      }
    }
  }
}

TEST(FaultTable, TellsSocketsFromFiles) {
  EXPECT_TRUE(MayFailWith(OpCode::kRead, /*is_socket=*/false, EIO));
  EXPECT_FALSE(MayFailWith(OpCode::kRead, /*is_socket=*/true, EIO));
  EXPECT_TRUE(MayFailWith(OpCode::kWrite, /*is_socket=*/true, EPIPE));
  EXPECT_FALSE(MayFailWith(OpCode::kWrite, /*is_socket=*/false, EPIPE));
}

TEST(FaultTable, NopNeverFails) {
  EXPECT_TRUE(PossibleErrors(OpCode::kNop, false).empty());
}

}  // namespace
}  // namespace ringway::sim
