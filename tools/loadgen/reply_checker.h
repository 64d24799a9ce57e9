// SPDX-License-Identifier: Apache-2.0
//
// ReplyChecker: finds the replies in the bytes that a connection receives, and
// compares them with their requests (payload.h).

#ifndef RINGWAY_TOOLS_LOADGEN_REPLY_CHECKER_H_
#define RINGWAY_TOOLS_LOADGEN_REPLY_CHECKER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringway::loadgen {

class ReplyChecker {
 public:
  // Replies of `size` bytes, which is positive, to the requests 0, 1, ... of
  // connection number `connection`. Without `verify` they are only counted.
  ReplyChecker(uint32_t connection, size_t size, bool verify);

  // Takes the bytes that follow those of the last call, when `sent` requests
  // have been sent in all. Returns the number of replies that they complete.
  //
  // Errors: DataLoss, naming request and byte, for a reply that is not its
  //         request, and for bytes beyond the last reply.
  // Cost:   no allocation; a second FillRequest() for each request.
  absl::StatusOr<size_t> Take(std::span<const std::byte> bytes, uint64_t sent);

  // The next byte will be the first of the reply to request number `request`.
  void SkipTo(uint64_t request) {
    complete_ = request;
    at_ = 0;
  }

  // Replies completed, or skipped, so far.
  uint64_t complete() const { return complete_; }

  // The error of a server that closes the connection when `sent` requests
  // have been sent: OutOfRange.
  absl::Status ClosedEarly(uint64_t sent) const;

 private:
  uint64_t Missing(uint64_t sent) const {
    return (sent - complete_) * size_ - at_;
  }
  absl::Status Compare(std::span<const std::byte> part);

  const uint32_t connection_;
  const size_t size_;
  const bool verify_;
  std::vector<std::byte> expected_;  // the reply that is arriving
  size_t at_ = 0;                    // bytes of it that have arrived
  uint64_t complete_ = 0;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPLY_CHECKER_H_
