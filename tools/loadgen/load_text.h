// SPDX-License-Identifier: Apache-2.0
//
// What a run does, and how its connections were opened, as text and as members
// of JSON objects: for the reports of both loops.

#ifndef RINGWAY_TOOLS_LOADGEN_LOAD_TEXT_H_
#define RINGWAY_TOOLS_LOADGEN_LOAD_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "ringway/tools/loadgen/connection/mode.h"
#include "ringway/tools/loadgen/load_options.h"
#include "ringway/tools/loadgen/workers/opening.h"

namespace ringway::loadgen {

// "127.0.0.1:7878", "udp 127.0.0.1:7878", "http://127.0.0.1:8080/".
std::string ServerText(const Mode& mode);
// "64 bytes", "GET".
std::string RequestText(const Mode& mode);
// "every reply compared".
std::string VerifyText(const Mode& mode);
// "32 connections on 2 workers".
std::string ConnectionsText(const LoadOptions& options);

// The bytes of a reply: with HTTP, of the body of the first one that was
// checked.
size_t ReplyBytes(const Mode& mode);

// ", "protocol": "echo", "connections": 32, "workers": 1, "short": false,
// "size": 64".
std::string ModeMembers(const LoadOptions& options);

// Of UDP and HTTP what they alone count: ", "strays": 0", ", "reopened": 0".
std::string CountMembers(const Mode& mode, uint64_t strays, uint64_t reopened);

// A row about the ramp; nothing without one.
void AppendOpeningRow(std::string& table, const LoadOptions& options,
                      const OpeningCounts& opening);
// ", "ramp_s": 0, "opened": 32, ..."; nothing for short connections.
std::string OpeningMembers(const LoadOptions& options,
                           const OpeningCounts& opening);

// The row of connections that were opened again; nothing without any.
void AppendReopenedRow(std::string& table, const Mode& mode, uint64_t reopened);

// The rows of datagrams without a reply, and of replies without a request.
void AppendLostRows(std::string& table, uint64_t lost, uint64_t strays);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_LOAD_TEXT_H_
