// SPDX-License-Identifier: Apache-2.0
//
// The flags of the load generator, parsed and checked against each other.

#ifndef RINGWAY_TOOLS_LOADGEN_FLAGS_H_
#define RINGWAY_TOOLS_LOADGEN_FLAGS_H_

#include <optional>
#include <vector>

#include "ringway/tools/loadgen/open_loop/open_loop.h"
#include "ringway/tools/loadgen/report/output_files.h"
#include "ringway/tools/loadgen/report/threshold.h"

namespace ringway::loadgen {

struct Flags {
  Flags() {}

  // `open.load` is what both loops are; without phases the loop is closed. What
  // is measured of the server is not set.
  OpenLoopOptions open;
  int server_pid = 0;  // 0: none
  bool json = false;
  bool quiet = false;  // no line for the terminal while it runs
  OutputFiles files;
  std::vector<Threshold> fail_if;
};

// Returns nullopt to continue, otherwise the exit code: 0 after --help, 2 after
// a one-line message on stderr.
std::optional<int> ParseFlags(int argc, char** argv, Flags& flags);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_FLAGS_H_
