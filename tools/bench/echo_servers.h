// SPDX-License-Identifier: Apache-2.0
//
// The servers of the throughput benchmark, each on a separate thread: one
// with Ringway, one with blocking sockets.

#ifndef RINGWAY_TOOLS_BENCH_ECHO_SERVERS_H_
#define RINGWAY_TOOLS_BENCH_ECHO_SERVERS_H_

#include <netinet/in.h>

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "ringway/backends/backend_options.h"
#include "ringway/core/unique_fd.h"

namespace ringway::bench {

enum class Side { kRingway, kBlocking };

enum class Workload {
  kChunks,         // read, write, read, ...
  kFireAndForget,  // keeps reading while its output is unsent
  kDatagrams,
};

// Pins the calling thread unless `cpu` is negative. Aborts if the CPU does
// not exist.
void PinThread(int cpu);

// Serves one run: one connection to its end, or datagrams until an empty one.
class EchoServer {
 public:
  // Ready to be connected to when this returns. `kind` is Ringway's backend.
  EchoServer(Side side, Workload workload, int cpu, BackendKind kind);
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;
  // Joins.
  ~EchoServer();

  const sockaddr_in& address() const { return address_; }

  // Waits for the end of the run; the CPU time that the thread used serving.
  absl::Duration Join();

 private:
  sockaddr_in address_;
  UniqueFd socket_;
  absl::Duration cpu_;
  std::thread thread_;
};

}  // namespace ringway::bench

#endif  // RINGWAY_TOOLS_BENCH_ECHO_SERVERS_H_
