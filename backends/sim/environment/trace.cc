// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/environment/trace.h"

#include <bit>

#include "absl/strings/str_format.h"

namespace ringway::sim {
namespace {

const char* NameOf(TraceEvent event) {
  switch (event) {
    case TraceEvent::kStart:
      return "start";
    case TraceEvent::kFault:
      return "fault";
    case TraceEvent::kDeliver:
      return "deliver";
    case TraceEvent::kEnd:
      return "end";
    case TraceEvent::kCancel:
      return "cancel";
    case TraceEvent::kNotify:
      return "notify";
    case TraceEvent::kSleep:
      return "sleep";
  }
  return "unknown";
}

bool ConcernsAnOperation(TraceEvent event) {
  return event != TraceEvent::kNotify && event != TraceEvent::kSleep;
}

std::string LineFor(const Trace::Entry& entry) {
  std::string line = absl::StrFormat("%14.6f ms  loop %d  %-7s",
                                     entry.time.nanoseconds() / 1e6,
                                     entry.backend, NameOf(entry.event));
  if (ConcernsAnOperation(entry.event)) {
    absl::StrAppendFormat(&line, "  %s fd %d", OpCodeName(entry.opcode),
                          entry.fd);
  }
  absl::StrAppendFormat(&line, "  %d", entry.value);
  return line;
}

}  // namespace

void Trace::Record(const Entry& entry) {
  Mix(static_cast<uint64_t>(entry.time.nanoseconds()));
  Mix(static_cast<uint64_t>(entry.event) |
      static_cast<uint64_t>(entry.opcode) << 8 |
      static_cast<uint64_t>(entry.backend) << 32);
  Mix(static_cast<uint64_t>(entry.fd));
  Mix(static_cast<uint64_t>(entry.value));
  if (write_) write_(LineFor(entry));
}

void Trace::Mix(uint64_t word) {
  hash_ = std::rotl(hash_ ^ word, 29) * 0x9e3779b97f4a7c15;
}

}  // namespace ringway::sim
