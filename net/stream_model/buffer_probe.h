// SPDX-License-Identifier: Apache-2.0
//
// ProbeBuffers: whether every receive buffer of a worker has come back.

#ifndef RINGWAY_NET_STREAM_MODEL_BUFFER_PROBE_H_
#define RINGWAY_NET_STREAM_MODEL_BUFFER_PROBE_H_

#include "absl/status/status.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"

namespace ringway::net::model {

// Receives in as many streams at once as there are buffers, less one, and keeps
// what comes:
// with all buffers at hand, deliveries are copied only once fewer are left than
// BackendOptions::receive_low_water says. OK without a look where there are too
// many buffers for that.
Task<absl::Status> ProbeBuffers(Loop& loop, const ExecutorOptions& options);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_BUFFER_PROBE_H_
