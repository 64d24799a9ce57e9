// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/error_counts.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::loadgen {
namespace {

ErrorKind KindOfCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOutOfRange:
      return ErrorKind::kClosedEarly;
    case absl::StatusCode::kDataLoss:
      return ErrorKind::kWrongReply;
    case absl::StatusCode::kDeadlineExceeded:
      return ErrorKind::kTimedOut;
    case absl::StatusCode::kResourceExhausted:
      return ErrorKind::kLocalLimit;
    default:
      return ErrorKind::kOther;
  }
}

}  // namespace

std::string_view ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kRefused:
      return "refused";
    case ErrorKind::kReset:
      return "reset";
    case ErrorKind::kTimedOut:
      return "timed_out";
    case ErrorKind::kClosedEarly:
      return "closed_early";
    case ErrorKind::kWrongReply:
      return "wrong_reply";
    case ErrorKind::kLocalLimit:
      return "local_limit";
    case ErrorKind::kOther:
      break;
  }
  return "other";
}

ErrorKind ErrorKindOf(const absl::Status& error) {
  switch (ErrnoOf(error)) {
    case ECONNREFUSED:
    case ENOENT:  // a Unix socket's path: its server has not been started
    case EAGAIN:  // a Unix socket whose queue is full
      return ErrorKind::kRefused;
    case ECONNRESET:
    case EPIPE:
      return ErrorKind::kReset;
    case ETIMEDOUT:
      return ErrorKind::kTimedOut;
    case EADDRNOTAVAIL:  // no free port
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return ErrorKind::kLocalLimit;
    default:
      return KindOfCode(error.code());
  }
}

void ErrorCounts::Record(int connection, const absl::Status& error) {
  Kind& kind = kinds_[static_cast<size_t>(ErrorKindOf(error))];
  if (kind.count == 0) {
    kind.first = absl::StrCat("connection ", connection, ": ", error.message());
  }
  ++kind.count;
  if (++total_ == 1) first_ = kind.first;
}

}  // namespace ringway::loadgen
