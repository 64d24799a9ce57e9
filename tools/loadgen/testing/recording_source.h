// SPDX-License-Identifier: Apache-2.0
//
// RecordingSource: a RequestSource that hands out what a test allows, and
// records what it is told.

#ifndef RINGWAY_TOOLS_LOADGEN_TESTING_RECORDING_SOURCE_H_
#define RINGWAY_TOOLS_LOADGEN_TESTING_RECORDING_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ringway/tools/loadgen/connection/request_source.h"

namespace ringway::loadgen::testing {

class RecordingSource final : public RequestSource {
 public:
  RecordingSource() = default;
  // In turns: `batch` requests at a time, until `last` have been answered.
  RecordingSource(size_t batch, uint64_t last)
      : batch_(batch), last_(last), in_turns_(true) {}

  // Not in turns: `n` more are due.
  void Offer(size_t n) {
    waiting_ += n;
    due().NotifyOne();
  }
  // The end.
  void End() {
    ended_ = true;
    due().NotifyOne();
  }

  bool in_turns() const override { return in_turns_; }
  size_t Take(size_t most) override {
    const size_t n = std::min(most, in_turns_ ? batch_ : waiting_);
    waiting_ -= in_turns_ ? 0 : n;
    taken += n;
    return n;
  }
  void OnOldestAnswered(size_t n) override { answered += n; }
  void OnAnswered(uint64_t number) override {
    ++answered;
    numbers.push_back(number);
  }
  void OnFailed(uint64_t number, const absl::Status& why) override {
    failed.emplace_back(number, why);
  }
  void OnReopened() override { ++reopened; }
  void OnLost(uint64_t number) override { lost.push_back(number); }
  void OnStray() override { ++strays; }
  bool ended() const override {
    return ended_ || (in_turns_ && answered + failed.size() >= last_);
  }

  uint64_t taken = 0;
  uint64_t answered = 0;
  std::vector<uint64_t> numbers;  // answered, where they were told
  std::vector<std::pair<uint64_t, absl::Status>> failed;
  uint64_t reopened = 0;
  std::vector<uint64_t> lost;
  uint64_t strays = 0;

 private:
  const size_t batch_ = 0;
  const uint64_t last_ = 0;
  const bool in_turns_ = false;
  size_t waiting_ = 0;
  bool ended_ = false;
};

}  // namespace ringway::loadgen::testing

#endif  // RINGWAY_TOOLS_LOADGEN_TESTING_RECORDING_SOURCE_H_
