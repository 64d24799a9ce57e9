// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/echo_server.h"

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "absl/time/time.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/tools/sim/operations.h"
#include "ringway/tools/sim/receiver.h"

namespace ringway::simulation {
namespace {

constexpr size_t kMaxSessions = 64;
constexpr absl::Duration kSlowestReply = absl::Milliseconds(30);

}  // namespace

EchoServer::EchoServer(Simulation& simulation, Node& node)
    : Service(simulation, node), slots_(kMaxSessions) {}

Task<void> EchoServer::ServeConnection(int fd) {
  const SlabKey key = sessions_.KeyOf(*sessions_.Emplace(fd));
  slots_[key.index] = key;
  Receiver receiver(loop(), fd);
  while (std::optional<Delivery> delivery = co_await receiver.Next()) {
    Take(key, *delivery);
  }
  const int32_t ended = co_await receiver.Stop();
  Session& session = *sessions_.Get(key);
  if (ended == 0 && session.answering) {
    static_cast<void>(co_await session.answered.Wait());
  }
  Shield shield;
  if (simulation().bug() == Bug::kDoubleClose && ended < 0) co_await Close(fd);
  sessions_.Erase(key);
  co_await Close(fd);
}

// Copies what was received, gives the buffer back and sees to the reply.
void EchoServer::Take(SlabKey key, const Delivery& delivery) {
  Session& session = *sessions_.Get(key);
  session.unanswered.append(reinterpret_cast<const char*>(delivery.data),
                            static_cast<size_t>(delivery.result));
  loop().backend().ReturnBuffer(delivery.buffer_id);
  if (std::exchange(session.answering, true)) {
    // "It was taken for a reply that is under way: that one gives it back."
    if (simulation().bug() == Bug::kBufferReturnedTwice) {
      loop().backend().ReturnBuffer(delivery.buffer_id);
    }
    return;
  }
  session.answered.Reset();
  ++replies_left_;
  Spawn(Reply(key)).Detach();
}

EchoServer::Session* EchoServer::Find(SlabKey key) {
  const bool by_index = simulation().bug() == Bug::kReusedSlot;
  return sessions_.Get(by_index ? slots_[key.index] : key);
}

// Ends a session that cannot be answered. Who receives on it sees the end.
Task<void> EchoServer::GiveUp(SlabKey key) {
  Session* session = Find(key);
  if (session == nullptr) co_return;
  session->answered.Set();
  co_await Shutdown(session->fd, SHUT_RDWR);
}

// Sends back what has come, later; and what has come meanwhile, until there is
// nothing left.
Task<void> EchoServer::Reply(SlabKey key) {
  while (Session* session = Find(key)) {
    if (session->unanswered.empty()) {
      session->answering = false;
      session->answered.Set();
      break;
    }
    std::string reply = std::exchange(session->unanswered, {});
    static_cast<void>(co_await Sleep(
        simulation().rng().Between(absl::ZeroDuration(), kSlowestReply)));
    if (co_await SendReply(key, std::move(reply)) < 0) {
      co_await GiveUp(key);
      break;
    }
  }
  --replies_left_;
}

// 0, also when `key` has gone stale, or -errno.
Task<int32_t> EchoServer::SendReply(SlabKey key, std::string reply) {
  for (size_t sent = 0; sent < reply.size();) {
    Session* session = Find(key);
    if (session == nullptr) break;
    const int32_t n = co_await Send(
        session->fd, std::as_bytes(std::span(reply)).subspan(sent));
    if (n < 0) co_return n;
    sent += static_cast<size_t>(n);
  }
  co_return 0;
}

}  // namespace ringway::simulation
