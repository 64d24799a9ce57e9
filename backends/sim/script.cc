// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/script.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/sim/operation_buffers.h"
#include "ringway/core/check.h"

namespace ringway::sim {

int32_t Expectation::Play(const Operation& op) const {
  if (!bytes_.has_value()) return result_;
  Buffers to = TransferOf(op);
  return static_cast<int32_t>(to.Fill(std::as_bytes(std::span(*bytes_))));
}

std::string Expectation::Describe() const {
  return absl::StrCat(OpCodeName(opcode_),
                      fd_.has_value() ? absl::StrCat(" on fd ", *fd_) : "");
}

void Script::SetStrict(std::function<void(const std::string& what)> fail) {
  fail_ = std::move(fail);
  if (fail_) return;
  fail_ = [](const std::string& what) {
    RINGWAY_CHECK(false, "%s", what.c_str());
  };
}

std::string Script::Unmet() const {
  std::string text;
  for (const Expectation& expectation : expected_) {
    absl::StrAppend(&text, expectation.Describe(), "\n");
  }
  return text;
}

void Script::Finish() const {
  if (fail_ && !expected_.empty()) {
    fail_(absl::StrCat("expected, but never started: ", Unmet()));
  }
}

std::optional<Expectation> Script::Take(const Operation& op) {
  const auto found =
      std::find_if(expected_.begin(), expected_.end(),
                   [&](const Expectation& e) { return e.Fits(op); });
  if (found == expected_.end()) {
    if (fail_) {
      fail_(
          absl::StrCat("unexpected ", OpCodeName(op.opcode), " on fd ", op.fd));
    }
    return std::nullopt;
  }
  Expectation taken = std::move(*found);
  expected_.erase(found);
  return taken;
}

}  // namespace ringway::sim
