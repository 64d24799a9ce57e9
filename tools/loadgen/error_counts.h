// SPDX-License-Identifier: Apache-2.0
//
// ErrorCounts: the errors of a load run, counted by kind, with the first one
// of each.

#ifndef RINGWAY_TOOLS_LOADGEN_ERROR_COUNTS_H_
#define RINGWAY_TOOLS_LOADGEN_ERROR_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ringway::loadgen {

enum class ErrorKind : uint8_t {
  kRefused,      // no server at the address, or its queue is full
  kReset,        // by the server, while connecting, writing or reading
  kTimedOut,     // no connection, or no reply, in time
  kClosedEarly,  // by the server, before its reply was complete
  kWrongReply,   // other bytes than the request's, or too many
  kBadStatus,    // of HTTP, not 200 to 299
  kLocalLimit,   // this machine is out of ports, files or memory
  kOther,
};
inline constexpr std::array<ErrorKind, 8> kErrorKinds = {
    ErrorKind::kRefused,     ErrorKind::kReset,      ErrorKind::kTimedOut,
    ErrorKind::kClosedEarly, ErrorKind::kWrongReply, ErrorKind::kBadStatus,
    ErrorKind::kLocalLimit,  ErrorKind::kOther};

// "refused", "reset", "timed_out" and so on: the names in the reports.
std::string_view ErrorKindName(ErrorKind kind);

// The error of a request that was answered with this status.
absl::Status BadStatusError(int status_code);

// `error` is not OK. OutOfRange is a connection closed early, DataLoss a wrong
// reply, DeadlineExceeded a time-out; the rest is known by its errno.
ErrorKind ErrorKindOf(const absl::Status& error);

// One thread.
class ErrorCounts {
 public:
  void Record(int connection, const absl::Status& error);
  // Adds those of another thread; the first ones stay, if there are some.
  void Merge(const ErrorCounts& other);

  uint64_t total() const { return total_; }
  uint64_t count(ErrorKind kind) const { return Of(kind).count; }
  // Empty if there was none: "connection 3: connect to ...".
  const std::string& first(ErrorKind kind) const { return Of(kind).first; }
  const std::string& first() const { return first_; }

 private:
  struct Kind {
    uint64_t count = 0;
    std::string first;
  };

  const Kind& Of(ErrorKind kind) const {
    return kinds_[static_cast<size_t>(kind)];
  }

  uint64_t total_ = 0;
  std::string first_;
  std::array<Kind, kErrorKinds.size()> kinds_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_ERROR_COUNTS_H_
