// SPDX-License-Identifier: Apache-2.0
//
// CellRange: numbers that every thread adds to without contention.
//
// Each thread has a copy of every cell, which it alone writes; a reader sums
// the copies. When a thread ends, its copies stay as they are, and the next
// thread that starts goes on with them: nothing is lost, and there are as many
// copies as threads have been alive at a time.

#ifndef RINGWAY_CORE_METRICS_CELLS_H_
#define RINGWAY_CORE_METRICS_CELLS_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include "ringway/core/compiler.h"

namespace ringway {

// The most cells of all metrics of a process: a counter or gauge has one, a
// histogram one for each bucket and one for the sum. Bounds the memory of a
// thread to 512 KiB.
inline constexpr uint32_t kMostMetricCells = 1u << 16;

namespace internal {

using MetricCell = std::atomic<uint64_t>;

// Memory is allocated in pieces of this many cells. A page of it is not shared
// with other threads' writes.
inline constexpr uint32_t kCellsPerChunk = 512;

// The most cells of one range.
inline constexpr uint32_t kMostCellsOfRange = 80;

struct alignas(64) CellChunk {
  std::array<MetricCell, kCellsPerChunk> cells = {};
};

struct ThreadCells {
  std::array<std::atomic<CellChunk*>, kMostMetricCells / kCellsPerChunk>
      chunks = {};
};

// Of this thread; null before its first use of a cell and at its very end.
extern constinit thread_local ThreadCells* this_threads_cells;

// Makes this thread's copy of the cells. If there is no memory for it, or the
// thread's thread_local objects are being destroyed, what is added is lost.
[[gnu::noinline, gnu::cold]] MetricCell* MakeThisThreadsCells(uint32_t first);

// This thread's copy of the cell and of those that follow in its range.
inline MetricCell* ThisThreadsCells(uint32_t first) {
  if (ThreadCells* mine = this_threads_cells; mine != nullptr) [[likely]] {
    CellChunk* chunk =
        mine->chunks[first / kCellsPerChunk].load(std::memory_order_relaxed);
    if (chunk != nullptr) [[likely]]
      return &chunk->cells[first % kCellsPerChunk];
  }
  return MakeThisThreadsCells(first);
}

// No other thread writes `cell`, so this needs no locked instruction.
inline void AddTo(MetricCell& cell, uint64_t n) {
  cell.store(cell.load(std::memory_order_relaxed) + n,
             std::memory_order_relaxed);
}
inline void AddTo(MetricCell& cell, double n) {
  const auto old = std::bit_cast<double>(cell.load(std::memory_order_relaxed));
  cell.store(std::bit_cast<uint64_t>(old + n), std::memory_order_relaxed);
}

// The lock of everything about metrics but adding. One for the process, so
// that a fork can take it: in the child it is free.
std::mutex& MetricsMutex();

// A few cells that begin as 0; given back for reuse.
class CellRange {
 public:
  // The cell of handles without a range; its value is never read.
  static constexpr uint32_t kSink = 0;

  // Errors: ResourceExhausted: kMostMetricCells. `n_cells` is 1 to
  // kMostCellsOfRange. The caller holds MetricsMutex(), but not when the range
  // is destroyed.
  static absl::StatusOr<std::shared_ptr<CellRange>> Make(uint32_t n_cells);
  CellRange(const CellRange&) = delete;
  CellRange& operator=(const CellRange&) = delete;
  ~CellRange();

  uint32_t first() const { return first_; }

  // The sum over all threads. The caller holds MetricsMutex(). What threads add
  // meanwhile may be included.
  uint64_t Sum(uint32_t index) const;
  double SumOfDoubles(uint32_t index) const;
  // The sum of the first cell, which may be negative, and `base`.
  double GaugeValue() const {
    return base + static_cast<double>(static_cast<int64_t>(Sum(0)));
  }

  // What to add to the sum of a gauge; under MetricsMutex().
  double base = 0;

 private:
  CellRange(uint32_t first, uint32_t n_cells)
      : first_(first), n_cells_(n_cells) {}

  const uint32_t first_;
  const uint32_t n_cells_;
};

}  // namespace internal
}  // namespace ringway

#endif  // RINGWAY_CORE_METRICS_CELLS_H_
