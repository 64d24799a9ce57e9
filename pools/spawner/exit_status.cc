// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/spawner/exit_status.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace ringway {

std::string ExitStatus::ToString() const {
  if (signal_ == 0) return absl::StrCat("exit code ", code_);
  const char* name = sigdescr_np(signal_);
  return absl::StrCat("signal ", signal_, " (", name == nullptr ? "?" : name,
                      core_dumped_ ? "), core dumped" : ")");
}

}  // namespace ringway
