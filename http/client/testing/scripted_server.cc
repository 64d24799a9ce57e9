// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/testing/scripted_server.h"

#include <array>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/structured/task_scope.h"

namespace ringway::http::testing {

Task<bool> ScriptedPeer::More() {
  std::array<std::byte, 4096> buffer;
  const absl::StatusOr<size_t> n = co_await stream_.Read(buffer);
  if (!n.ok() || *n == 0) co_return false;
  arrived_.append(reinterpret_cast<const char*>(buffer.data()), *n);
  co_return true;
}

Task<std::string> ScriptedPeer::ReadHead() {
  while (true) {
    const size_t end = arrived_.find("\r\n\r\n");
    if (end != std::string::npos) {
      std::string head = arrived_.substr(0, end + 4);
      arrived_.erase(0, end + 4);
      co_return head;
    }
    Task<bool> more = More();
    if (!co_await std::move(more)) co_return "";
  }
}

Task<std::string> ScriptedPeer::ReadBytes(size_t n) {
  while (arrived_.size() < n) {
    Task<bool> more = More();
    if (!co_await std::move(more)) break;
  }
  std::string bytes = arrived_.substr(0, n);
  arrived_.erase(0, n);
  co_return bytes;
}

Task<std::string> ScriptedPeer::ReadToEnd() {
  Task<std::string> read = ReadBytes(SIZE_MAX);
  co_return co_await std::move(read);
}

Task<bool> ScriptedPeer::Say(std::string bytes) {
  const absl::Status sent =
      co_await stream_.Write(std::as_bytes(std::span(bytes)));
  co_return sent.ok();
}

ScriptedServer::ScriptedServer(net::TcpListener listener)
    : listener_(std::move(listener)),
      authority_(listener_.LocalAddress()->ToString()) {}

std::string ScriptedServer::url(std::string_view path) const {
  return absl::StrCat("http://", authority_, path);
}

void ScriptedServer::Start(Script script) {
  script_ = std::move(script);
  accepting_ = Spawn(Accept(), "a scripted server");
}

Task<void> ScriptedServer::Stop() {
  accepting_.Cancel();
  (co_await accepting_).IgnoreError();
}

Task<void> ScriptedServer::Accept() {
  TaskScope scope;
  while (true) {
    absl::StatusOr<net::TcpStream> accepted = co_await listener_.Accept();
    if (!accepted.ok()) break;
    scope.Spawn(Serve(*std::move(accepted), n_connections_++)).Detach();
  }
  scope.Cancel();
  (co_await scope.Join()).IgnoreError();
}

Task<void> ScriptedServer::Serve(net::TcpStream stream, size_t number) {
  ScriptedPeer peer(std::move(stream), number);
  Task<void> run = script_(peer);
  co_await std::move(run);
}

}  // namespace ringway::http::testing
