// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_meter.h"

namespace ringway::loadgen {

void PhaseCounts::Add(const PhaseCounts& other) {
  offered += other.offered;
  sent += other.sent;
  answered += other.answered;
  dropped += other.dropped;
  lost += other.lost;
  latency_ns.Merge(other.latency_ns);
  late_ns.Merge(other.late_ns);
  offered_late += other.offered_late;
  send_delay_max_ns = std::max(send_delay_max_ns, other.send_delay_max_ns);
  took += other.took;
  answers += other.answers;
  errors += other.errors;
  backlog = other.backlog;
  server_rss_bytes = other.server_rss_bytes;
}

void OpenMeter::BeginPhase(size_t phase, MonotonicTime now) {
  running_ = &counts_[phase];
  began_ = now;
  sampled_ = now;
  recovery_.emplace(now, phases_[phase]);
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
