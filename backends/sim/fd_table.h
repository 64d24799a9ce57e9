// SPDX-License-Identifier: Apache-2.0
//
// FdTable: the descriptors of a simulated world. It assigns the lowest free
// number, as a kernel does, to expose mistakes with reused numbers; the first
// number is so high that a real system call on it fails with EBADF.
//
// It records by what each number was opened, and reports uses of closed
// numbers as errors of the program.

#ifndef RINGWAY_BACKENDS_SIM_FD_TABLE_H_
#define RINGWAY_BACKENDS_SIM_FD_TABLE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "ringway/backends/sim/environment/description.h"
#include "ringway/backends/sim/environment/environment.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

class FdTable {
 public:
  static constexpr int kFirst = 1 << 20;

  explicit FdTable(Environment& environment) : environment_(environment) {}
  FdTable(const FdTable&) = delete;
  FdTable& operator=(const FdTable&) = delete;

  // The new number, or -EMFILE. `by`, which must never be destroyed, is named
  // in the report of a leak.
  int Open(std::shared_ptr<Description> description, std::string_view by);

  // 0 or -EBADF. Closing a number that is not open is an error of the
  // program.
  int Close(int fd, std::string_view by);

  // The description of the number, or null. Using a number that was open and
  // is closed is an error of the program, reported with `by`.
  std::shared_ptr<Description> Get(int fd, std::string_view by);

  bool full() const { return n_open_ >= limit_; }
  void set_limit(size_t n) { limit_ = n; }
  size_t n_open() const { return n_open_; }

  // "fd 1048577, a TCP socket: opened by accept as number 12 at 3ms".
  std::string Describe(int fd) const;
  // One line for each open number; empty if there is none.
  std::string DescribeAll() const;

  // Closes all numbers.
  void Clear(std::string_view by);

 private:
  struct Slot {
    std::shared_ptr<Description> description;  // null: closed
    std::string_view opened_by;
    std::string_view closed_by;
    uint64_t sequence = 0;  // counts all opens
    MonotonicTime opened;
  };

  Slot* SlotOf(int fd);
  void ReportClosed(int fd, const Slot& slot, std::string_view by);

  Environment& environment_;
  std::vector<Slot> slots_;
  std::priority_queue<int, std::vector<int>, std::greater<int>> free_;
  size_t n_open_ = 0;
  size_t limit_ = 20'000;
  uint64_t next_sequence_ = 1;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FD_TABLE_H_
