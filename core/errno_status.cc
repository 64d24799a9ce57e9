// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/errno_status.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/cancelled_status.h"

namespace ringway {
namespace {

constexpr std::string_view kErrnoPayload = "ringway/errno";

absl::StatusCode CodeOf(int errnum) {
  switch (errnum) {
    case ECONNRESET:
    case EPIPE:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::ErrnoToStatusCode(errnum);
  }
}

absl::Status StatusWithText(int errnum, std::string_view what,
                            std::string_view text) {
  absl::Status status(CodeOf(errnum), absl::StrCat(what, ": ", text));
  status.SetPayload(kErrnoPayload, absl::Cord(absl::StrCat(errnum)));
  return status;
}

}  // namespace

absl::Status ErrnoToStatus(int errnum, std::string_view what) {
  if (errnum == 0) return absl::OkStatus();
  if (errnum == ECANCELED) return CancelledStatus();
  if (errnum == ETIME)
    return absl::Status(absl::StatusCode::kDeadlineExceeded, "");
  char text[128];
  // The GNU strerror_r: returns the text, which may or may not be in the
  // buffer.
  return ErrnoToStatus(errnum, what, strerror_r(errnum, text, sizeof(text)));
}

absl::Status ErrnoToStatus(int errnum, std::string_view what,
                           std::string_view text) {
  try {
    return StatusWithText(errnum, what, text);
  } catch (const std::bad_alloc&) {
    return absl::Status(CodeOf(errnum), "");
  }
}

int ErrnoOf(const absl::Status& status) {
  if (status.ok()) return 0;
  if (absl::optional<absl::Cord> payload = status.GetPayload(kErrnoPayload)) {
    int errnum = 0;
    return absl::SimpleAtoi(std::string(*payload), &errnum) ? errnum : 0;
  }
  if (status.message().empty() && absl::IsCancelled(status)) return ECANCELED;
  if (status.message().empty() && absl::IsDeadlineExceeded(status))
    return ETIME;
  return 0;
}

}  // namespace ringway
