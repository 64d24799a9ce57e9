// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/runtime_report.h"

#include <cstddef>
#include <iterator>

namespace ringway::internal {
namespace {

// All but ended_by_code.
constexpr uint64_t RuntimeReport::*kCounters[] = {
    &RuntimeReport::accepted,      &RuntimeReport::accepted_late,
    &RuntimeReport::refused,       &RuntimeReport::ended_ok,
    &RuntimeReport::ended_error,   &RuntimeReport::ended_throw,
    &RuntimeReport::cut,           &RuntimeReport::forced,
    &RuntimeReport::accept_pauses, &RuntimeReport::listeners_failed,
    &RuntimeReport::start_failed,  &RuntimeReport::stop_failed,
    &RuntimeReport::exceptions,    &RuntimeReport::system_calls,
    &RuntimeReport::operations,    &RuntimeReport::turns,
    &RuntimeReport::spins,
};
static_assert(sizeof(RuntimeReport) ==
              std::size(kCounters) * sizeof(uint64_t) +
                  sizeof(RuntimeReport::ended_by_code));

}  // namespace

[[gnu::cold, gnu::noinline]] void Add(RuntimeReport& sum,
                                      const RuntimeReport& one) {
  for (uint64_t RuntimeReport::*counter : kCounters)
    sum.*counter += one.*counter;
  for (size_t i = 0; i < sum.ended_by_code.size(); ++i)
    sum.ended_by_code[i] += one.ended_by_code[i];
}

}  // namespace ringway::internal
