// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/target.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/net/tls/tls_connect.h"

namespace ringway::loadgen {
namespace {

absl::Status TooLate(const Target& target, absl::Duration patience) {
  return absl::DeadlineExceededError(
      absl::StrCat("no connection to ", target.address.ToString(), " within ",
                   absl::FormatDuration(patience)));
}

Task<absl::StatusOr<net::TlsStream>> ConnectAndShakeHands(
    const Target& target) {
  absl::StatusOr<net::TcpStream> connected =
      co_await net::Connect(target.address);
  if (!connected.ok()) co_return connected.status();
  Task<absl::StatusOr<net::TlsStream>> handshake = net::ConnectTls(
      target.tls->context, *std::move(connected), target.tls->host);
  absl::StatusOr<net::TlsStream> stream = co_await std::move(handshake);
  if (!stream.ok() || target.tls->alpn.empty()) co_return stream;
  const std::string negotiated = stream->info().alpn;
  if (negotiated != target.tls->alpn) {
    co_return absl::FailedPreconditionError(absl::StrCat(
        "the server did not choose the protocol ", target.tls->alpn));
  }
  co_return stream;
}

}  // namespace

template <>
Task<absl::StatusOr<net::TcpStream>> OpenStream(const Target& target,
                                                absl::Duration patience) {
  absl::StatusOr<net::TcpStream> stream =
      co_await WithTimeout(patience, net::Connect(target.address));
  if (absl::IsDeadlineExceeded(stream.status()))
    co_return TooLate(target, patience);
  co_return stream;
}

template <>
Task<absl::StatusOr<net::TlsStream>> OpenStream(const Target& target,
                                                absl::Duration patience) {
  Task<absl::StatusOr<net::TlsStream>> open = ConnectAndShakeHands(target);
  absl::StatusOr<net::TlsStream> stream =
      co_await WithTimeout(patience, std::move(open));
  if (absl::IsDeadlineExceeded(stream.status()))
    co_return TooLate(target, patience);
  co_return stream;
}

}  // namespace ringway::loadgen
