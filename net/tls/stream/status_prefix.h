// SPDX-License-Identifier: Apache-2.0
//
// WithPrefix: an error that says where it happened.

#ifndef RINGWAY_NET_TLS_STREAM_STATUS_PREFIX_H_
#define RINGWAY_NET_TLS_STREAM_STATUS_PREFIX_H_

#include <string_view>

#include "absl/status/status.h"
#include "ringway/core/compiler.h"

namespace ringway::net::internal {

// `status` with "`prefix`: " in front; keeps its code and errno. Leaves
// Cancelled as it is.
absl::Status WithPrefix(std::string_view prefix, const absl::Status& status);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_STATUS_PREFIX_H_
