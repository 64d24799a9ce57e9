// SPDX-License-Identifier: Apache-2.0
//
// ScriptedServer: for tests of clients: a server that says what it is told to,
// byte by byte.
//
//   ScriptedServer server(ListenOn("127.0.0.1:0"));
//   server.Start([](ScriptedPeer& peer) -> Task<void> {
//     const std::string head = co_await peer.ReadHead();
//     co_await peer.Say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
//   });
//   ... client.Get(server.url("/")) ...
//   co_await server.Stop();

#ifndef RINGWAY_HTTP_CLIENT_TESTING_SCRIPTED_SERVER_H_
#define RINGWAY_HTTP_CLIENT_TESTING_SCRIPTED_SERVER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp.h"

namespace ringway::http::testing {

// One connection.
class ScriptedPeer {
 public:
  ScriptedPeer(net::TcpStream stream, size_t number)
      : stream_(std::move(stream)), number_(number) {}

  // 0 for the first connection of the server.
  size_t number() const { return number_; }
  net::TcpStream& stream() { return stream_; }

  // Up to the empty line; empty if the client has ended before.
  Task<std::string> ReadHead();
  // Less if the client has ended before.
  Task<std::string> ReadBytes(size_t n);
  // All until the client's end.
  Task<std::string> ReadToEnd();
  // False if they could not be sent.
  Task<bool> Say(std::string bytes);

 private:
  Task<bool> More();

  net::TcpStream stream_;
  const size_t number_;
  std::string arrived_;
};

using Script = std::function<Task<void>(ScriptedPeer&)>;

// At a fixed address, until Stop() or the end of its executor.
class ScriptedServer {
 public:
  explicit ScriptedServer(net::TcpListener listener);

  // Runs `script` for each connection, which is closed when it ends.
  void Start(Script script);
  // Cancels what runs, and waits for it.
  Task<void> Stop();

  std::string url(std::string_view path) const;
  size_t n_connections() const { return n_connections_; }

 private:
  Task<void> Accept();
  Task<void> Serve(net::TcpStream stream, size_t number);

  net::TcpListener listener_;
  std::string authority_;
  Script script_;
  JoinHandle<void> accepting_;
  size_t n_connections_ = 0;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_CLIENT_TESTING_SCRIPTED_SERVER_H_
