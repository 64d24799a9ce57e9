// SPDX-License-Identifier: Apache-2.0
//
// Mode: what the connections of a run do: which server they ask, by which
// protocol, and what. When they ask is not part of it.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_MODE_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_MODE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/time/time.h"
#include "ringway/tools/loadgen/connection/http_request.h"
#include "ringway/tools/loadgen/connection/target.h"

namespace ringway::loadgen {

enum class Protocol : uint8_t {
  kEcho,  // the server sends back what it gets: by TCP, Unix streams, TLS
  kUdp,   // the same by datagrams
  kHttp1,
  kHttp2,  // by TLS, or with prior knowledge
};
inline constexpr std::array<Protocol, 4> kProtocols = {
    Protocol::kEcho, Protocol::kUdp, Protocol::kHttp1, Protocol::kHttp2};

// "echo", "udp", "http1", "h2": the value of --protocol.
std::string_view ProtocolName(Protocol protocol);

bool IsHttp(Protocol protocol);

// True if the replies of a connection come in the order of its requests, and
// all of them do. A closed loop then sends them in batches.
bool AnswersInOrder(Protocol protocol);

struct Mode {
  Mode() {}

  Target target;
  Protocol protocol = Protocol::kEcho;
  size_t size = 64;  // bytes of a request, unless it is of HTTP
  HttpRequest http;
  // Echo: a new payload each time, and every reply compared. HTTP: responses
  // must be successes, and alike.
  bool verify = true;
  std::shared_ptr<ExpectedResponse> expected =
      std::make_shared<ExpectedResponse>();
  // How many requests of a connection are without a reply: in a closed loop
  // always, in an open loop of HTTP at most.
  size_t depth = 1;
  // UDP: a request without a reply for this long is lost.
  absl::Duration loss_timeout = absl::Seconds(1);
};

// The limits of `Mode::size` with UDP: a request has a header, and fits into a
// datagram.
inline constexpr size_t kLeastDatagram = 12;
inline constexpr size_t kMostDatagram = 65'507;

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_MODE_H_
