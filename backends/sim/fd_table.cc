// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/fd_table.h"

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace ringway::sim {

int FdTable::Open(std::shared_ptr<Description> description,
                  std::string_view by) {
  if (full()) return -EMFILE;
  if (free_.empty()) {
    free_.push(static_cast<int>(slots_.size()));
    slots_.emplace_back();
  }
  const int index = free_.top();
  free_.pop();
  slots_[static_cast<size_t>(index)] = {
      std::move(description), by, {}, next_sequence_++, environment_.now()};
  ++n_open_;
  return kFirst + index;
}

int FdTable::Close(int fd, std::string_view by) {
  Slot* slot = SlotOf(fd);
  if (slot == nullptr) {
    environment_.Report(
        absl::StrCat(by, " closes ", fd, ", which was never opened here"));
    return -EBADF;
  }
  if (slot->description == nullptr) {
    ReportClosed(fd, *slot, by);
    return -EBADF;
  }
  slot->closed_by = by;
  --n_open_;
  free_.push(fd - kFirst);
  slot->description.reset();  // last: it may be the end of a connection
  return 0;
}

std::shared_ptr<Description> FdTable::Get(int fd, std::string_view by) {
  Slot* slot = SlotOf(fd);
  if (slot == nullptr) return nullptr;
  if (slot->description == nullptr) ReportClosed(fd, *slot, by);
  return slot->description;
}

FdTable::Slot* FdTable::SlotOf(int fd) {
  const int index = fd - kFirst;
  if (fd < kFirst || static_cast<size_t>(index) >= slots_.size()) {
    return nullptr;
  }
  return &slots_[static_cast<size_t>(index)];
}

void FdTable::ReportClosed(int fd, const Slot& slot, std::string_view by) {
  environment_.Report(absl::StrCat(
      by, " uses fd ", fd, ", which ", slot.closed_by,
      " has closed; opened by ", slot.opened_by, " as number ", slot.sequence));
}

std::string FdTable::Describe(int fd) const {
  const Slot& slot = slots_[static_cast<size_t>(fd - kFirst)];
  return absl::StrCat(
      "fd ", fd, ", a ", slot.description->kind(), ": opened by ",
      slot.opened_by, " as number ", slot.sequence, " at ",
      absl::FormatDuration(slot.opened - MonotonicTime::FromNanoseconds(0)));
}

std::string FdTable::DescribeAll() const {
  std::string text;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].description == nullptr) continue;
    absl::StrAppend(&text, Describe(kFirst + static_cast<int>(i)), "\n");
  }
  return text;
}

void FdTable::Clear(std::string_view by) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].description == nullptr) continue;
    slots_[i].closed_by = by;
    free_.push(static_cast<int>(i));
    slots_[i].description.reset();
  }
  n_open_ = 0;
}

}  // namespace ringway::sim
