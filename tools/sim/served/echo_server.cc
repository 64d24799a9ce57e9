// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/served/echo_server.h"

#include <cstdint>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/sim/stream_use.h"

namespace ringway::simulation {
namespace {

constexpr size_t kMaxSessions = 64;
constexpr absl::Duration kSlowestReply = absl::Milliseconds(30);

}  // namespace

EchoServer::EchoServer(Trial& trial, SimulatedHost& host, Port& port)
    : Service(trial, host, port), slots_(kMaxSessions) {}

Task<void> EchoServer::ServeConnection(net::TcpStream stream) {
  const int spare =
      trial().has(Bug::kLeakOnCancel) ? sockets().Duplicate(stream.fd()) : -1;
  Session& session = *sessions_.Emplace(std::move(stream));
  const SlabKey key = sessions_.KeyOf(session);
  slots_[key.index] = key;
  const absl::Status ended = co_await TakeAll(key);
  if (ended.ok() && session.answering)
    static_cast<void>(co_await session.answered.Wait());
  co_await Part(session.stream, /*failed=*/!ended.ok());
  sessions_.Erase(key);
  if (spare >= 0 && !CurrentTaskIsCancelled()) sockets().Close(spare);
}

// Receives messages and starts the replies; OK at the end of the stream.
Task<absl::Status> EchoServer::TakeAll(SlabKey key) {
  Session& session = *sessions_.Get(key);
  while (true) {
    Task<absl::StatusOr<size_t>> receive =
        ReceiveSomehow(trial(), session.stream.reader(), session.unanswered);
    const absl::StatusOr<size_t> n = co_await std::move(receive);
    if (!n.ok()) {
      if (session.stream.valid() && !CurrentTaskIsCancelled())
        trial().Report("receiving a request", n.status());
      co_return n.status();
    }
    if (*n == 0) co_return absl::OkStatus();
    // "It was taken for a reply that is under way: that one gives it back."
    if (session.answering && trial().has(Bug::kBufferReturnedTwice))
      loop().backend().ReturnBuffer(/*buffer_id=*/0);
    if (std::exchange(session.answering, true)) continue;
    session.answered.Reset();
    ++replies_left_;
    Spawn(Reply(key)).Detach();
  }
}

// Ends a connection in a random way.
Task<void> EchoServer::Part(net::TcpStream& stream, bool failed) {
  if (!stream.valid()) co_return;
  const int fd = stream.fd();
  if (!failed && trial().rng().Chance(0.3)) {
    stream = net::TcpStream();
    co_return;
  }
  trial().Report("closing a connection", co_await stream.Close());
  if (failed && trial().has(Bug::kDoubleClose)) sockets().Close(fd);
}

EchoServer::Session* EchoServer::Find(SlabKey key) {
  const bool by_index = trial().has(Bug::kReusedSlot);
  return sessions_.Get(by_index ? slots_[key.index] : key);
}

// Ends a session that cannot be answered; its receive ends as cancelled.
void EchoServer::GiveUp(SlabKey key) {
  Session* const session = Find(key);
  if (session == nullptr) return;
  session->answered.Set();
  session->stream.Reset();
}

// Echoes received bytes later, including those received meanwhile, until none
// are left.
Task<void> EchoServer::Reply(SlabKey key) {
  while (Session* session = Find(key)) {
    if (session->unanswered.empty()) {
      session->answering = false;
      session->answered.Set();
      break;
    }
    std::string reply = std::exchange(session->unanswered, {});
    co_await Pause(trial(), kSlowestReply);
    const absl::Status sent = co_await SendReply(key, std::move(reply));
    if (!sent.ok()) {
      GiveUp(key);
      break;
    }
  }
  --replies_left_;
}

// OK also when `key` has gone stale.
Task<absl::Status> EchoServer::SendReply(SlabKey key, std::string reply) {
  Session* session = Find(key);
  if (session == nullptr) co_return absl::OkStatus();
  Task<absl::Status> send = SendSomehow(trial(), session->stream.writer(),
                                        std::as_bytes(std::span(reply)));
  const absl::Status sent = co_await std::move(send);
  session = Find(key);
  if (session != nullptr && session->stream.valid())
    trial().Report("sending a reply", sent);
  co_return sent;
}

}  // namespace ringway::simulation
