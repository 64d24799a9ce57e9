// SPDX-License-Identifier: Apache-2.0
//
// ServerFlags: the flags that all sample servers have.

#ifndef RINGWAY_TOOLS_SAMPLES_SERVER_FLAGS_H_
#define RINGWAY_TOOLS_SAMPLES_SERVER_FLAGS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/runtime/runtime.h"
#include "ringway/tools/command_line/command_line.h"

namespace ringway {

class ServerFlags {
 public:
  // Declares them in `flags`, which refer to this from then on.
  explicit ServerFlags(CommandLine& flags);
  ServerFlags(const ServerFlags&) = delete;
  ServerFlags& operator=(const ServerFlags&) = delete;

  // Sets what was given. InvalidArgument for a value that is none.
  absl::Status ApplyTo(Runtime::Builder& builder) const;

  int workers() const { return workers_; }

 private:
  int workers_ = 1;
  int pin_ = -1;
  std::string backend_ = "auto";
  std::string spin_ = "adaptive";
  std::string metrics_;
  std::string trace_;
  absl::Duration stall_budget_;
  absl::Duration drain_ = absl::Seconds(10);
  absl::Duration lame_duck_;
};

// InvalidArgument unless Runtime::Builder::Listen() or BindUdp() can take it.
absl::Status CheckListenAddress(std::string_view address);

}  // namespace ringway

#endif  // RINGWAY_TOOLS_SAMPLES_SERVER_FLAGS_H_
