// SPDX-License-Identifier: Apache-2.0
//
// EchoProtocol: requests of a fixed size (payload.h), which the server sends
// back. Finds the replies in the bytes that a connection receives and compares
// them with their requests.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_ECHO_PROTOCOL_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_ECHO_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "ringway/tools/loadgen/connection/request_source.h"
#include "ringway/tools/loadgen/connection/stream_protocol.h"

namespace ringway::loadgen {

class EchoProtocol final : public StreamProtocol {
 public:
  // Requests of `size` bytes, which is positive, of connection number
  // `connection`. Without `verify` replies are only counted.
  EchoProtocol(uint32_t connection, size_t size, bool verify)
      : connection_(connection), size_(size), verify_(verify) {}

  // StreamProtocol:
  void Begin() override;
  size_t request_bytes() const override { return size_; }
  size_t read_bytes() const override;
  // Cost: no allocation for at most as many requests as before.
  std::span<const std::byte> Fill(size_t n, RequestSource& source) override;
  // Errors: DataLoss, naming request and byte, for a reply that is not its
  //         request, and for bytes beyond the last reply.
  // Cost:   no allocation; for replies to other requests than those of the
  //         last Fill() each payload is made once more.
  absl::Status Take(std::span<const std::byte> bytes,
                    RequestSource& source) override;
  absl::Status TakeEnd(RequestSource& source) override;
  size_t in_flight() const override {
    return static_cast<size_t>(sent_ - complete_);
  }

 private:
  uint64_t missing() const { return (sent_ - complete_) * size_ - at_; }
  absl::Status Compare(std::span<const std::byte> bytes);
  // What comes next must begin with this: the rest of a reply, or of several.
  std::span<const std::byte> Expected();
  void Advance(size_t n_bytes);

  const uint32_t connection_;
  const size_t size_;
  const bool verify_;
  std::vector<std::byte> outgoing_;  // the last requests, until the next Fill()
  uint64_t outgoing_first_ = 0;      // the number of the first of them
  std::vector<std::byte> expected_;  // the reply that is arriving, if it is not
  uint64_t expected_number_ = ~uint64_t{0};  // to one of those
  uint64_t sent_ = 0;
  uint64_t complete_ = 0;
  size_t at_ = 0;  // bytes of the next reply that have arrived
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_ECHO_PROTOCOL_H_
