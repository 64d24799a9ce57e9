// SPDX-License-Identifier: Apache-2.0
//
// WorkerShare: which part of a run a worker does. Of everything that is
// numbered, connections and requests, it has every `workers`-th.

#ifndef RINGWAY_TOOLS_LOADGEN_WORKERS_WORKER_SHARE_H_
#define RINGWAY_TOOLS_LOADGEN_WORKERS_WORKER_SHARE_H_

#include "ringway/tools/loadgen/workers/start_line.h"

namespace ringway::loadgen {

struct WorkerShare {
  WorkerShare(int which, int of, StartLine& line)
      : worker(which), workers(of), start(line) {}

  // How many of `n` are this worker's.
  int CountOf(int n) const { return (n - worker + workers - 1) / workers; }
  // The number of the i-th of them.
  int IndexOf(int i) const { return worker + i * workers; }

  int worker;   // from 0; the first one also measures what all share
  int workers;  // at least 1
  StartLine& start;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_WORKERS_WORKER_SHARE_H_
