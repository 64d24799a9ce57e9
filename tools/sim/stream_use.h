// SPDX-License-Identifier: Apache-2.0
//
// Sends and receives on a stream in a randomly chosen way.

#ifndef RINGWAY_TOOLS_SIM_STREAM_USE_H_
#define RINGWAY_TOOLS_SIM_STREAM_USE_H_

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/sim/scenario.h"

namespace ringway::simulation {

// Connects; with faults, sometimes with a deadline: DeadlineExceeded.
Task<absl::StatusOr<net::TcpStream>> ConnectSomehow(Trial& trial,
                                                    net::SocketAddress to);

// Sends all of `bytes`, which must outlive it: by Write(), by Writev(), or
// through a BufferedWriter.
Task<absl::Status> SendSomehow(Trial& trial, net::StreamWriter writer,
                               std::span<const std::byte> bytes);

// Appends the next received bytes to `bytes`, by Read() or Receive(),
// sometimes after a few cancelled attempts. Returns the number of bytes; 0 at
// the end.
Task<absl::StatusOr<size_t>> ReceiveSomehow(Trial& trial,
                                            net::StreamReader reader,
                                            std::string& bytes);

// Waits up to `longest`.
Task<void> Pause(Trial& trial, absl::Duration longest);

// True if the running task is cancelled.
bool CurrentTaskIsCancelled();

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_STREAM_USE_H_
