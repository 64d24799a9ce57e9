// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/error_counts.h"

#include <cerrno>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::loadgen {
namespace {

// No code of a status means this.
constexpr char kBadStatusPayload[] = "ringway/loadgen/bad-status";

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
    case ErrorKind::kBadStatus:
      return "bad_status";
    case ErrorKind::kLocalLimit:
      return "local_limit";
    case ErrorKind::kOther:
      break;
  }
  return "other";
}

absl::Status BadStatusError(int status_code) {
  absl::Status error =
      absl::UnknownError(absl::StrCat("the status is ", status_code));
  error.SetPayload(kBadStatusPayload, absl::Cord());
  return error;
}

ErrorKind ErrorKindOf(const absl::Status& error) {
  if (error.GetPayload(kBadStatusPayload).has_value())
    return ErrorKind::kBadStatus;
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

void ErrorCounts::Merge(const ErrorCounts& other) {
  for (size_t i = 0; i < kinds_.size(); ++i) {
    if (kinds_[i].count == 0) kinds_[i].first = other.kinds_[i].first;
    kinds_[i].count += other.kinds_[i].count;
  }
  if (total_ == 0) first_ = other.first_;
  total_ += other.total_;
}

}  // namespace ringway::loadgen
