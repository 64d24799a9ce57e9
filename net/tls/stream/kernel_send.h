// SPDX-License-Identifier: Apache-2.0
//
// KernelSend: what a TLS stream over TCP sends where the kernel encrypts.
//
// The caller's bytes go to the socket as they are. Alerts and session tickets
// are records of the engine, each of which is sent by itself, with its type.
// All of it in turn, as encrypted records are (tls_core.h).

#ifndef RINGWAY_NET_TLS_STREAM_KERNEL_SEND_H_
#define RINGWAY_NET_TLS_STREAM_KERNEL_SEND_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/tls/stream/tls_state.h"

namespace ringway::net::internal {

// The functions of a stream and of TlsCore, which owns `transport`. Errors,
// threads and cancellation are those of BasicTlsStream. `state` has an engine
// with kernel_encrypts().
class KernelSend {
 public:
  using Pointer = std::shared_ptr<TlsState>;

  // Before the handshake: offers the kernel to the engine of `state`, if the
  // context asks for it and the socket can have keys.
  static void Offer(TlsState& state, TcpStream& transport);

  // `bytes`, then `parts`; one of them is empty.
  static Task<absl::Status> Write(
      Pointer state, TcpStream& transport, std::span<const std::byte> bytes,
      std::span<const std::span<const std::byte>> parts);
  static Task<absl::StatusOr<uint64_t>> SendFile(Pointer state,
                                                 TcpStream& transport, int file,
                                                 int64_t offset,
                                                 uint64_t n_bytes);

  // Sends the output: what was encrypted before the kernel had keys, the keys
  // to the kernel, records. Requires the turn.
  static Task<absl::Status> SendOutput(Pointer state, TcpStream& transport);
  // The same, until nothing would be lost if the socket were shut down or
  // closed: the kernel has accepted bytes that it has not passed to TCP yet,
  // and then drops them (tls_sw_release_resources_tx() in Linux 6.1, and
  // EPIPE after a shutdown). It has no event for that, so this asks it, after
  // growing pauses.
  static Task<absl::Status> SendLastOutput(Pointer state, TcpStream& transport);

 private:
  static absl::Status GiveKeys(TlsState& state, TcpStream& transport);
  static bool PassedToTcp(const TlsState& state, const TcpStream& transport);
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_KERNEL_SEND_H_
