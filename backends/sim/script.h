// SPDX-License-Identifier: Apache-2.0
//
// Script: results laid down beforehand, for tests of what a program does with
// them.
//
//   world.script().Expect(OpCode::kRecv).OnFd(fd).Deliver("hello");
//   world.script().Expect(OpCode::kRecv).ReturnError(ECONNRESET);
//
// An expectation is met once, by the first operation that fits; the first one
// that fits is taken. Operations without one do what they always do - unless
// the script is strict: then they fail the test.

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

  // The operation ends - or, if it is a multishot, ends without a delivery -
  // with this result. By default with 0.
  Expectation& Return(int32_t result) {
    result_ = result;
    return *this;
  }
  Expectation& ReturnError(int errnum) { return Return(-errnum); }
  // A read or recv finds these bytes and returns how many fit.
  Expectation& Deliver(std::string bytes) {
    bytes_ = std::move(bytes);
    return *this;
  }
  // So long after it was started.
  Expectation& After(absl::Duration delay) {
    delay_ = delay;
    return *this;
  }
  // Only an operation on this fd fits.
  Expectation& OnFd(int fd) {
    fd_ = fd;
    return *this;
  }

  bool Fits(const Operation& op) const {
    return op.opcode == opcode_ && (!fd_.has_value() || *fd_ == op.fd);
  }
  // Does what it says to `op`, but for ending it. Returns the result.
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
  // The reference is good until the expectation is met.
  Expectation& Expect(OpCode opcode) {
    expected_.emplace_back(opcode);
    return expected_.back();
  }

  // From now on every operation has to be expected, and everything expected has
  // to come before the world ends; `fail`, which by default prints and aborts,
  // is told of what was not and did not. An operation then does what it always
  // does.
  void SetStrict(std::function<void(const std::string& what)> fail = nullptr);

  // What was expected and has not come; a line each.
  std::string Unmet() const;

  // The world's, at its end.
  void Finish() const;

  // The backend's: what `op` is to be given, if there is something.
  std::optional<Expectation> Take(const Operation& op);

 private:
  std::list<Expectation> expected_;
  std::function<void(const std::string& what)> fail_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_SCRIPT_H_
