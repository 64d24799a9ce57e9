// SPDX-License-Identifier: Apache-2.0
//
// Counter, Gauge, Distribution: what a program counts and measures. Made by a
// MetricRegistry.
//
// All of them: may be copied, and outlive the registry; one that was made by
// the default constructor counts nothing. What a thread adds appears on pages
// that are written later, and stays there when the thread ends. A thread that
// has no memory for its first use loses what it adds.
//
// Threads: any, at the same time.
// Cost:    a load and a store in memory that no other thread writes: no lock,
//          no locked instruction. The first use by a thread allocates.

#ifndef RINGWAY_CORE_METRICS_METRIC_HANDLES_H_
#define RINGWAY_CORE_METRICS_METRIC_HANDLES_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "ringway/core/metrics/cells.h"

namespace ringway {

class MetricRegistry;

// A number that only grows.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter&) = default;  // moving copies
  Counter& operator=(const Counter&) = default;
  ~Counter() = default;

  void Increment(uint64_t n = 1) {
    internal::AddTo(*internal::ThisThreadsCells(cell_), n);
  }

  // The sum over all threads. Cost: a lock, and a step for each thread.
  uint64_t value() const;

 private:
  friend class MetricRegistry;
  explicit Counter(std::shared_ptr<internal::CellRange> cells)
      : cells_(std::move(cells)), cell_(cells_->first()) {}

  std::shared_ptr<internal::CellRange> cells_;
  uint32_t cell_ = internal::CellRange::kSink;
};

// A number that goes up and down.
class Gauge {
 public:
  Gauge() = default;
  Gauge(const Gauge&) = default;  // moving copies
  Gauge& operator=(const Gauge&) = default;
  ~Gauge() = default;

  // One thread may subtract what another has added.
  void Add(uint64_t n = 1) {
    internal::AddTo(*internal::ThisThreadsCells(cell_), n);
  }
  void Subtract(uint64_t n = 1) { Add(uint64_t{0} - n); }

  // The value from now on, whatever was added and set before. For values that
  // change rarely. Cost: a lock, and a step for each thread.
  void Set(double value);

  // Cost: as Set().
  double value() const;

 private:
  friend class MetricRegistry;
  explicit Gauge(std::shared_ptr<internal::CellRange> cells)
      : cells_(std::move(cells)), cell_(cells_->first()) {}

  std::shared_ptr<internal::CellRange> cells_;
  uint32_t cell_ = internal::CellRange::kSink;
};

// A histogram on the page: how many values are at most so large, for some
// bounds, and their sum. For latencies within the program, see Histogram.
class Distribution {
 public:
  Distribution() = default;
  Distribution(const Distribution&) = default;  // moving copies
  Distribution& operator=(const Distribution&) = default;
  ~Distribution() = default;

  // NaN is ignored. Cost: also a binary search in the bounds.
  void Record(double value) {
    if (std::isnan(value)) return;
    internal::MetricCell* cells = internal::ThisThreadsCells(cell_);
    const auto bucket = static_cast<size_t>(
        std::lower_bound(bounds_.begin(), bounds_.end(), value) -
        bounds_.begin());
    internal::AddTo(cells[bucket], uint64_t{1});
    internal::AddTo(cells[bounds_.size() + 1], value);
  }
  // In seconds. absl::ToDoubleSeconds() divides wide numbers.
  void Record(absl::Duration value) {
    Record(static_cast<double>(absl::ToInt64Nanoseconds(value)) / 1e9);
  }

 private:
  friend class MetricRegistry;
  Distribution(std::shared_ptr<internal::CellRange> cells,
               std::shared_ptr<const std::vector<double>> bounds)
      : cells_(std::move(cells)),
        keeps_bounds_(std::move(bounds)),
        bounds_(*keeps_bounds_),
        cell_(cells_->first()) {}

  std::shared_ptr<internal::CellRange> cells_;
  std::shared_ptr<const std::vector<double>> keeps_bounds_;
  std::span<const double> bounds_;
  uint32_t cell_ = internal::CellRange::kSink;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_METRICS_METRIC_HANDLES_H_
