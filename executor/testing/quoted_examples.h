// SPDX-License-Identifier: Apache-2.0
//
// For tests: checks that the examples of documents are compiled code.

#ifndef RINGWAY_EXECUTOR_TESTING_QUOTED_EXAMPLES_H_
#define RINGWAY_EXECUTOR_TESTING_QUOTED_EXAMPLES_H_

#include <cctype>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace ringway::testing {

inline std::string ContentsOf(const std::string& file_name) {
  std::ifstream file(file_name);
  EXPECT_TRUE(file.good()) << file_name;
  std::stringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

// Expects each ```cpp block of `document` to be in one of `sources`, verbatim,
// and that there are `n` of them. All are paths from the workspace's root, and
// data of the test.
inline void ExpectQuotes(const std::string& document,
                         const std::vector<std::string>& sources, int n) {
  constexpr std::string_view kBegin = "```cpp\n", kEnd = "```\n";
  const std::string text = ContentsOf(document);
  std::string code;
  for (const std::string& source : sources) code += ContentsOf(source);
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

inline void ExpectQuotes(const std::string& document, const std::string& source,
                         int n) {
  ExpectQuotes(document, std::vector<std::string>{source}, n);
}

inline std::string WithoutSpace(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) result.push_back(c);
  }
  return result;
}

// Expects `source` to contain the example in the first comment of `header`,
// that is, its lines that begin with three spaces. White space is ignored,
// and "..." matches anything. A drawing has arrows and no semicolon.
inline void ExpectHeaderQuotes(const std::string& header,
                               const std::string& source) {
  const std::string code = WithoutSpace(ContentsOf(source));
  std::istringstream lines(ContentsOf(header));
  std::string part;
  int n_found = 0;
  const auto expect_part = [&] {
    if (part.find("--") != std::string::npos &&
        part.find(';') == std::string::npos)
      part.clear();
    if (part.empty()) return;
    EXPECT_NE(code.find(part), std::string::npos) << header << ": " << part;
    part.clear();
    ++n_found;
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("//", 0) != 0) break;
    const size_t dots = line.find("...");
    if (line.rfind("//   ", 0) != 0 || dots != std::string::npos) {
      if (dots != std::string::npos && line.rfind("//   ", 0) == 0)
        part += WithoutSpace(line.substr(2, dots - 2));
      expect_part();
      continue;
    }
    part += WithoutSpace(line.substr(2));
  }
  expect_part();
  EXPECT_GT(n_found, 0) << header << " has no example";
}

}  // namespace ringway::testing

#endif  // RINGWAY_EXECUTOR_TESTING_QUOTED_EXAMPLES_H_
