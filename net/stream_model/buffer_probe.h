// SPDX-License-Identifier: Apache-2.0
//
// ProbeBuffers: checks that all receive buffers of a worker were returned.

#ifndef RINGWAY_NET_STREAM_MODEL_BUFFER_PROBE_H_
#define RINGWAY_NET_STREAM_MODEL_BUFFER_PROBE_H_

#include "absl/status/status.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"

namespace ringway::net::model {

// Receives on one stream fewer than there are buffers and keeps the
// deliveries: if all buffers are available, deliveries are copied only when
// fewer than BackendOptions::receive_low_water are left. Returns OK without a
// check if there are too many buffers for that.
Task<absl::Status> ProbeBuffers(Loop& loop, const ExecutorOptions& options);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_BUFFER_PROBE_H_
