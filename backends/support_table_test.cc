// SPDX-License-Identifier: Apache-2.0
//
// The table of operations in docs/backends.md agrees with the backends.

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/testing/backend_fixture.h"

namespace ringway::testing {
namespace {

// Operation name -> backend name -> what the cell says.
using Table = std::map<std::string, std::map<std::string, std::string>>;

std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells;
  for (absl::string_view cell : absl::StrSplit(line, '|'))
    cells.emplace_back(absl::StripAsciiWhitespace(cell));
  return {cells.begin() + 1, cells.end() - 1};  // nothing is outside the bars
}

Table ReadTable() {
  std::ifstream document("docs/backends.md");
  Table table;
  std::string line;
  while (std::getline(document, line)) {
    if (line.find("<!-- support table") == 0) break;
  }
  std::getline(document, line);  // empty
  std::getline(document, line);
  const std::vector<std::string> header = Cells(line);
  std::getline(document, line);  // the rule under the header
  while (std::getline(document, line) && !line.empty()) {
    const std::vector<std::string> row = Cells(line);
    for (size_t i = 1; i < row.size(); ++i) table[row[0]][header[i]] = row[i];
  }
  return table;
}

bool Agrees(const std::string& cell, Support support) {
  switch (support) {
    case Support::kNative:
      return cell.rfind("native", 0) == 0;
    case Support::kEmulated:  // "native VERSION": on older kernels
      return cell == "emulated" || cell.rfind("native ", 0) == 0;
    case Support::kUnimplemented:
      return cell == "unimplemented";
  }
  return false;
}

class SupportTable : public BackendConformance {};

TEST_P(SupportTable, SaysWhatTheBackendSaysOfItself) {
  const BackendVariant& variant = GetParam();
  const Table table = ReadTable();
  const std::unique_ptr<Backend> backend = MakeForTest();
  for (size_t i = 0; i < kOpCodeCount; ++i) {
    const OpCode opcode = static_cast<OpCode>(i);
    const auto row = table.find(OpCodeName(opcode));
    ASSERT_NE(row, table.end()) << OpCodeName(opcode) << " has no row";
    const auto cell = row->second.find(std::string(variant.name));
    ASSERT_NE(cell, row->second.end()) << variant.name << " has no column";
    EXPECT_TRUE(Agrees(cell->second, backend->support(opcode)))
        << OpCodeName(opcode) << " on " << variant.name << ": the table says "
        << cell->second;
  }
  EXPECT_EQ(table.size(), kOpCodeCount) << "a row names no operation";
}

// Masked variants lack what the table promises.
std::vector<BackendVariant> UnmaskedVariants() {
  std::vector<BackendVariant> variants;
  for (const BackendVariant& variant : AllBackendVariants())
    if (variant.label == variant.name) variants.push_back(variant);
  return variants;
}

INSTANTIATE_TEST_SUITE_P(Backends, SupportTable,
                         ::testing::ValuesIn(UnmaskedVariants()),
                         [](const auto& i) { return i.param.label; });

}  // namespace
}  // namespace ringway::testing
