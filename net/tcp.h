// SPDX-License-Identifier: Apache-2.0
//
// Everything for stream sockets: net::TcpListener, net::Connect,
// net::TcpStream, net::StreamPair.

#ifndef RINGWAY_NET_TCP_H_
#define RINGWAY_NET_TCP_H_

#include "ringway/net/address_prefix.h"  // IWYU pragma: export
#include "ringway/net/connect.h"         // IWYU pragma: export
#include "ringway/net/socket_address.h"  // IWYU pragma: export
#include "ringway/net/stream_pair.h"     // IWYU pragma: export
#include "ringway/net/tcp_listener.h"    // IWYU pragma: export
#include "ringway/net/tcp_stream.h"      // IWYU pragma: export

#endif  // RINGWAY_NET_TCP_H_
