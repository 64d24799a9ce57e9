// SPDX-License-Identifier: Apache-2.0
//
// docs/metrics.md is what the tables of metrics say.

#include "ringway/runtime/metrics/metrics_document.h"

#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace ringway::internal {
namespace {

TEST(MetricsDocument, IsUpToDate) {
  std::ifstream file("docs/metrics.md");
  ASSERT_TRUE(file.is_open());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, MetricsDocument())
      << "To write it again:\n"
         "  bazel run //runtime/metrics:write_metrics_document > /tmp/m.md &&\n"
         "  mv /tmp/m.md docs/metrics.md";
}

}  // namespace
}  // namespace ringway::internal
