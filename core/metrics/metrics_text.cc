// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/metrics/metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"

namespace ringway {
namespace {

void AppendEscaped(std::string_view text, bool quoted, std::string& to) {
  for (const char c : text) {
    if (c == '\\') {
      to += "\\\\";
    } else if (c == '\n') {
      to += "\\n";
    } else if (c == '"' && quoted) {
      to += "\\\"";
    } else {
      to += c;
    }
  }
}

// The shortest text that reads as the same number.
std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text;
  const std::to_chars_result end =
      std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end.ptr);
}

}  // namespace

void MetricsText::Begin(const MetricInfo& info) {
  name_ = info.name;
  absl::StrAppend(&text_, "# HELP ", name_, " ");
  AppendEscaped(info.help, /*quoted=*/false, text_);
  absl::StrAppend(&text_, "\n# TYPE ", name_, " ", MetricTypeName(info.type),
                  "\n");
}

void MetricsText::Add(std::span<const MetricLabel> labels, uint64_t value) {
  AddLine("", labels, "", absl::StrCat(value));
}

void MetricsText::Add(std::span<const MetricLabel> labels, double value) {
  AddLine("", labels, "", NumberText(value));
}

void MetricsText::Add(std::span<const MetricLabel> labels,
                      const MetricBuckets& buckets) {
  RINGWAY_CHECK(buckets.counts.size() == buckets.bounds.size() + 1,
                "the histogram %s has %zu counts for %zu bounds", name_.c_str(),
                buckets.counts.size(), buckets.bounds.size());
  uint64_t n_values = 0;
  for (size_t i = 0; i < buckets.counts.size(); ++i) {
    n_values += buckets.counts[i];
    AddLine("_bucket", labels,
            i < buckets.bounds.size() ? NumberText(buckets.bounds[i]) : "+Inf",
            absl::StrCat(n_values));
  }
  AddLine("_sum", labels, "", NumberText(buckets.sum));
  AddLine("_count", labels, "", absl::StrCat(n_values));
}

void MetricsText::AddLine(std::string_view suffix,
                          std::span<const MetricLabel> labels,
                          std::string_view bound, std::string_view value) {
  absl::StrAppend(&text_, name_, suffix);
  std::string_view before = "{";
  const auto add = [&](std::string_view label_name, std::string_view label) {
    absl::StrAppend(&text_, before, label_name, "=\"");
    AppendEscaped(label, /*quoted=*/true, text_);
    text_ += '"';
    before = ",";
  };
  for (const MetricLabel& label : labels) add(label.name, label.value);
  if (!bound.empty()) add("le", bound);
  absl::StrAppend(&text_, before == "," ? "} " : " ", value, "\n");
}

}  // namespace ringway
