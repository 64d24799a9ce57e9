// SPDX-License-Identifier: Apache-2.0
//
// A user's program reaches what Ringway brings along, with no option of Bazel
// but the language version.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "liburing.h"

namespace {

TEST(Consumer, LinksTheDependenciesRingwayBrings) {
  const absl::string_view message = "asked to stop";
  EXPECT_EQ(absl::CancelledError(message).message(), message);
  io_uring_free_probe(io_uring_get_probe());  // null where io_uring is refused
}

}  // namespace
