// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/reply_checker.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {

ReplyChecker::ReplyChecker(uint32_t connection, size_t size, bool verify)
    : connection_(connection),
      size_(size),
      verify_(verify),
      expected_(verify ? size : 0) {}

absl::StatusOr<size_t> ReplyChecker::Take(std::span<const std::byte> bytes,
                                          uint64_t sent) {
  const uint64_t missing = Missing(sent);
  if (bytes.size() > missing) {
    return absl::DataLossError(absl::StrCat(
        "the server sent ", bytes.size() - missing, " bytes too many"));
  }
  const uint64_t before = complete_;
  while (!bytes.empty()) {
    const std::span<const std::byte> part =
        bytes.first(std::min(bytes.size(), size_ - at_));
    if (absl::Status same = Compare(part); !same.ok()) return same;
    bytes = bytes.subspan(part.size());
    at_ += part.size();
    if (at_ < size_) break;
    at_ = 0;
    ++complete_;
  }
  return static_cast<size_t>(complete_ - before);
}

absl::Status ReplyChecker::ClosedEarly(uint64_t sent) const {
  return absl::OutOfRangeError(absl::StrCat(
      "the server hung up with ", Missing(sent), " bytes of replies missing"));
}

absl::Status ReplyChecker::Compare(std::span<const std::byte> part) {
  if (!verify_) return absl::OkStatus();
  if (at_ == 0) FillRequest(connection_, complete_, expected_);
  if (memcmp(&expected_[at_], part.data(), part.size()) == 0) [[likely]] {
    return absl::OkStatus();
  }
  const auto [expected, got] =
      std::mismatch(expected_.begin() + static_cast<ptrdiff_t>(at_),
                    expected_.end(), part.begin(), part.end());
  return absl::DataLossError(absl::StrFormat(
      "byte %d of the reply to request %d is 0x%02x, must be 0x%02x",
      expected - expected_.begin(), complete_, static_cast<int>(*got),
      static_cast<int>(*expected)));
}

}  // namespace ringway::loadgen
