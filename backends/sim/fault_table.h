// SPDX-License-Identifier: Apache-2.0
//
// The fault table: the ways an operation may fail although its arguments are
// correct.
//
// From the manual pages of the system calls, without errors that a correct
// caller cannot get (EBADF, EFAULT, ...): memory, descriptors, disk space,
// devices, peers.

#ifndef RINGWAY_BACKENDS_SIM_FAULT_TABLE_H_
#define RINGWAY_BACKENDS_SIM_FAULT_TABLE_H_

#include <span>

#include "ringway/backends/operation.h"

namespace ringway::sim {

// The errnos that may be injected into `opcode`; empty if it cannot fail.
// `is_socket`: the fd of a read or write is a socket.
std::span<const int> PossibleErrors(OpCode opcode, bool is_socket);

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FAULT_TABLE_H_
