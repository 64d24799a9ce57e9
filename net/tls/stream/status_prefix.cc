// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/stream/status_prefix.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace ringway::net::internal {

absl::Status WithPrefix(std::string_view prefix, const absl::Status& status) {
  if (status.ok() || absl::IsCancelled(status)) return status;
  absl::Status named(status.code(),
                     absl::StrCat(std::string(prefix), ": ", status.message()));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    named.SetPayload(type, payload);
  });
  return named;
}

}  // namespace ringway::net::internal
