// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_meter.h"

namespace ringway::loadgen {

namespace {

// What is summed up over phases and over workers alike.
void AddCounts(PhaseCounts& sum, const PhaseCounts& other) {
  sum.offered += other.offered;
  sum.sent += other.sent;
  sum.answered += other.answered;
  sum.dropped += other.dropped;
  sum.lost += other.lost;
  sum.strays += other.strays;
  sum.reopened += other.reopened;
  sum.latency_ns.Merge(other.latency_ns);
  sum.late_ns.Merge(other.late_ns);
  sum.offered_late += other.offered_late;
  sum.send_delay_max_ns =
      std::max(sum.send_delay_max_ns, other.send_delay_max_ns);
  sum.answers += other.answers;
  sum.errors += other.errors;
}

}  // namespace

void PhaseCounts::Add(const PhaseCounts& other) {
  AddCounts(*this, other);
  took += other.took;
  backlog = other.backlog;
  server_rss_bytes = other.server_rss_bytes;
}

void PhaseCounts::Merge(const PhaseCounts& other) {
  AddCounts(*this, other);
  took = std::max(took, other.took);
  backlog += other.backlog;
  server_rss_bytes = std::max(server_rss_bytes, other.server_rss_bytes);
  if (recovered_after.has_value() && other.recovered_after.has_value()) {
    recovered_after = std::max(*recovered_after, *other.recovered_after);
  } else {
    recovered_after.reset();
  }
}

void OpenMeter::BeginPhase(size_t phase, MonotonicTime now) {
  running_ = &counts_[phase];
  began_ = now;
  sampled_ = now;
  recovery_.emplace(now, phases_[phase], workers_);
}

void OpenMeter::Sample(MonotonicTime now) {
  sampled_ = now;
  recovery_->Sample(now, running_->offered, running_->answers);
}

void OpenMeter::EndPhase(MonotonicTime now, uint64_t server_rss_bytes) {
  running_->took = now - began_;
  running_->backlog = unanswered_;
  running_->recovered_after = recovery_->recovered_after();
  running_->server_rss_bytes = server_rss_bytes;
  running_ = nullptr;
}

void OpenMeter::RecordError(int connection, const absl::Status& error) {
  errors_.Record(connection, error);
  if (running_ == nullptr) return;
  ++running_->errors;
  if (has_series_) series_.RecordError(sampled_);
}

}  // namespace ringway::loadgen
