// SPDX-License-Identifier: Apache-2.0
//
// All headers needed for servers, for programs that depend on
// @ringway//:ringway. docs/targets.md lists smaller targets, and those not
// included here: loops, operations and the simulator.

#ifndef RINGWAY_RINGWAY_H_
#define RINGWAY_RINGWAY_H_

// IWYU pragma: begin_exports

// Workers that serve.
#include "ringway/core/metrics/metric_registry.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/signals/signal_stream.h"

// Sockets.
#include "ringway/net/buffered_reader.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/forward.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tcp.h"
#include "ringway/net/udp_socket.h"

// What has no asynchronous form.
#include "ringway/net/resolver/connect_host.h"
#include "ringway/net/resolver/system_resolver.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/blocking/run_blocking_each.h"
#include "ringway/pools/thread_pool.h"
#include "ringway/runtime/process/command.h"

// Tasks of a worker: calling, spawning, time, cancelling.
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/deadline.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/yield_if_needed.h"

// Several tasks as one.
#include "ringway/executor/structured/first_ok.h"
#include "ringway/executor/structured/select.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"

// Tasks of one worker that wait for each other.
#include "ringway/executor/sync/barrier.h"
#include "ringway/executor/sync/broadcast.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"

// Between workers, and from other threads.
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/remote/wake_handle.h"

// The same without coroutines.
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_thread.h"

// Files.
#include "ringway/fs/copying/copy_file.h"
#include "ringway/fs/directory/directory.h"
#include "ringway/fs/directory/directory_reader.h"
#include "ringway/fs/directory/remove_all.h"
#include "ringway/fs/directory/temporary.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/path_queries.h"
#include "ringway/fs/streaming/read_ahead.h"
#include "ringway/fs/streaming/write_behind.h"
#include "ringway/fs/watcher.h"
#include "ringway/fs/whole_file.h"

// File descriptors, instants, statuses.
#include "ringway/core/errno_status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/core/unique_fd.h"

// IWYU pragma: end_exports

#endif  // RINGWAY_RINGWAY_H_
