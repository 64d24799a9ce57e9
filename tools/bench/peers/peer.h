// SPDX-License-Identifier: Apache-2.0
//
// What the servers that Ringway is compared with have in common: their two
// flags, a listening socket, and an end on SIGTERM. Plain system calls; nothing
// of Ringway.

#ifndef RINGWAY_TOOLS_BENCH_PEERS_PEER_H_
#define RINGWAY_TOOLS_BENCH_PEERS_PEER_H_

namespace peer {

// Parses --listen=ADDRESS (127.0.0.1:7878 by default) and --pin=CPU, pins the
// calling thread, listens, and prints `listening on ADDRESS`. Ends the process
// with a message when any of that fails: 2 for flags that make no sense, else
// 1.
//
// Returns the listening socket, non-blocking and close-on-exec.
int ListenAsTold(int argc, char** argv);

// Blocks SIGTERM and SIGINT in this thread and those it starts.
//
// Returns an fd that becomes readable when one of them has come.
int CatchTermination();

// Ends the process with `what` and the text of errno.
[[noreturn]] void Die(const char* what);

}  // namespace peer

#endif  // RINGWAY_TOOLS_BENCH_PEERS_PEER_H_
