// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/echo_protocol.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {
namespace {

constexpr size_t kMostReadAtOnce = 64 * 1024;

// Room to detect excess bytes.
constexpr size_t kExcess = 64;

}  // namespace

void EchoProtocol::Begin() {
  complete_ = sent_;
  at_ = 0;
}

size_t EchoProtocol::read_bytes() const {
  return static_cast<size_t>(
             std::min<uint64_t>(in_flight() * size_, kMostReadAtOnce)) +
         kExcess;
}

std::span<const std::byte> EchoProtocol::Fill(size_t n, RequestSource&) {
  if (n == 0) return {};
  const bool fresh = outgoing_.size() < n * size_;
  if (fresh) outgoing_.resize(n * size_);
  if (verify_ || fresh) {
    for (size_t i = 0; i < n; ++i) {
      FillRequest(connection_, sent_ + i,
                  std::span(outgoing_).subspan(i * size_, size_));
    }
  }
  outgoing_first_ = sent_;
  sent_ += n;
  return std::span(outgoing_).first(n * size_);
}

absl::Status EchoProtocol::Take(std::span<const std::byte> bytes,
                                RequestSource& source) {
  if (bytes.size() > missing()) {
    return absl::DataLossError(absl::StrCat(
        "the server sent ", bytes.size() - missing(), " bytes too many"));
  }
  const uint64_t before = complete_;
  absl::Status same;
  if (verify_) {
    same = Compare(bytes);
  } else {
    Advance(bytes.size());
  }
  if (complete_ > before)
    source.OnOldestAnswered(static_cast<size_t>(complete_ - before));
  return same;
}

absl::Status EchoProtocol::TakeEnd(RequestSource&) {
  return absl::OutOfRangeError(absl::StrCat(
      "the server hung up with ", missing(), " bytes of replies missing"));
}

absl::Status EchoProtocol::Compare(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::span<const std::byte> expected = Expected();
    const size_t n = std::min(bytes.size(), expected.size());
    if (memcmp(expected.data(), bytes.data(), n) != 0) [[unlikely]] {
      const auto [sent, got] =
          std::mismatch(expected.begin(), expected.end(), bytes.begin());
      Advance(static_cast<size_t>(sent - expected.begin()));
      return absl::DataLossError(absl::StrFormat(
          "byte %d of the reply to request %d is 0x%02x, must be 0x%02x", at_,
          complete_, static_cast<int>(*got), static_cast<int>(*sent)));
    }
    Advance(n);
    bytes = bytes.subspan(n);
  }
  return absl::OkStatus();
}

std::span<const std::byte> EchoProtocol::Expected() {
  if (complete_ >= outgoing_first_) {
    const auto n = static_cast<size_t>(sent_ - outgoing_first_) * size_;
    const auto from =
        static_cast<size_t>(complete_ - outgoing_first_) * size_ + at_;
    return std::span(outgoing_).first(n).subspan(from);
  }
  if (expected_number_ != complete_) {
    expected_.resize(size_);
    FillRequest(connection_, complete_, expected_);
    expected_number_ = complete_;
  }
  return std::span(expected_).subspan(at_);
}

void EchoProtocol::Advance(size_t n_bytes) {
  at_ += n_bytes;
  complete_ += at_ / size_;
  at_ %= size_;
}

}  // namespace ringway::loadgen
