// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/prepare_entry.h"

#include <liburing.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/prepare.h"

namespace ringway::uring {
namespace {

constexpr size_t kMebibyte = size_t{1} << 20;

struct OneShot : Operation {
  OneShot() : Operation([](Runnable&) {}) {}
};

bool GoesElsewhere(Operation& op) {
  io_uring_sqe entry = {};
  PrepareEntry(op, entry);
  return (entry.flags & IOSQE_ASYNC) != 0;
}

// Where the kernel tries at once, the loop's thread copies.
TEST(PrepareEntry, OnlyALongTransferThatMayGoesToAnotherThread) {
  std::vector<std::byte> bytes(2 * kMebibyte);
  OneShot op;
  for (const size_t n : {size_t{4'096}, kMebibyte, kMebibyte + 1}) {
    SCOPED_TRACE(n);
    const std::span part = std::span(bytes).first(n);
    for (const uint32_t flags : {0u, kElsewhereIfLong}) {
      const bool expected = flags != 0 && n > kMebibyte;
      PrepareRead(op, 1, part, 0, flags);
      EXPECT_EQ(GoesElsewhere(op), expected) << flags;
      PrepareWrite(op, 1, part, 0, flags);
      EXPECT_EQ(GoesElsewhere(op), expected) << flags;
    }
  }
}

TEST(PrepareEntry, AllVectorsOfATransferCount) {
  std::vector<std::byte> bytes(kMebibyte);
  const iovec half = {bytes.data(), kMebibyte / 2};
  const std::array<iovec, 3> parts = {half, half, {bytes.data(), 1}};
  OneShot op;
  PrepareReadv(op, 1, parts, 0, kElsewhereIfLong);
  EXPECT_TRUE(GoesElsewhere(op));
  PrepareWritev(op, 1, parts, 0, kElsewhereIfLong);
  EXPECT_TRUE(GoesElsewhere(op));
  PrepareReadv(op, 1, std::span(parts).first(2), 0, kElsewhereIfLong);
  EXPECT_FALSE(GoesElsewhere(op));
  PrepareReadv(op, 1, parts, 0);
  EXPECT_FALSE(GoesElsewhere(op));
}

// Other operations have flags of their own.
TEST(PrepareEntry, FlagsOfOthersMeanSomethingElse) {
  OneShot op;
  PrepareFallocate(op, 1, kElsewhereIfLong, 0, 4 * kMebibyte);
  EXPECT_FALSE(GoesElsewhere(op));
  std::vector<std::byte> bytes(2 * kMebibyte);
  PrepareSend(op, 1, bytes, kElsewhereIfLong);
  EXPECT_FALSE(GoesElsewhere(op));
}

}  // namespace
}  // namespace ringway::uring
