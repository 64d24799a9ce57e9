// SPDX-License-Identifier: Apache-2.0
//
// epoll_echo with TLS, by hand on OpenSSL: what Ringway's TLS is measured
// against.
//
//   tls_epoll_echo --cert=FILE --key=FILE [--listen=ADDRESS] [--pin=CPU]
//                  [--source=BYTES]
//
// With --source it does what tls_source does: BYTES for each client that says
// anything, in blocks of 16 KiB; with 0 without an end.
//
// OpenSSL reads and writes the sockets itself, many records with one recv
// (read_ahead). Tickets resume sessions, without a cache.

#include <getopt.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "ringway/tools/bench/peers/epoll_server.h"
#include "ringway/tools/bench/peers/peer.h"

namespace {

const std::string kBlock(16 * 1024, 'x');

[[noreturn]] void DieOfOpenSsl(const char* what) {
  fprintf(stderr, "%s\n", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

Context MakeContext(const char* certificate, const char* key) {
  Context made(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  SSL_CTX* const context = made.get();
  if (context == nullptr) DieOfOpenSsl("SSL_CTX_new");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(
      context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    DieOfOpenSsl("the certificate or its key");
  }
  return made;
}

struct Connection {
  explicit Connection(SSL* s) : ssl(s) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { SSL_free(ssl); }

  SSL* const ssl;
  std::vector<char> unsent;
  int64_t left_of_source = 0;
  bool waits_for_room = false;
};

class TlsEpollEcho final : public peer::EpollServer<TlsEpollEcho, Connection> {
 public:
  // `source` as of --source, or negative.
  TlsEpollEcho(SSL_CTX* context, int listener, int termination, int64_t source)
      : EpollServer(listener, termination),
        context_(context),
        source_(source == 0 ? INT64_MAX : source) {}

 private:
  friend EpollServer;

  std::unique_ptr<Connection> Open(int fd) {
    SSL* ssl = SSL_new(context_);
    if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) DieOfOpenSsl("SSL_new");
    SSL_set_accept_state(ssl);
    return std::make_unique<Connection>(ssl);
  }

  // Handshakes, or echoes all that has arrived.
  void Serve(int fd, Connection& connection) {
    if (!connection.unsent.empty()) {
      if (!Send(fd, connection, connection.unsent.data(),
                connection.unsent.size())) {
        return;
      }
      connection.unsent.clear();
    }
    if (connection.left_of_source > 0) return SendSource(fd, connection);
    while (true) {
      ERR_clear_error();
      const int n = SSL_read(connection.ssl, buffer_.data(),
                             static_cast<int>(buffer_.size()));
      if (n <= 0) return Wait(fd, connection, SSL_get_error(connection.ssl, n));
      if (source_ > 0) {
        connection.left_of_source = source_;
        return SendSource(fd, connection);
      }
      if (!Send(fd, connection, buffer_.data(), static_cast<size_t>(n))) return;
    }
  }

  void SendSource(int fd, Connection& connection) {
    while (connection.left_of_source > 0) {
      const size_t n = static_cast<size_t>(std::min<int64_t>(
          connection.left_of_source, static_cast<int64_t>(kBlock.size())));
      connection.left_of_source -= static_cast<int64_t>(n);
      if (!Send(fd, connection, kBlock.data(), n)) return;
    }
    End(fd, connection, SSL_ERROR_ZERO_RETURN);
  }

  // False if it has to wait, with what it has to send kept, or has failed.
  bool Send(int fd, Connection& connection, const char* bytes, size_t n) {
    ERR_clear_error();
    const int sent = SSL_write(connection.ssl, bytes, static_cast<int>(n));
    if (sent > 0) return true;
    // OpenSSL wants the same bytes again.
    if (connection.unsent.empty()) connection.unsent.assign(bytes, bytes + n);
    Wait(fd, connection, SSL_get_error(connection.ssl, sent));
    return false;
  }

  void Wait(int fd, Connection& connection, int error) {
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      return End(fd, connection, error);
    const bool for_room = error == SSL_ERROR_WANT_WRITE;
    if (for_room == connection.waits_for_room) return;
    connection.waits_for_room = for_room;
    WaitFor(for_room ? EPOLLOUT : EPOLLIN, fd);
  }

  void End(int fd, Connection& connection, int error) {
    if (error == SSL_ERROR_ZERO_RETURN) SSL_shutdown(connection.ssl);
    Close(fd);
  }

  SSL_CTX* const context_;
  const int64_t source_;
  std::array<char, 64 * 1024> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  static const option kOptions[] = {{"listen", required_argument, nullptr, 'l'},
                                    {"pin", required_argument, nullptr, 'p'},
                                    {"cert", required_argument, nullptr, 'c'},
                                    {"key", required_argument, nullptr, 'k'},
                                    {"source", required_argument, nullptr, 's'},
                                    {}};
  std::string listen = "127.0.0.1:7878";
  std::string certificate;
  std::string key;
  int pin = -1;
  int64_t source = -1;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    if (c == 'l') listen = optarg;
    if (c == 'p') pin = atoi(optarg);
    if (c == 'c') certificate = optarg;
    if (c == 'k') key = optarg;
    if (c == 's') source = atoll(optarg);
    if (c == '?') return 2;
  }
  signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  const Context context = MakeContext(certificate.c_str(), key.c_str());
  const int termination = peer::CatchTermination();
  const auto server = std::make_unique<TlsEpollEcho>(
      context.get(), peer::ListenOn(argv[0], listen, pin), termination, source);
  server->Run();
  return 0;
}
