// SPDX-License-Identifier: Apache-2.0
//
// Tunnel: the bytes of a connection that has left HTTP for another protocol
// (RFC 9110, section 7.8).

#ifndef RINGWAY_HTTP_TUNNEL_TUNNEL_H_
#define RINGWAY_HTTP_TUNNEL_TUNNEL_H_

#include <cstddef>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/task.h"

namespace ringway::http {

// One Fill() and one Write() may be under way at a time.
//
// Threads: the connection's worker's only.
class Tunnel {
 public:
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // What has arrived and was not consumed, as far as it is contiguous. Valid
  // until the next call of this, Fill() or Consume().
  virtual std::span<const std::byte> Peek() = 0;
  virtual void Consume(size_t n_bytes) = 0;

  // Waits until Peek() has bytes.
  //
  // Result:       what Peek() returns; empty if the peer has ended.
  // Errors:       DeadlineExceeded after `timeout`. That of `until` when it
  //               is cancelled. Those of the stream; Cancelled.
  // Ownership:    `until` must outlive the await.
  // Cancellation: nothing is lost.
  // Cost:         a frame.
  virtual Task<absl::StatusOr<std::span<const std::byte>>> Fill(
      absl::Duration timeout, const CancelToken& until) = 0;

  // Sends `head`, of at most a few bytes, and `body`.
  //
  // Errors:       DeadlineExceeded: the peer has read nothing for long, on a
  //               server for ServerOptions::write_timeout. Those of the stream;
  //               Cancelled. Nothing can be sent after them.
  // Ownership:    both must outlive the await.
  // Cancellation: ends the connection.
  // Cost:         a frame; one write of the stream for each 256 KiB.
  virtual Task<absl::Status> Write(std::span<const std::byte> head,
                                   std::span<const std::byte> body) = 0;

  // Cancelled when a server wants its connections to end; of no source for
  // clients.
  virtual const CancelToken& drain() const = 0;

 protected:
  Tunnel() = default;
  ~Tunnel() = default;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_TUNNEL_TUNNEL_H_
