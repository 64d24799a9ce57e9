// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/ready_shuffler.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ringway {

absl::StatusOr<uint64_t> ReadyShuffler::SeedFromEnvironment() {
  const char* value = secure_getenv("RINGWAY_SHUFFLE_SEED");
  if (value == nullptr || *value == '\0') return 0;
  uint64_t seed = 0;
  if (std::string_view(value) == "random") {
    return uint64_t{std::random_device()()} + 1;  // 0 means no shuffling
  }
  if (absl::SimpleAtoi(value, &seed)) return seed;
  return absl::InvalidArgumentError(
      absl::StrCat("RINGWAY_SHUFFLE_SEED is \"", value,
                   "\", neither a number nor \"random\""));
}

ReadyShuffler::ReadyShuffler(uint64_t seed) : random_(seed) {
  fprintf(stderr,
          "ringway: running ready entries in a random order "
          "(RINGWAY_SHUFFLE_SEED=%" PRIu64 " repeats it)\n",
          seed);
}

Runnable* ReadyShuffler::PopNext(RunnableList& ready) {
  if (left_ == 0) Shuffle(ready);
  if (left_ > 0) --left_;
  return ready.PopFront();
}

void ReadyShuffler::Shuffle(RunnableList& ready) {
  entries_.clear();
  while (Runnable* entry = ready.PopFront()) entries_.push_back(entry);
  left_ = entries_.size();
  // Not std::shuffle, whose order for a seed differs between libraries.
  for (size_t n = entries_.size(); n > 0; --n) {
    std::swap(entries_[n - 1], entries_[random_.Below(n)]);
    ready.PushBack(*entries_[n - 1]);
  }
}

}  // namespace ringway
