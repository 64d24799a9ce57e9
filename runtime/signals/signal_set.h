// SPDX-License-Identifier: Apache-2.0
//
// SignalSet: some of the signals that a program can wait for.

#ifndef RINGWAY_RUNTIME_SIGNALS_SIGNAL_SET_H_
#define RINGWAY_RUNTIME_SIGNALS_SIGNAL_SET_H_

#include <signal.h>

#include <bit>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ringway/core/compiler.h"

namespace ringway::internal {

class SignalSet {
 public:
  SignalSet() = default;

  // Equal numbers count once.
  //
  // Errors: InvalidArgument with the name of a signal that cannot be waited
  //         for, and for no signal at all.
  static absl::StatusOr<SignalSet> Of(absl::Span<const int> numbers);

  void Add(int number) { bits_ |= Bit(number); }
  void Add(SignalSet other) { bits_ |= other.bits_; }

  bool Contains(int number) const {
    return number > 0 && number < NSIG && (bits_ & Bit(number)) != 0;
  }
  bool IsWithin(SignalSet other) const { return (bits_ & ~other.bits_) == 0; }

  // Calls `fn` with each number, in ascending order.
  template <typename F>
  void ForEach(F fn) const {
    for (uint64_t rest = bits_; rest != 0; rest &= rest - 1)
      fn(std::countr_zero(rest) + 1);
  }
  // "SIGHUP, SIGUSR1".
  std::string ToString() const;

 private:
  static uint64_t Bit(int number) { return uint64_t{1} << (number - 1); }

  uint64_t bits_ = 0;
};

// "SIGHUP"; "signal 40" for one without a name.
std::string NameOfSignal(int number);

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_SIGNALS_SIGNAL_SET_H_
