// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/signals/signal_set.h"

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ringway::internal {
namespace {

// Why `number` cannot be waited for; null if it can.
const char* WhyNot(int number) {
  switch (number) {
    case SIGKILL:
    case SIGSTOP:
      return "the kernel lets no program handle it";
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGSEGV:
    case SIGSYS:
    case SIGTRAP:
      return "a thread causes it and cannot continue";
    default:
      break;
  }
  if (number < 1 || number > SIGRTMAX) return "there is no such signal";
  // Those between the standard and the real-time signals.
  if (number > SIGSYS && number < SIGRTMIN) return "the C library uses it";
  return nullptr;
}

}  // namespace

absl::StatusOr<SignalSet> SignalSet::Of(absl::Span<const int> numbers) {
  if (numbers.empty())
    return absl::InvalidArgumentError("no signal to wait for was named");
  SignalSet set;
  for (const int number : numbers) {
    if (const char* reason = WhyNot(number)) {
      return absl::InvalidArgumentError(absl::StrCat(
          NameOfSignal(number), " cannot be waited for: ", reason));
    }
    set.Add(number);
  }
  return set;
}

std::string SignalSet::ToString() const {
  std::string text;
  ForEach([&text](int number) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", NameOfSignal(number));
  });
  return text;
}

std::string NameOfSignal(int number) {
  const char* name = sigabbrev_np(number);
  return name != nullptr ? absl::StrCat("SIG", name)
                         : absl::StrCat("signal ", number);
}

}  // namespace ringway::internal
