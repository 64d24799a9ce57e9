// SPDX-License-Identifier: Apache-2.0
//
// Conversion between errno and absl::Status.
//
// Public functions return absl::Status; the errno survives as a payload so
// that a caller can tell ECONNRESET from EPIPE without reading text. Statuses
// without text, used for Cancelled and DeadlineExceeded on hot paths, do not
// allocate.

#ifndef RINGWAY_CORE_ERRNO_STATUS_H_
#define RINGWAY_CORE_ERRNO_STATUS_H_

#include <string_view>

#include "absl/status/status.h"
#include "ringway/core/compiler.h"

namespace ringway {

// The status for `errnum`, whose message is "`what`: <text of errnum>" and
// whose errno ErrnoOf() returns. `what` names the operation and its object:
// "connect to 127.0.0.1:80".
//
// Codes: absl::ErrnoToStatusCode(), except that ECONNRESET and EPIPE are both
//        Unavailable (the peer is gone) and stay distinct by errno.
// Cost:  allocates (text and payload), except for ECANCELED and ETIME, which
//        give absl::CancelledError() and absl::DeadlineExceededError() with
//        neither. Without memory the status is the code alone; nothing is
//        thrown.
absl::Status ErrnoToStatus(int errnum, std::string_view what);

// The same with the message "`what`: `text`", also for ECANCELED and ETIME: for
// errors whose own text says too little.
absl::Status ErrnoToStatus(int errnum, std::string_view what,
                           std::string_view text);

// The errno that `status` was made from, or 0. For the two code-only statuses
// of ErrnoToStatus() it returns ECANCELED and ETIME.
int ErrnoOf(const absl::Status& status);

}  // namespace ringway

#endif  // RINGWAY_CORE_ERRNO_STATUS_H_
