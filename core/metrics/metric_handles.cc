// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/metrics/metric_handles.h"

#include <mutex>

namespace ringway {

uint64_t Counter::value() const {
  if (cells_ == nullptr) return 0;
  std::lock_guard<std::mutex> lock(internal::MetricsMutex());
  return cells_->Sum(0);
}

void Gauge::Set(double value) {
  if (cells_ == nullptr) return;
  std::lock_guard<std::mutex> lock(internal::MetricsMutex());
  cells_->base = 0;
  cells_->base = value - cells_->GaugeValue();
}

double Gauge::value() const {
  if (cells_ == nullptr) return 0;
  std::lock_guard<std::mutex> lock(internal::MetricsMutex());
  return cells_->GaugeValue();
}

}  // namespace ringway
