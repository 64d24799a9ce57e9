// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/read_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"

namespace ringway::net::internal {
namespace {

// What an emptied buffer keeps, so that small messages in several deliveries
// do not allocate each time.
constexpr size_t kKeptBytes = 4096;

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

ReadBuffer::ReadBuffer(size_t limit_bytes) : limit_bytes_(limit_bytes) {
  RINGWAY_CHECK(limit_bytes > 0, "a BufferedReader of 0 bytes");
}

std::span<const std::byte> ReadBuffer::Front() const {
  if (!copied().empty()) return copied();
  return lent_.bytes();
}

bool ReadBuffer::Gather(size_t n) {
  if (copied().empty() || copied().size() >= n) return true;
  const size_t n_missing = n - copied().size();
  if (!Append(lent_.bytes().first(n_missing))) return false;
  lent_.RemovePrefix(n_missing);
  if (lent_.empty()) lent_.Release();
  return true;
}

size_t ReadBuffer::EndOf(std::string_view delimiter, size_t from) const {
  const size_t n_before = delimiter.size() - 1;  // of it, at the border
  size_t begin = from > n_before ? from - n_before : 0;
  const std::string_view first = AsText(copied());
  const std::string_view second = AsText(lent_.bytes());
  if (begin < first.size()) {
    const size_t found = first.find(delimiter, begin);
    if (found != first.npos) return found + delimiter.size();
    // One that begins in the first and ends in the second.
    begin = std::max(begin, first.size() - std::min(first.size(), n_before));
    for (; begin < first.size(); ++begin) {
      const std::string_view head = first.substr(begin);
      if (delimiter.substr(0, head.size()) == head &&
          second.substr(0, delimiter.size() - head.size()) ==
              delimiter.substr(head.size())) {
        return begin + delimiter.size();
      }
    }
  }
  const size_t found = second.find(delimiter, begin - first.size());
  return found == second.npos ? kNotFound
                              : first.size() + found + delimiter.size();
}

void ReadBuffer::Consume(size_t n) {
  RINGWAY_CHECK(n <= size(), "a BufferedReader consumes %zu of %zu bytes", n,
                size());
  const size_t of_copied = std::min(n, copied().size());
  n_consumed_ += of_copied;
  if (copied().empty()) {
    n_consumed_ = 0;
    copied_.clear();
    if (copied_.capacity() > kKeptBytes) copied_ = std::vector<std::byte>();
  }
  if (of_copied == n) return;
  lent_.RemovePrefix(n - of_copied);
  if (lent_.empty()) lent_.Release();
}

size_t ReadBuffer::MoveTo(std::span<std::byte> to) {
  size_t n_moved = 0;
  while (n_moved < to.size() && size() > 0) {
    const std::span<const std::byte> front = Front();
    const size_t n = std::min(front.size(), to.size() - n_moved);
    memcpy(to.data() + n_moved, front.data(), n);
    Consume(n);
    n_moved += n;
  }
  return n_moved;
}

bool ReadBuffer::Append(std::span<const std::byte> bytes) {
  // A parser that always leaves some must not make it grow for ever.
  if (n_consumed_ >= copied().size()) {
    copied_.erase(copied_.begin(),
                  copied_.begin() + static_cast<ptrdiff_t>(n_consumed_));
    n_consumed_ = 0;
  }
  try {
    copied_.insert(copied_.end(), bytes.begin(), bytes.end());
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

bool ReadBuffer::StopBorrowing() {
  if (lent_.empty()) return true;
  if (!Append(lent_.bytes())) return false;
  lent_.Release();
  return true;
}

void ReadBuffer::Add(ReceivedBuffer bytes) {
  if (bytes.empty()) {
    ended_ = true;
  } else {
    lent_ = std::move(bytes);
  }
}

bool ReadBuffer::PutBack(std::span<const std::byte> bytes) {
  try {
    copied_.insert(copied_.begin() + static_cast<ptrdiff_t>(n_consumed_),
                   bytes.begin(), bytes.end());
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

// --- ReadGoal

ReadGoal::ReadGoal(ReadBuffer& buffer, std::string_view delimiter,
                   size_t n_bytes)
    : buffer_(buffer),
      n_bytes_(std::min(n_bytes, buffer.limit_bytes())),
      delimiter_(delimiter) {
  RINGWAY_CHECK(!delimiter.empty(), "a BufferedReader reads until nothing");
}

absl::StatusOr<std::string_view> ReadGoal::TakeText(const absl::Status& end) {
  if (!end.ok()) return end;
  if (outcome_ == Outcome::kEnded) {
    if (buffer_.size() == 0) return std::string_view();
    return absl::OutOfRangeError(absl::StrCat("the stream ended after ",
                                              buffer_.size(),
                                              " bytes without a delimiter"));
  }
  buffer_.ConsumeLater(found_);
  return AsText(buffer_.Front().first(found_));
}

ReadGoal::Outcome ReadGoal::Attempt() {
  if (copies_) {
    n_copied_ += buffer_.MoveTo(to_.subspan(n_copied_));
    if (n_copied_ == to_.size()) return Outcome::kReached;
    return buffer_.ended() ? Outcome::kEnded : Outcome::kMore;
  }
  size_t n_wanted = n_bytes_;
  if (!delimiter_.empty()) {
    n_wanted = buffer_.EndOf(delimiter_, n_scanned_);
    n_scanned_ = buffer_.size();
    if (n_wanted > n_bytes_ &&
        (n_wanted != ReadBuffer::kNotFound || buffer_.size() >= n_bytes_)) {
      return Outcome::kTooLong;
    }
    found_ = n_wanted;
  } else if (n_wanted > buffer_.limit_bytes()) {
    return Outcome::kTooLong;
  }
  const bool reached = n_wanted <= buffer_.size();
  if (!reached && !buffer_.ended()) return Outcome::kMore;
  if (!buffer_.Gather(std::min(n_wanted, buffer_.size())))
    return Outcome::kNoMemory;
  return reached ? Outcome::kReached : Outcome::kEnded;
}

bool ReadGoal::Try() {
  outcome_ = Attempt();
  return outcome_ != Outcome::kMore;
}

bool ReadGoal::PrepareToWait() {
  if (buffer_.StopBorrowing()) return true;
  outcome_ = Outcome::kNoMemory;
  return false;
}

bool ReadGoal::Take(ReceivedBuffer bytes) noexcept {
  buffer_.Add(std::move(bytes));
  return Try() || !PrepareToWait();
}

absl::Status ReadGoal::TooLong() const {
  if (delimiter_.empty()) {
    return absl::ResourceExhaustedError(
        absl::StrCat(n_bytes_, " bytes at once exceed the reader's limit of ",
                     buffer_.limit_bytes()));
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("no delimiter within the limit of ", n_bytes_, " bytes"));
}

absl::Status ReadGoal::End(const absl::Status& received) {
  absl::Status end = received;
  if (received.ok()) {
    if (outcome_ == Outcome::kTooLong) end = TooLong();
    if (outcome_ == Outcome::kNoMemory)
      end = absl::ResourceExhaustedError("no memory for received bytes");
    if (copies_ && outcome_ == Outcome::kEnded) {
      end = absl::OutOfRangeError(absl::StrCat(
          "the stream ended after ", n_copied_, " of ", to_.size(), " bytes"));
    }
  }
  // What the caller does not get stays for the next read.
  if (!end.ok() && n_copied_ > 0 && !buffer_.PutBack(to_.first(n_copied_))) {
    return absl::DataLossError(absl::StrCat("no memory to keep ", n_copied_,
                                            " bytes after: ", end.message()));
  }
  return end;
}

}  // namespace ringway::net::internal
