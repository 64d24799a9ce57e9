// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/make_connection.h"

#include <utility>

#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/tools/loadgen/connection/datagram_connection.h"
#include "ringway/tools/loadgen/connection/echo_protocol.h"
#include "ringway/tools/loadgen/connection/http1_protocol.h"
#include "ringway/tools/loadgen/connection/http2_protocol.h"
#include "ringway/tools/loadgen/connection/stream_connection.h"
#include "ringway/tools/loadgen/connection/stream_protocol.h"

namespace ringway::loadgen {
namespace {

std::unique_ptr<StreamProtocol> ProtocolOf(const Mode& mode, uint32_t index) {
  if (mode.protocol == Protocol::kHttp1) {
    return std::make_unique<Http1Protocol>(mode.http, mode.depth, mode.verify,
                                           *mode.expected);
  }
  if (mode.protocol == Protocol::kHttp2) {
    return std::make_unique<Http2Protocol>(mode.http, mode.depth, mode.verify,
                                           *mode.expected);
  }
  return std::make_unique<EchoProtocol>(index, mode.size, mode.verify);
}

}  // namespace

std::unique_ptr<Connection> MakeConnection(const Mode& mode, uint32_t index) {
  if (mode.protocol == Protocol::kUdp)
    return std::make_unique<DatagramConnection>(mode, index);
  std::unique_ptr<StreamProtocol> protocol = ProtocolOf(mode, index);
  if (mode.target.tls.has_value()) {
    return std::make_unique<StreamConnection<net::TlsStream>>(
        mode.target, std::move(protocol));
  }
  return std::make_unique<StreamConnection<net::TcpStream>>(
      mode.target, std::move(protocol));
}

}  // namespace ringway::loadgen
