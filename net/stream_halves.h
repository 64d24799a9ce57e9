// SPDX-License-Identifier: Apache-2.0
//
// StreamReader, StreamWriter: the two halves of a TcpStream, for tasks that
// read and write at the same time.
//
//   net::BufferedReader in(stream.reader());
//   net::BufferedWriter out(stream.writer());

#ifndef RINGWAY_NET_STREAM_HALVES_H_
#define RINGWAY_NET_STREAM_HALVES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/socket/stream_core.h"
#include "ringway/net/socket/stream_ops.h"
#include "ringway/net/socket/timed_read.h"
#include "ringway/net/socket/write_gather_op.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/writing/write_part.h"

namespace ringway::net {

// The reading half of a stream. May be copied. Once the stream has been
// closed or dropped, every call returns FailedPrecondition.
//
// Threads: the loop's only (checked).
class StreamReader {
 public:
  explicit StreamReader(internal::StreamCore* core) : half_(core) {}
  // As the functions of TcpStream.
  ReadOp Read(std::span<std::byte> buffer) {
    return ReadOp(half_.core(), buffer);
  }
  TimedReadOp ReadWithTime(std::span<std::byte> buffer) {
    return TimedReadOp(half_.core(), buffer);
  }
  ReceiveOp Receive() { return ReceiveOp(half_.core()); }
  ReceiveUntilOp ReceiveUntil(ReceiveConsumer& consumer) {
    return ReceiveUntilOp(half_.core(), consumer);
  }
  absl::StatusOr<SocketAddress> PeerAddress() const;

  // For logs: "127.0.0.1:51234". The address of the socket itself where the
  // peer has none, as clients of Unix sockets; empty once the stream is closed.
  // Asks the kernel, and allocates.
  std::string PeerName() const;

 private:
  internal::StreamHalf half_;
};

// The writing half of a stream; otherwise as StreamReader.
class StreamWriter {
 public:
  explicit StreamWriter(internal::StreamCore* core) : half_(core) {}
  // As TcpStream::Write(), Writev(), WriteZeroCopy(), WriteGather(), SendFile()
  // and ShutdownWrite().
  WriteOp Write(std::span<const std::byte> bytes) {
    return WriteOp(half_.core(), bytes);
  }
  WritevOp Writev(std::span<const std::span<const std::byte>> parts) {
    return WritevOp(half_.core(), parts);
  }
  WriteGatherOp WriteZeroCopy(SharedBytes bytes) {
    return WriteGatherOp(half_.core(), std::move(bytes));
  }
  WriteGatherOp WriteGather(std::span<const WritePart> parts) {
    return WriteGatherOp(half_.core(), parts);
  }
  SendFileOp SendFile(int file, int64_t offset, uint64_t n_bytes) {
    return SendFileOp(half_.core(), file, offset, n_bytes);
  }
  ShutdownWriteOp ShutdownWrite() { return ShutdownWriteOp(half_.core()); }

 private:
  friend class BufferedWriter;

  internal::StreamHalf half_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_STREAM_HALVES_H_
