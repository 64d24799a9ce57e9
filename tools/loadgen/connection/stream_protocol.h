// SPDX-License-Identifier: Apache-2.0
//
// StreamProtocol: how requests and replies look on a byte stream. Does no I/O:
// it makes bytes to write, and takes bytes that were read.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_STREAM_PROTOCOL_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_STREAM_PROTOCOL_H_

#include <cstddef>
#include <limits>
#include <span>

#include "absl/status/status.h"
#include "ringway/tools/loadgen/connection/request_source.h"

namespace ringway::loadgen {

// Of one connection at a time, which may be replaced; one thread.
class StreamProtocol {
 public:
  virtual ~StreamProtocol() = default;

  // Whether requests may be written, and then read until all have replies: the
  // protocol has nothing else to send meanwhile.
  virtual bool in_turns() const { return true; }

  // A connection was opened: what was in flight on an earlier one is
  // forgotten, and requests stay different.
  virtual void Begin() = 0;

  // How many more requests may be sent before replies come.
  virtual size_t room() const { return std::numeric_limits<size_t>::max(); }
  // About how many bytes a request has.
  virtual size_t request_bytes() const = 0;
  // How many bytes to read at once.
  virtual size_t read_bytes() const = 0;

  // Makes the next `n` requests, at most room(), and what else there is to
  // send. Returns what is to be written, which stays until the next call;
  // nothing if there is nothing to send. May tell `source` of failures.
  virtual std::span<const std::byte> Fill(size_t n, RequestSource& source) = 0;

  // Takes the bytes that follow those of the last call, and tells `source` of
  // the replies that are complete.
  //
  // Errors: DataLoss for a wrong reply and for more than was asked for.
  virtual absl::Status Take(std::span<const std::byte> bytes,
                            RequestSource& source) = 0;
  // The server has closed its side: OutOfRange if that was too early.
  virtual absl::Status TakeEnd(RequestSource& source) = 0;

  // Requests without a reply.
  virtual size_t in_flight() const = 0;
  // True if Fill(0) would return something.
  virtual bool wants_write() const { return false; }
  // True if this connection will take no more requests, although nothing has
  // failed, and all replies have come.
  virtual bool wants_new_connection() const { return false; }
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_STREAM_PROTOCOL_H_
