// SPDX-License-Identifier: Apache-2.0
//
// Common code of the servers that Ringway is compared with: their flags, a
// listening socket, and termination on SIGTERM. Plain system calls, without
// Ringway.

#ifndef RINGWAY_TOOLS_BENCH_PEERS_PEER_H_
#define RINGWAY_TOOLS_BENCH_PEERS_PEER_H_

#include <string>

namespace peer {

// Parses --listen=ADDRESS (127.0.0.1:7878 by default; unix:PATH is one, too)
// and --pin=CPU, pins the calling thread, listens, and prints `listening on
// ADDRESS`. On failure ends the process with a message and exit code 2 for
// invalid flags, else 1.
//
// If the server can spin before it blocks, `spin_us` is not null and receives
// the number of --spin=US, 0 by default.
//
// Returns the listening socket, non-blocking and close-on-exec.
int ListenAsTold(int argc, char** argv, int* spin_us = nullptr);
// The same with a datagram socket, which does not listen.
int BindDatagramsAsTold(int argc, char** argv);

// The same for a program with flags of its own, which `program` names: listens
// on `listen`, on the CPU `pin`, or on any if that is negative.
int ListenOn(const char* program, const std::string& listen, int pin);

// Blocks SIGTERM and SIGINT in this thread and those it starts.
//
// Returns an fd that becomes readable when one of them has come.
int CatchTermination();

// Ends the process with `what` and the text of errno.
[[noreturn]] void Die(const char* what);

}  // namespace peer

#endif  // RINGWAY_TOOLS_BENCH_PEERS_PEER_H_
