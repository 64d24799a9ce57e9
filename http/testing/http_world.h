// SPDX-License-Identifier: Apache-2.0
//
// RunHttpWorld: an http::Server and its clients in a simulated network, which
// may have faults.

#ifndef RINGWAY_HTTP_TESTING_HTTP_WORLD_H_
#define RINGWAY_HTTP_TESTING_HTTP_WORLD_H_

#include <cstdint>
#include <functional>

#include "ringway/executor/task/task.h"
#include "ringway/http/server/server.h"
#include "ringway/net/socket_address.h"

namespace ringway::http::testing {

// A client's task: `client` is its number, from 0.
using HttpVisit =
    std::function<Task<void>(net::SocketAddress server, uint64_t client)>;

// Runs the tasks of `n_clients` on one host, and the server on another, until
// the tasks have ended, and expects that the simulation has nothing against
// it. With `bad` everything goes wrong that can, so that the server may not
// even listen.
void RunHttpWorld(uint64_t seed, bool bad, Server server, uint64_t n_clients,
                  const HttpVisit& visit);

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_TESTING_HTTP_WORLD_H_
