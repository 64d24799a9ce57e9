// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/metrics/metric_registry.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "ringway/core/check_option.h"

namespace ringway {
namespace {

static_assert(MetricRegistry::kMostBounds + 2 <= internal::kMostCellsOfRange);

// The second is that of Prometheus' metrics of a process.
constexpr std::array<std::string_view, 2> kOwnPrefixes = {"ringway_",
                                                          "process_"};

absl::Status Fault(absl::StatusCode code, std::string_view metric,
                   std::string_view fault) {
  return absl::Status(code, absl::StrCat("metric \"", metric, "\": ", fault));
}

absl::Status BadMetric(std::string_view metric, std::string_view fault) {
  return Fault(absl::StatusCode::kInvalidArgument, metric, fault);
}

absl::Status CheckBounds(std::string_view metric,
                         std::span<const double> bounds) {
  bool valid = !bounds.empty() && bounds.size() <= MetricRegistry::kMostBounds;
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && !(bounds[i - 1] < bounds[i])))
      valid = false;
  }
  if (valid) return absl::OkStatus();
  return BadMetric(
      metric, absl::StrCat("the bounds must be ascending and finite, 1 to ",
                           MetricRegistry::kMostBounds, " of them"));
}

template <typename Labels>
std::vector<std::string> NamesOf(const Labels& labels) {
  std::vector<std::string> names;
  for (const auto& label : labels) names.push_back(label.first);
  return names;
}

}  // namespace

absl::Status CheckMetricLimits(const MetricLimits& limits) {
  absl::Status status = CheckOption("MetricLimits::max_metrics",
                                    limits.max_metrics, 1, kMostMetricCells);
  if (!status.ok()) return status;
  return CheckOption("MetricLimits::max_label_sets", limits.max_label_sets, 1,
                     kMostMetricCells);
}

MetricRegistry& MetricRegistry::Default() {
  static auto* const registry = new MetricRegistry();
  return *registry;
}

MetricRegistry::MetricRegistry(const MetricLimits& limits)
    : limits_(Valid(limits, &CheckMetricLimits)) {}

absl::StatusOr<Counter> MetricRegistry::AddCounter(
    std::string_view name, std::string_view help,
    const std::vector<MetricLabel>& labels) {
  const MetricInfo info{name, MetricType::kCounter, "", help};
  absl::StatusOr<Added> added = Add(info, {}, labels);
  if (!added.ok()) return added.status();
  return Counter(std::move(added->cells));
}

absl::StatusOr<Gauge> MetricRegistry::AddGauge(
    std::string_view name, std::string_view help,
    const std::vector<MetricLabel>& labels) {
  const MetricInfo info{name, MetricType::kGauge, "", help};
  absl::StatusOr<Added> added = Add(info, {}, labels);
  if (!added.ok()) return added.status();
  return Gauge(std::move(added->cells));
}

absl::StatusOr<Distribution> MetricRegistry::AddDistribution(
    std::string_view name, std::string_view help,
    std::span<const double> bounds, const std::vector<MetricLabel>& labels) {
  absl::Status valid = CheckBounds(name, bounds);
  if (!valid.ok()) return valid;
  const MetricInfo info{name, MetricType::kHistogram, "", help};
  absl::StatusOr<Added> added = Add(info, bounds, labels);
  if (!added.ok()) return added.status();
  return Distribution(std::move(added->cells), std::move(added->bounds));
}

absl::StatusOr<MetricRegistry::Added> MetricRegistry::Add(
    const MetricInfo& info, std::span<const double> bounds,
    std::span<const MetricLabel> labels) {
  absl::Status valid = CheckMetric(info, labels);
  if (!valid.ok()) return valid;
  for (const std::string_view prefix : kOwnPrefixes) {
    if (!info.name.starts_with(prefix)) continue;
    return BadMetric(info.name, absl::StrCat("names that begin with ", prefix,
                                             " are Ringway's own"));
  }
  Series series;
  for (const MetricLabel& label : labels)
    series.labels.emplace_back(label.name, label.value);
  std::sort(series.labels.begin(), series.labels.end());
  Added added;  // outlives the lock, which the end of a range takes
  const auto n_cells = static_cast<uint32_t>(
      info.type == MetricType::kHistogram ? bounds.size() + 2 : 1);

  std::lock_guard<std::mutex> lock(internal::MetricsMutex());
  const auto found = metrics_.find(info.name);
  Metric* existing = found == metrics_.end() ? nullptr : &found->second;
  if (existing != nullptr) {
    if (existing->type != info.type || existing->help != info.help)
      return BadMetric(info.name, "it was added with another type or help");
    if (!std::ranges::equal(*existing->bounds, bounds))
      return BadMetric(info.name, "it was added with other bounds");
    if (NamesOf(existing->series.front().labels) != NamesOf(series.labels))
      return BadMetric(info.name, "it was added with labels of other names");
    for (const Series& other : existing->series) {
      if (other.labels != series.labels) continue;
      return Fault(absl::StatusCode::kAlreadyExists, info.name,
                   "it was added with these labels already");
    }
  }
  absl::Status limit = CheckLimits(existing);
  absl::StatusOr<std::shared_ptr<internal::CellRange>> cells =
      limit.ok() ? internal::CellRange::Make(n_cells) : limit;
  if (!cells.ok()) {
    ++n_refused_;
    return Fault(cells.status().code(), info.name, cells.status().message());
  }
  added.cells = *std::move(cells);
  series.cells = added.cells;
  if (existing == nullptr) {
    Metric metric{info.type,
                  std::string(info.help),
                  std::make_shared<const std::vector<double>>(bounds.begin(),
                                                              bounds.end()),
                  {}};
    metric.series.reserve(1);
    existing = &metrics_.emplace(std::string(info.name), std::move(metric))
                    .first->second;
  }
  existing->series.push_back(std::move(series));
  ++n_label_sets_;
  added.bounds = existing->bounds;
  return added;
}

absl::Status MetricRegistry::CheckLimits(const Metric* existing) const {
  if (existing == nullptr && metrics_.size() >= limits_.max_metrics) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are MetricLimits::max_metrics (",
                     limits_.max_metrics, ") metrics already"));
  }
  if (existing != nullptr &&
      existing->series.size() >= limits_.max_label_sets) {
    return absl::ResourceExhaustedError(
        absl::StrCat("it has MetricLimits::max_label_sets (",
                     limits_.max_label_sets, ") sets of labels already"));
  }
  return absl::OkStatus();
}

void MetricRegistry::WriteTo(MetricsText& page) const {
  std::vector<MetricLabel> labels;
  std::vector<uint64_t> counts;
  std::lock_guard<std::mutex> lock(internal::MetricsMutex());
  for (const auto& [name, metric] : metrics_) {
    page.Begin({name, metric.type, "", metric.help});
    for (const Series& series : metric.series) {
      labels.clear();
      for (const auto& [label_name, value] : series.labels)
        labels.push_back({label_name, value});
      if (metric.type == MetricType::kCounter) {
        page.Add(labels, series.cells->Sum(0));
      } else if (metric.type == MetricType::kGauge) {
        page.Add(labels, series.cells->GaugeValue());
      } else {
        const auto n_buckets = static_cast<uint32_t>(metric.bounds->size()) + 1;
        counts.clear();
        for (uint32_t i = 0; i < n_buckets; ++i)
          counts.push_back(series.cells->Sum(i));
        page.Add(labels, MetricBuckets{*metric.bounds, counts,
                                       series.cells->SumOfDoubles(n_buckets)});
      }
    }
  }
}

MetricRegistryStats MetricRegistry::stats() const {
  std::lock_guard<std::mutex> lock(internal::MetricsMutex());
  MetricRegistryStats stats;
  stats.metrics = metrics_.size();
  stats.label_sets = n_label_sets_;
  stats.refused = n_refused_;
  return stats;
}

}  // namespace ringway
