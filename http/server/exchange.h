// SPDX-License-Identifier: Apache-2.0
//
// Exchange: what a request and its response need from the protocol that carries
// them.

#ifndef RINGWAY_HTTP_SERVER_EXCHANGE_H_
#define RINGWAY_HTTP_SERVER_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/tunnel/tunnel.h"
#include "ringway/net/socket_address.h"

namespace ringway::http::internal {

// The functions mean what those of Request and ResponseWriter mean. `headers`
// and bytes must outlive the await.
class Exchange {
 public:
  virtual Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) = 0;
  virtual const Headers& trailers() const = 0;
  virtual const net::SocketAddress& peer() = 0;
  virtual bool is_secure() const = 0;

  virtual Task<absl::Status> Send(int status_code, const Headers& headers,
                                  std::string_view body) = 0;
  virtual Task<absl::Status> SendFile(int status_code, const Headers& headers,
                                      int file, int64_t offset,
                                      uint64_t n_bytes) = 0;
  virtual Task<absl::Status> Start(int status_code, const Headers& headers) = 0;
  virtual Task<absl::Status> Write(std::span<const std::byte> bytes) = 0;
  virtual Task<absl::Status> Finish(const Headers& trailers) = 0;
  virtual Task<absl::Status> SendInformational(int status_code,
                                               const Headers& headers) = 0;
  virtual Task<absl::StatusOr<Tunnel*>> Upgrade(std::string_view protocol,
                                                const Headers& headers) = 0;

 protected:
  ~Exchange() = default;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_EXCHANGE_H_
