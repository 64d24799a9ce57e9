// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/plan.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "ringway/net/stream_model/random.h"

namespace ringway::net::model {
namespace {

// With small send buffers a transfer takes one wake-up per packet.
constexpr uint64_t kMostThroughSmallBuffers = 256 * 1024;

uint64_t SizeOf(Random& random, Theme theme, uint64_t most) {
  const uint64_t wanted =
      theme == Theme::kBulk
          ? random.Pick<uint64_t>({256 * 1024, 2u << 20, 8u << 20})
          : random.Pick<uint64_t>({0, 1, random.Between(2, 100), 4096,
                                   random.Between(5'000, 70'000), 300'000,
                                   1u << 20, 8u << 20});
  return std::min(wanted, most);
}

// Applies to one in `n` ends, and there to one in `low` to `high` steps.
uint32_t Rate(Random& random, uint32_t n, uint32_t low, uint32_t high) {
  return random.OneIn(n) ? static_cast<uint32_t>(random.Between(low, high)) : 0;
}

EndPlan PlanEnd(Random& random, Theme theme, uint64_t most) {
  EndPlan end;
  end.seed = random.Next();
  end.n_bytes = SizeOf(random, theme, most);
  end.largest_write =
      random.Pick<uint64_t>({1 + end.n_bytes / 200, 4096, 16 * 1024,
                             32 * 1024 + 1, 256 * 1024, 8u << 20});
  end.receives = random.Pick<uint32_t>({0, 5, 10, 10});
  end.pauses = Rate(random, 2, 2, 20);
  if (theme == Theme::kBulk) {
    // Writers that wait while receives are paused.
    end.largest_write =
        random.Pick<uint64_t>({32 * 1024 + 1, 256 * 1024, 8u << 20});
    end.receives = random.Pick<uint32_t>({5, 10});
  }
  end.messages = Rate(random, 3, 2, 30);
  const bool cancels = theme == Theme::kCancels;
  end.cancelled_reads = Rate(random, cancels ? 1 : 4, 1, 10);
  end.cancelled_writes =
      theme == Theme::kBulk ? 0 : Rate(random, cancels ? 3 : 16, 1, 30);
  end.holds = Rate(random, theme == Theme::kHolds ? 1 : 4, 1, 8);
  return end;
}

void PlanLeaving(Random& random, Theme theme, PairPlan& pair) {
  if (theme == Theme::kBulk || theme == Theme::kHolds) return;
  if (!random.OneIn(theme == Theme::kResets ? 1 : 4)) return;
  const size_t which = random.Below(2);
  EndPlan& end = pair.ends[which];
  end.leave = theme == Theme::kResets && !random.OneIn(4)
                  ? Leave::kReset
                  : random.Pick({Leave::kDrop, Leave::kClose, Leave::kReset});
  end.leave_by_reader = random.OneIn(2);
  const EndPlan& sender = pair.ends[end.leave_by_reader ? 1 - which : which];
  end.leave_at = random.Below(sender.n_bytes + 1);
}

PairPlan PlanPair(Random& random, Theme theme, const Plan& plan, uint64_t most,
                  bool tls) {
  PairPlan pair;
  pair.transport =
      random.Pick({Transport::kTcp4, Transport::kTcp4, Transport::kTcp6,
                   Transport::kUnix, Transport::kAdopted});
  pair.small_send_buffer = random.OneIn(4);
  if (pair.small_send_buffer) most = std::min(most, kMostThroughSmallBuffers);
  for (size_t& worker : pair.workers) worker = random.Below(plan.workers);
  for (EndPlan& end : pair.ends) end = PlanEnd(random, theme, most);
  PlanLeaving(random, theme, pair);
  // Last, so that the rest of a pair is the same without TLS.
  if (tls) pair.security = random.Pick({Security::kTls12, Security::kTls13});
  return pair;
}

void PlanOptions(Random& random, Theme theme, ExecutorOptions& options) {
  BackendOptions& backend = options.loop.backend;
  const bool few =
      theme == Theme::kHolds || random.OneIn(theme == Theme::kBulk ? 2 : 3);
  backend.receive_buffer_count = few ? random.Pick<uint32_t>({4, 8, 16}) : 256;
  if (random.OneIn(2)) backend.receive_low_water = 1;
  backend.receive_buffer_bytes = random.Pick<uint32_t>({1024, 4096, 16 * 1024});
  backend.share_receive_buffers = random.OneIn(2);
  if (random.OneIn(2)) {
    backend.submission_entries = random.Pick<uint32_t>({1, 2, 8, 64});
    backend.completion_entries =
        std::max<uint32_t>(2, backend.submission_entries);
  }
  if (random.OneIn(3)) backend.receive_copy_bytes = 64 * 1024;
  if (random.OneIn(3))
    backend.receive_own_bytes = random.Pick<uint32_t>({0, 64});
  if (random.OneIn(4)) options.loop.ready_budget = 1;
  if (random.OneIn(4)) options.loop.spin = SpinMode::kOff;
  if (random.OneIn(4)) options.loop.shuffle_seed = 1 + random.Below(1'000'000);
}

}  // namespace

std::string_view ThemeName(Theme theme) {
  switch (theme) {
    case Theme::kMixed:
      return "mixed";
    case Theme::kBulk:
      return "bulk";
    case Theme::kResets:
      return "resets";
    case Theme::kCancels:
      return "cancels";
    case Theme::kHolds:
      return "holds";
  }
  return "?";
}

std::string Plan::Describe() const {
  const BackendOptions& backend = options.loop.backend;
  return absl::StrCat(
      "seed ", seed, ": theme ", ThemeName(theme), ", ", workers, " workers, ",
      pairs.size(), " pairs, ", backend.receive_buffer_count, " buffers of ",
      backend.receive_buffer_bytes, " (copies ", backend.receive_copy_bytes,
      ", own ", backend.receive_own_bytes,
      backend.share_receive_buffers ? ", shared" : "", "), ",
      backend.submission_entries, " submission entries, ready budget ",
      options.loop.ready_budget, ", shuffle ", options.loop.shuffle_seed,
      cut_after > absl::ZeroDuration()
          ? absl::StrCat(", cut after ", absl::FormatDuration(cut_after))
          : "");
}

Plan PlanOf(uint64_t seed, const PlanLimits& limits) {
  return PlanOf(seed, kThemes[Mix(~seed) % std::size(kThemes)], limits);
}

Plan PlanOf(uint64_t seed, Theme theme, const PlanLimits& limits) {
  Random random(seed);
  Plan plan;
  plan.seed = seed;
  plan.theme = theme;
  plan.workers = limits.workers == 0 ? random.Between(1, 2) : limits.workers;
  plan.options.loop.backend = limits.backend;
  PlanOptions(random, theme, plan.options);
  const size_t n_pairs =
      1 + random.Below(theme == Theme::kBulk
                           ? std::min<size_t>(limits.n_pairs, 4)
                           : limits.n_pairs);
  const uint64_t most_each = limits.n_bytes / (2 * n_pairs);
  for (size_t i = 0; i < n_pairs; ++i) {
    plan.pairs.push_back(PlanPair(random, theme, plan, most_each, limits.tls));
  }
  if (theme != Theme::kBulk && random.OneIn(8))
    plan.cut_after = absl::Microseconds(random.Below(20'000));
  return plan;
}

}  // namespace ringway::net::model
