// SPDX-License-Identifier: Apache-2.0
//
// What a run does, and how its connections were opened, as text and as members
// of JSON objects: for the reports of both loops.

#ifndef RINGWAY_TOOLS_LOADGEN_LOAD_TEXT_H_
#define RINGWAY_TOOLS_LOADGEN_LOAD_TEXT_H_

#include <cstdint>
#include <string>

#include "ringway/tools/loadgen/connection/mode.h"
#include "ringway/tools/loadgen/load_options.h"
#include "ringway/tools/loadgen/workers/opening.h"

namespace ringway::loadgen {

// "127.0.0.1:7878", "udp 127.0.0.1:7878".
std::string ServerText(const Mode& mode);
// "64 bytes".
std::string RequestText(const Mode& mode);
// "every reply compared".
std::string VerifyText(const Mode& mode);
// "32 connections on 2 workers".
std::string ConnectionsText(const LoadOptions& options);

// ", "protocol": "echo", "connections": 32, "workers": 1, "short": false,
// "size": 64".
std::string ModeMembers(const LoadOptions& options);

// A row about the ramp; nothing without one.
void AppendOpeningRow(std::string& table, const LoadOptions& options,
                      const OpeningCounts& opening);
// ", "ramp_s": 0, "opened": 32, ..."; nothing for short connections.
std::string OpeningMembers(const LoadOptions& options,
                           const OpeningCounts& opening);

// The rows of datagrams without a reply, and of replies without a request.
void AppendLostRows(std::string& table, uint64_t lost, uint64_t strays);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_LOAD_TEXT_H_
