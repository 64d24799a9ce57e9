// SPDX-License-Identifier: Apache-2.0
//
// A server and a client for tests with other implementations.
//
//   tls_peer_for_test serve FOLDER [none|optional|required]
//     with the certificates of FOLDER; prints its port, then a line for each
//     connection. Answers a GET, and echoes other lines.
//   tls_peer_for_test get FOLDER PORT HOST
//     sends a GET to 127.0.0.1:PORT, whose certificate must be for HOST, twice;
//     prints a line for each connection, and the reply.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_accept.h"
#include "ringway/net/tls/tls_connect.h"

namespace ringway::net {
namespace {

void Print(const std::string& line) {
  printf("%s\n", line.c_str());
  fflush(stdout);
}

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string Describe(const TlsStream& stream) {
  const TlsConnectionInfo info = stream.info();
  const std::optional<TlsPeerCertificate> peer = stream.peer_certificate();
  return absl::StrCat("version=", info.version, " alpn=", info.alpn,
                      " host=", info.host, " resumed=", info.resumed ? 1 : 0,
                      " peer=", peer.has_value() ? peer->subject : "");
}

TlsCertificate CertificateOf(const std::string& folder, const char* name) {
  return {TlsPem::File(absl::StrCat(folder, "/", name, ".pem")),
          TlsPem::File(absl::StrCat(folder, "/", name, ".key"))};
}

Task<absl::Status> Answer(TlsStream& stream) {
  BufferedReader in(stream.reader());
  while (true) {
    const absl::StatusOr<std::optional<std::string_view>> line =
        co_await in.ReadLine(8192);
    if (!line.ok()) co_return line.status();
    if (!line->has_value()) co_return absl::OkStatus();
    const bool is_get = (*line)->starts_with("GET ");
    const std::string answer =
        is_get ? "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"
               : absl::StrCat(std::string(**line), "\n");
    if (is_get) {
      while (true) {  // the header
        const absl::StatusOr<std::optional<std::string_view>> more =
            co_await in.ReadLine(8192);
        if (!more.ok() || !more->has_value() || (*more)->empty()) break;
      }
    }
    absl::Status sent = co_await stream.Write(Bytes(answer));
    if (!sent.ok() || is_get) co_return sent;
  }
}

Task<void> Serve(TlsContext context, TcpStream connection) {
  Task<absl::StatusOr<TlsStream>> accept =
      AcceptTls(std::move(context), std::move(connection));
  absl::StatusOr<TlsStream> stream = co_await std::move(accept);
  if (!stream.ok()) {
    Print(absl::StrCat("failed: ", stream.status().ToString()));
    co_return;
  }
  const std::string description = Describe(*stream);
  Task<absl::Status> answer = Answer(*stream);
  const absl::Status answered = co_await std::move(answer);
  (co_await stream->CloseGracefully(absl::Seconds(2))).IgnoreError();
  Print(absl::StrCat("served: ", description, " ended=", answered.ToString()));
}

Task<void> RunServer(TlsContext context) {
  absl::StatusOr<TcpListener> listener =
      TcpListener::Listen(CurrentLoop(), *SocketAddress::Parse("127.0.0.1:0"));
  RINGWAY_CHECK(listener.ok(), "%s", listener.status().ToString().c_str());
  Print(absl::StrCat(listener->LocalAddress()->port()));
  while (true) {
    absl::StatusOr<TcpStream> accepted = co_await listener->Accept();
    if (!accepted.ok()) co_return;
    Spawn(Serve(context, *std::move(accepted))).Detach();
  }
}

Task<absl::Status> Get(TlsContext context, int port, std::string host) {
  absl::StatusOr<TcpStream> connected =
      co_await Connect(*SocketAddress::Parse(absl::StrCat("127.0.0.1:", port)));
  if (!connected.ok()) co_return connected.status();
  Task<absl::StatusOr<TlsStream>> connect =
      ConnectTls(std::move(context), *std::move(connected), std::move(host));
  absl::StatusOr<TlsStream> stream = co_await std::move(connect);
  if (!stream.ok()) co_return stream.status();
  Print(absl::StrCat("connected: ", Describe(*stream)));
  absl::Status sent = co_await stream->Write(Bytes("GET / HTTP/1.0\r\n\r\n"));
  if (!sent.ok()) co_return sent;
  while (true) {
    absl::StatusOr<ReceivedBuffer> part = co_await stream->Receive();
    if (!part.ok()) co_return part.status();
    if (part->empty()) co_return absl::OkStatus();
    fwrite(part->bytes().data(), 1, part->size(), stdout);
  }
}

Task<void> RunClient(TlsContext context, int port, std::string host) {
  for (int i = 0; i < 2; ++i) {
    Task<absl::Status> get = Get(context, port, host);
    const absl::Status got = co_await std::move(get);
    Print(absl::StrCat("ended=", got.ToString()));
  }
}

absl::StatusOr<TlsContext> ServerOf(const std::string& folder,
                                    std::string_view clients) {
  TlsServerOptions options;
  options.certificates = {CertificateOf(folder, "server"),
                          CertificateOf(folder, "server_rsa"),
                          CertificateOf(folder, "wildcard")};
  options.certificates[0].ocsp_file = absl::StrCat(folder, "/server.ocsp");
  options.alpn = {"http/1.1", "http/1.0"};
  options.client_roots = TlsPem::File(absl::StrCat(folder, "/ca.pem"));
  if (clients == "optional")
    options.client_certificates = ClientCertificates::kOptional;
  if (clients == "required")
    options.client_certificates = ClientCertificates::kRequired;
  return TlsContext::Server(options);
}

int Main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string folder = argv[2];
  auto executor = Executor::Create();
  RINGWAY_CHECK(executor.ok(), "%s", executor.status().ToString().c_str());
  if (std::string_view(argv[1]) == "serve") {
    absl::StatusOr<TlsContext> context =
        ServerOf(folder, argc > 3 ? argv[3] : "none");
    RINGWAY_CHECK(context.ok(), "%s", context.status().ToString().c_str());
    return (*executor)->Run(RunServer(*context)).ok() ? 0 : 1;
  }
  int port = 0;
  if (argc < 5 || !absl::SimpleAtoi(argv[3], &port)) return 2;
  TlsClientOptions options;
  options.roots = TlsPem::File(absl::StrCat(folder, "/ca.pem"));
  options.certificate = CertificateOf(folder, "client");
  options.alpn = {"http/1.0"};
  absl::StatusOr<TlsContext> context = TlsContext::Client(options);
  RINGWAY_CHECK(context.ok(), "%s", context.status().ToString().c_str());
  return (*executor)->Run(RunClient(*context, port, argv[4])).ok() ? 0 : 1;
}

}  // namespace
}  // namespace ringway::net

int main(int argc, char** argv) { return ringway::net::Main(argc, argv); }
