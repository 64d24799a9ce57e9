// SPDX-License-Identifier: Apache-2.0
//
// MakeSocket: socket(2) on a simulated machine.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_MAKE_SOCKET_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_MAKE_SOCKET_H_

#include <cstdint>
#include <memory>

#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/network/network.h"
#include "ringway/backends/sim/network/socket.h"

namespace ringway::sim {

// Makes a socket on the machine with the address `host`. `type` may have
// flags. 0 or -errno.
int MakeSocket(Environment& environment, Network& network, int family, int type,
               int protocol, uint32_t host, std::shared_ptr<Socket>* out);

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_MAKE_SOCKET_H_
