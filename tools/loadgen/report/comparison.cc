// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/comparison.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ringway/tools/loadgen/format.h"
#include "ringway/tools/loadgen/report/text.h"

namespace ringway::loadgen {
namespace {

struct Row {
  std::string name;
  std::string a;
  std::string b;
  std::string ratio;
};

class Rows {
 public:
  // Its text is what `text` makes of a value.
  template <typename Text>
  void Add(std::string name, std::optional<double> a, std::optional<double> b,
           Text text) {
    if (!a.has_value() && !b.has_value()) return;
    Row row;
    row.name = std::move(name);
    row.a = a.has_value() ? text(*a) : "-";
    row.b = b.has_value() ? text(*b) : "-";
    row.ratio = a.has_value() && b.has_value() && *a > 0
                    ? absl::StrFormat("%.2f", *b / *a)
                    : "-";
    rows_.push_back(std::move(row));
  }

  // With `a` and `b` as heads of their columns.
  std::string Format(std::string_view a, std::string_view b) const {
    size_t first = 0;
    size_t left = a.size();
    size_t right = b.size();
    for (const Row& row : rows_) {
      first = std::max(first, row.name.size());
      left = std::max(left, row.a.size());
      right = std::max(right, row.b.size());
    }
    std::string table =
        absl::StrFormat("  %-*s  %*s  %*s  %6s\n", first, "", left,
                        std::string(a), right, std::string(b), "ratio");
    for (const Row& row : rows_) {
      absl::StrAppendFormat(&table, "  %-*s  %*s  %*s  %6s\n", first, row.name,
                            left, row.a, right, row.b, row.ratio);
    }
    return table;
  }

 private:
  std::vector<Row> rows_;
};

std::string CountText(double count) {
  return Grouped(static_cast<uint64_t>(count));
}

std::optional<double> CpuTimeOf(const std::optional<CpuUse>& cpu) {
  if (!cpu.has_value()) return std::nullopt;
  return cpu->us_per_request;
}

std::optional<double> DroppedBy(const Summary& run) {
  if (!run.open.has_value() && !run.lost.has_value()) return std::nullopt;
  return static_cast<double>((run.open.has_value() ? run.open->dropped : 0) +
                             run.lost.value_or(0));
}

std::string LoadLine(std::string_view letter, const NamedRun& run) {
  return absl::StrFormat("%s: %s: %s, %.1f s\n", std::string(letter), run.name,
                         run.summary.load.empty() ? "a run" : run.summary.load,
                         run.summary.seconds);
}

}  // namespace

std::string FormatComparison(const NamedRun& a, const NamedRun& b) {
  const Summary& first = a.summary;
  const Summary& second = b.summary;
  Rows rows;
  rows.Add("requests/s", first.per_second, second.per_second, CountText);
  for (const auto& [name, percentile] :
       {std::pair("p50", 50.0), std::pair("p90", 90.0), std::pair("p99", 99.0),
        std::pair("p99.9", 99.9), std::pair("max", 100.0)}) {
    rows.Add(name, first.At(percentile), second.At(percentile), TimeText);
  }
  rows.Add("errors", static_cast<double>(first.errors),
           static_cast<double>(second.errors), CountText);
  rows.Add("dropped, lost", DroppedBy(first), DroppedBy(second), CountText);
  rows.Add("server CPU", CpuTimeOf(first.server_cpu),
           CpuTimeOf(second.server_cpu), TimeText);
  rows.Add("client CPU", CpuTimeOf(first.client_cpu),
           CpuTimeOf(second.client_cpu), TimeText);
  return absl::StrCat(LoadLine("A", a), LoadLine("B", b),
                      rows.Format("A", "B"));
}

std::string DifferenceWarning(const NamedRun& a, const NamedRun& b) {
  if (a.summary.load == b.summary.load || a.summary.load.empty() ||
      b.summary.load.empty()) {
    return "";
  }
  return "the loads differ, so the figures are not of the same question";
}

}  // namespace ringway::loadgen
