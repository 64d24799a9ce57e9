// SPDX-License-Identifier: Apache-2.0
//
// StreamConnection: a connection by a byte stream: TCP, a Unix stream, or TLS,
// with the protocol that is spoken on it.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_STREAM_CONNECTION_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_STREAM_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/tools/loadgen/connection/connection.h"
#include "ringway/tools/loadgen/connection/request_source.h"
#include "ringway/tools/loadgen/connection/stream_protocol.h"
#include "ringway/tools/loadgen/connection/target.h"

namespace ringway::loadgen {

// For net::TcpStream and net::TlsStream.
template <net::ByteStream Stream>
class StreamConnection final : public Connection {
 public:
  // `target` must outlive it.
  StreamConnection(const Target& target,
                   std::unique_ptr<StreamProtocol> protocol)
      : target_(target), protocol_(std::move(protocol)) {}

  // Connection:
  Task<absl::Status> Open(absl::Duration patience) override;
  Task<absl::Status> Run(RequestSource& source) override;
  Task<absl::Status> Close() override;

  // Runs over a stream that is open, instead of Open().
  void Use(Stream stream);

 private:
  // Until the source has ended, or the protocol wants a new connection.
  Task<absl::Status> RunInTurns(RequestSource& source);
  Task<absl::Status> RunBothWays(RequestSource& source);

  Task<absl::Status> WriteAll(std::span<const std::byte> bytes);
  // While requests are in flight.
  Task<absl::Status> ReadReplies(RequestSource& source);
  Task<absl::Status> WriteWhileReading(std::span<const std::byte> bytes,
                                       RequestSource& source);
  Task<absl::Status> WriteWhenDue(RequestSource& source, TaskScope& scope);
  Task<absl::Status> ReadAlways(RequestSource& source);

  const Target& target_;
  const std::unique_ptr<StreamProtocol> protocol_;
  absl::Duration patience_;
  std::optional<Stream> stream_;
  std::vector<std::byte> incoming_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_STREAM_CONNECTION_H_
