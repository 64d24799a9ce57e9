// SPDX-License-Identifier: Apache-2.0
//
// Script: prescribed results of operations, to test a program's reaction.
//
//   world.script().Expect(OpCode::kRecv).OnFd(fd).Deliver("hello");
//   world.script().Expect(OpCode::kRecv).ReturnError(ECONNRESET);
//
// Each expectation applies to the first operation that matches it, and each
// operation uses the first matching expectation. Other operations run as
// usual, unless the script is strict: then they fail the test.

#ifndef RINGWAY_BACKENDS_SIM_SCRIPT_H_
#define RINGWAY_BACKENDS_SIM_SCRIPT_H_

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "ringway/backends/operation.h"

namespace ringway::sim {

class Expectation {
 public:
  explicit Expectation(OpCode opcode) : opcode_(opcode) {}

  // The operation ends (a multishot without a delivery) with this result. The
  // default is 0.
  Expectation& Return(int32_t result) {
    result_ = result;
    return *this;
  }
  Expectation& ReturnError(int errnum) { return Return(-errnum); }
  // A read or recv gets these bytes and returns the number that fits.
  Expectation& Deliver(std::string bytes) {
    bytes_ = std::move(bytes);
    return *this;
  }
  // The operation ends this long after its start.
  Expectation& After(absl::Duration delay) {
    delay_ = delay;
    return *this;
  }
  // Only an operation on this fd matches.
  Expectation& OnFd(int fd) {
    fd_ = fd;
    return *this;
  }

  bool Fits(const Operation& op) const {
    return op.opcode == opcode_ && (!fd_.has_value() || *fd_ == op.fd);
  }
  // Applies the expectation to `op` and returns the result, without ending
  // `op`.
  int32_t Play(const Operation& op) const;
  absl::Duration delay() const { return delay_; }
  std::string Describe() const;

 private:
  OpCode opcode_;
  std::optional<int> fd_;
  int32_t result_ = 0;
  std::optional<std::string> bytes_;
  absl::Duration delay_;
};

class Script {
 public:
  // The reference is valid until the expectation is met.
  Expectation& Expect(OpCode opcode) {
    expected_.emplace_back(opcode);
    return expected_.back();
  }

  // From now on every operation must match an expectation, and every
  // expectation must be met before the world ends. `fail`, which by default
  // prints and aborts, is called for each violation; the operation then runs
  // as usual.
  void SetStrict(std::function<void(const std::string& what)> fail = nullptr);

  // The unmet expectations, one a line.
  std::string Unmet() const;

  // Called by the world at its end.
  void Finish() const;

  // Called by the backend: the expectation for `op`, if there is one.
  std::optional<Expectation> Take(const Operation& op);

 private:
  std::list<Expectation> expected_;
  std::function<void(const std::string& what)> fail_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_SCRIPT_H_
