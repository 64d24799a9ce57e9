// SPDX-License-Identifier: Apache-2.0
//
// Kernel: implements each operation in a simulated world. It has no queues
// and is independent of backends: each call performs one step now.

#ifndef RINGWAY_BACKENDS_SIM_KERNEL_H_
#define RINGWAY_BACKENDS_SIM_KERNEL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/fd_table.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/backends/sim/network/network.h"
#include "ringway/backends/sim/network/socket.h"
#include "ringway/backends/sim/request.h"

namespace ringway::sim {

class Kernel {
 public:
  Kernel(Environment& environment, FdTable& fds, FileStore& files,
         Network& network)
      : environment_(environment),
        fds_(fds),
        files_(files),
        network_(network) {}

  // Performs `request` on a machine with the address `host`; for a multishot,
  // one delivery. Returns the result, -errno, or kBlocked: retry after a
  // change of the descriptions it waits on.
  int64_t Perform(Request& request, uint32_t host);

  // Applies the side effects of a failure with `errnum`: a close still
  // closes, a reset connection is reset, an fsync drops its data.
  void Fail(const Request& request, int errnum);

 private:
  int64_t Read(Request& request);
  int64_t Write(Request& request);
  int64_t Splice(Request& request);
  int64_t SendFile(Request& request);
  int64_t Move(Request& request, int64_t from_offset, int64_t to_offset,
               size_t n_bytes);

  int64_t Make(const Operation& op, uint32_t host);
  int64_t Bind(const Operation& op, Socket& socket);
  int64_t Connect(Request& request, Socket& socket);
  int64_t Accept(const Operation& op, Socket& socket);
  int64_t Receive(Request& request, Socket& socket);
  int64_t ReceiveMessage(Request& request, Socket& socket);
  int64_t ReceiveLent(Request& request, Socket& socket);
  int64_t ReceiveDatagramLent(Request& request, Socket& socket);
  int64_t Send(Request& request, Socket& socket);

  int64_t OnSocket(Request& request);
  int64_t OnFile(const Operation& op, Description& description);
  int64_t OnPath(const Operation& op);
  int64_t Open(const Operation& op, const FilePath& path);
  int64_t OpenResolving(const Operation& op, const FilePath& path);
  int64_t CopyFileRange(Request& request);
  int64_t Poll(const Request& request);
  int64_t WaitForProcess(const Request& request);

  int DirectoryOf(int fd, const void* path, FilePath* out);
  int DirectoryOf(int fd, InodePtr* out);
  void Shorten(const Request& request, Buffers& buffers);

  Environment& environment_;
  FdTable& fds_;
  FileStore& files_;
  Network& network_;
  std::vector<std::byte> scratch_;  // for Move()
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_KERNEL_H_
