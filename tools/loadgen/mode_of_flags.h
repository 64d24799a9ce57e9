// SPDX-License-Identifier: Apache-2.0
//
// ModeOf: what the flags say of the server and of the requests to it.

#ifndef RINGWAY_TOOLS_LOADGEN_MODE_OF_FLAGS_H_
#define RINGWAY_TOOLS_LOADGEN_MODE_OF_FLAGS_H_

#include "absl/status/statusor.h"
#include "ringway/tools/loadgen/connection/mode.h"
#include "ringway/tools/loadgen/written_flags.h"

namespace ringway::loadgen {

// `written` is what WhyFlagsAreWrong() finds nothing in. A name in a URL is
// looked up, which may take seconds.
//
// Errors: InvalidArgument, NotFound and others for an address, a URL, a header
//         or a file that cannot be used.
absl::StatusOr<Mode> ModeOf(const WrittenFlags& written);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_MODE_OF_FLAGS_H_
