// SPDX-License-Identifier: Apache-2.0
//
// LogHistory: what the writers of a log know of it, to check the log against
// after any number of crashes.

#ifndef RINGWAY_FS_LOG_TESTING_LOG_HISTORY_H_
#define RINGWAY_FS_LOG_TESTING_LOG_HISTORY_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/log/testing/log_tasks.h"

namespace ringway::fs::testing {

// Each record must have data of its own.
class LogHistory {
 public:
  // Before an append, and when it has ended well. What ends otherwise may be
  // there or not, but stays what it is found to be.
  void Attempt(const std::string& data) { open_.insert(data); }
  void Acknowledge(uint64_t sequence, const std::string& data) {
    open_.erase(data);
    if (!durable_.emplace(sequence, data).second)
      Complain(sequence, "was acknowledged twice");
  }
  // Before a TruncateBefore().
  void Truncate(uint64_t sequence) {
    truncated_ = std::max(truncated_, sequence);
  }
  void Complain(uint64_t sequence, const std::string& what) {
    absl::StrAppend(&violations_, "record ", sequence, " ", what, "\n");
  }

  uint64_t acknowledged() const { return durable_.size(); }
  // One a line.
  const std::string& violations() const { return violations_; }

  // Reads a log that has just been opened: what it has is durable from now on.
  // False if it could not be read.
  Task<bool> Check(AppendLog& log) {
    std::set<std::string> seen;
    uint64_t sequence = log.first_sequence();
    if (sequence > std::max<uint64_t>(truncated_, 1))
      Complain(sequence, "is the first, but fewer were truncated");
    LogReader reader = log.Read();
    while (true) {
      Task<absl::StatusOr<std::optional<LogEntry>>> next = reader.Next();
      const absl::StatusOr<std::optional<LogEntry>> entry =
          co_await std::move(next);
      if (absl::IsDataLoss(entry.status()))
        Complain(sequence, entry.status().ToString());
      if (!entry.ok()) co_return false;
      if (!entry->has_value()) break;
      const std::string data = AsString((*entry)->data);
      if ((*entry)->sequence != sequence)
        Complain(sequence, "is missing: gap or disorder");
      if (!seen.insert(data).second) Complain(sequence, "is there twice");
      CheckRecord(sequence++, data);
    }
    if (!durable_.empty() && durable_.rbegin()->first >= sequence)
      Complain(durable_.rbegin()->first, "was acknowledged and is gone");
    co_return true;
  }

 private:
  void CheckRecord(uint64_t sequence, const std::string& data) {
    const auto known = durable_.find(sequence);
    if (known == durable_.end()) {
      if (open_.erase(data) == 0) Complain(sequence, "was never appended");
      durable_.emplace(sequence, data);
    } else if (known->second != data) {
      Complain(sequence, "has other data");
    }
  }

  std::map<uint64_t, std::string> durable_;  // acknowledged, or recovered
  std::set<std::string> open_;               // attempted, of unknown end
  uint64_t truncated_ = 0;
  std::string violations_;
};

}  // namespace ringway::fs::testing

#endif  // RINGWAY_FS_LOG_TESTING_LOG_HISTORY_H_
