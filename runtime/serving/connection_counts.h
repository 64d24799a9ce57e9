// SPDX-License-Identifier: Apache-2.0
//
// ConnectionCounts: what has become of a server's connections.

#ifndef RINGWAY_RUNTIME_SERVING_CONNECTION_COUNTS_H_
#define RINGWAY_RUNTIME_SERVING_CONNECTION_COUNTS_H_

#include <array>
#include <cstdint>

#include "ringway/core/compiler.h"

namespace ringway {

struct ConnectionCounts {
  uint64_t accepted = 0;
  // Of these, after the shutdown had begun: clients that were queued.
  uint64_t accepted_late = 0;
  uint64_t refused = 0;      // closed at once: a limit, or no memory
  uint64_t ended_ok = 0;     // handlers that returned OK
  uint64_t ended_error = 0;  // that returned another status
  uint64_t ended_throw = 0;  // that threw
  // Handlers that returned, by absl::StatusCode.
  std::array<uint64_t, 17> ended_by_code = {};
  // Still open at the drain deadline, then cancelled; UDP handlers that drain
  // count, too.
  uint64_t cut = 0;
  // Not even ended cut_grace after that; the executor's end destroyed them.
  uint64_t forced = 0;
  // Times that accepting stopped because of a limit, until there was room.
  uint64_t accept_pauses = 0;
  // Listeners whose socket became unusable, and UDP handlers that failed;
  // reported on stderr at once.
  uint64_t listeners_failed = 0;
};

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_SERVING_CONNECTION_COUNTS_H_
