// SPDX-License-Identifier: Apache-2.0
//
// For tests: the examples of a document are those that were compiled.

#ifndef RINGWAY_EXECUTOR_TESTING_QUOTED_EXAMPLES_H_
#define RINGWAY_EXECUTOR_TESTING_QUOTED_EXAMPLES_H_

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace ringway::testing {

inline std::string ContentsOf(const std::string& file_name) {
  std::ifstream file(file_name);
  EXPECT_TRUE(file.good()) << file_name;
  std::stringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

// Expects every ```cpp block of `document` to be in `source`, letter by letter,
// and that there are as many as `n`. Both are paths from the workspace's root,
// and data of the test.
inline void ExpectQuotes(const std::string& document, const std::string& source,
                         int n) {
  constexpr std::string_view kBegin = "```cpp\n", kEnd = "```\n";
  const std::string text = ContentsOf(document);
  const std::string code = ContentsOf(source);
  int n_found = 0;
  for (size_t at = text.find(kBegin); at != std::string::npos;
       at = text.find(kBegin, at)) {
    at += kBegin.size();
    const std::string example = text.substr(at, text.find(kEnd, at) - at);
    EXPECT_NE(code.find(example), std::string::npos) << example;
    ++n_found;
  }
  EXPECT_EQ(n_found, n);
}

}  // namespace ringway::testing

#endif  // RINGWAY_EXECUTOR_TESTING_QUOTED_EXAMPLES_H_
