// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/direct_options.h"

#include "ringway/core/check_option.h"

namespace ringway::fs {

absl::Status CheckDirectFileOptions(const DirectFileOptions& o) {
  for (const absl::Status& status : {
           CheckOption("DirectFileOptions::open.append", o.open.append, 0, 0),
           CheckOption("DirectFileOptions::mode", o.mode, DirectMode::kOff),
           CheckOption("DirectFileOptions::polling", o.polling,
                       DirectPolling::kRequired),
           CheckOption("DirectFileOptions::max_in_flight", o.max_in_flight, 1,
                       32'768),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ringway::fs
