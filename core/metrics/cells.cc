// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/metrics/cells.h"

#include <pthread.h>

#include <map>
#include <new>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"

namespace ringway::internal {
namespace {

// Never destroyed: threads may end after main() has returned.
struct CellStore {
  std::mutex mutex;
  std::vector<std::unique_ptr<ThreadCells>> all;
  std::vector<ThreadCells*> free;        // of threads that have ended
  uint32_t n_cells = kMostCellsOfRange;  // the sink comes first
  struct Ranges {
    size_t n_made = 0;
    std::vector<uint32_t> free;  // has room for all of them
  };
  std::map<uint32_t, Ranges> ranges;  // by their length
};

CellStore& Store() {
  static CellStore* const store = [] {
    auto* made = new CellStore();
    RINGWAY_CHECK(pthread_atfork([] { MetricsMutex().lock(); },
                                 [] { MetricsMutex().unlock(); },
                                 [] { MetricsMutex().unlock(); }) == 0,
                  "there is no memory for the metrics' fork handlers");
    return made;
  }();
  return *store;
}

// Gives the thread's cells to the next thread.
class CellsOfThread {
 public:
  ~CellsOfThread();
  // Null without memory.
  ThreadCells* Take();
};

constinit thread_local bool thread_has_ended = false;
thread_local CellsOfThread cells_of_thread;
constinit std::array<MetricCell, kMostCellsOfRange> lost_cells = {};

ThreadCells* CellsOfThread::Take() {
  CellStore& store = Store();
  std::lock_guard<std::mutex> lock(store.mutex);
  if (!store.free.empty()) {
    ThreadCells* cells = store.free.back();
    store.free.pop_back();
    return cells;
  }
  try {
    store.free.reserve(store.all.size() + 1);  // for the destructor
    store.all.push_back(std::make_unique<ThreadCells>());
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  return store.all.back().get();
}

CellsOfThread::~CellsOfThread() {
  thread_has_ended = true;
  if (this_threads_cells == nullptr) return;
  CellStore& store = Store();
  std::lock_guard<std::mutex> lock(store.mutex);
  store.free.push_back(this_threads_cells);
  this_threads_cells = nullptr;
}

// Calls `fn` with each thread's copy of the cell.
template <typename Fn>
void ForEachCopy(uint32_t cell, Fn fn) {
  for (const std::unique_ptr<ThreadCells>& cells : Store().all) {
    CellChunk* chunk =
        cells->chunks[cell / kCellsPerChunk].load(std::memory_order_acquire);
    if (chunk != nullptr) fn(chunk->cells[cell % kCellsPerChunk]);
  }
}

}  // namespace

constinit thread_local ThreadCells* this_threads_cells = nullptr;

std::mutex& MetricsMutex() { return Store().mutex; }

MetricCell* MakeThisThreadsCells(uint32_t first) {
  if (thread_has_ended) return lost_cells.data();
  if (this_threads_cells == nullptr)
    this_threads_cells = cells_of_thread.Take();
  if (this_threads_cells == nullptr) return lost_cells.data();
  std::atomic<CellChunk*>& place =
      this_threads_cells->chunks[first / kCellsPerChunk];
  CellChunk* chunk = place.load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new (std::nothrow) CellChunk();
    if (chunk == nullptr) return lost_cells.data();
    place.store(chunk, std::memory_order_release);
  }
  return &chunk->cells[first % kCellsPerChunk];
}

absl::StatusOr<std::shared_ptr<CellRange>> CellRange::Make(uint32_t n_cells) {
  RINGWAY_CHECK(n_cells >= 1 && n_cells <= kMostCellsOfRange,
                "a metric of %u cells", n_cells);
  CellStore& store = Store();
  CellStore::Ranges& ranges = store.ranges[n_cells];
  if (!ranges.free.empty()) {
    std::shared_ptr<CellRange> range(
        new CellRange(ranges.free.back(), n_cells));
    ranges.free.pop_back();
    return range;
  }
  uint32_t first = store.n_cells;
  const uint32_t left = kCellsPerChunk - first % kCellsPerChunk;
  if (left < n_cells) first += left;
  if (first + n_cells > kMostMetricCells) {
    return absl::ResourceExhaustedError(
        absl::StrCat("all metrics together have kMostMetricCells (",
                     kMostMetricCells, ") cells already"));
  }
  if (ranges.free.capacity() <= ranges.n_made)
    ranges.free.reserve(2 * ranges.n_made + 1);
  std::shared_ptr<CellRange> range(new CellRange(first, n_cells));
  ++ranges.n_made;
  store.n_cells = first + n_cells;
  return range;
}

CellRange::~CellRange() {
  CellStore& store = Store();
  std::lock_guard<std::mutex> lock(store.mutex);
  for (uint32_t i = 0; i < n_cells_; ++i) {
    ForEachCopy(first_ + i, [](MetricCell& cell) {
      cell.store(0, std::memory_order_relaxed);
    });
  }
  store.ranges.find(n_cells_)->second.free.push_back(first_);
}

uint64_t CellRange::Sum(uint32_t index) const {
  uint64_t sum = 0;
  ForEachCopy(first_ + index, [&](const MetricCell& cell) {
    sum += cell.load(std::memory_order_relaxed);
  });
  return sum;
}

double CellRange::SumOfDoubles(uint32_t index) const {
  double sum = 0;
  ForEachCopy(first_ + index, [&](const MetricCell& cell) {
    sum += std::bit_cast<double>(cell.load(std::memory_order_relaxed));
  });
  return sum;
}

}  // namespace ringway::internal
