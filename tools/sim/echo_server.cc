// SPDX-License-Identifier: Apache-2.0

#include "tools/sim/echo_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "executor/executor.h"
#include "executor/shield.h"
#include "executor/sleep.h"
#include "tools/sim/luck.h"
#include "tools/sim/operations.h"
#include "tools/sim/receiver.h"

namespace ringway::simulation {
namespace {

constexpr size_t kMaxSessions = 64;
constexpr int kBacklog = 4;
constexpr absl::Duration kPause = absl::Milliseconds(5);
constexpr absl::Duration kSlowestReply = absl::Milliseconds(30);

}  // namespace

EchoServer::EchoServer(Simulation& simulation, Node& node,
                       const sockaddr_in& address)
    : simulation_(simulation),
      node_(node),
      address_(address),
      slots_(kMaxSessions) {}

// Tries again until it has one, or is cancelled.
Task<int32_t> EchoServer::OpenListener() {
  while (true) {
    const int32_t fd = co_await Socket(AF_INET, SOCK_STREAM);
    if (fd == -ECANCELED) co_return fd;
    if (fd >= 0) {
      int32_t result = co_await Bind(fd, &address_);
      if (result == 0) result = co_await Listen(fd, kBacklog);
      if (result == 0) co_return fd;
      Shield shield;
      co_await Close(fd);
    }
    static_cast<void>(co_await Sleep(kPause));
  }
}

Task<absl::Status> EchoServer::Serve() {
  const int32_t listener = co_await OpenListener();
  if (listener < 0) co_return absl::OkStatus();
  listening_ = true;
  std::vector<JoinHandle<void>> served;
  absl::Status status;
  while (true) {
    const int32_t fd = co_await Accept(listener);
    if (simulation_.bug() == Bug::kLeakOnCancel && fd >= 0 &&
        Executor::Current()->current_task()->cancelled()) {
      break;
    }
    if (fd == -ECANCELED) break;
    if (fd >= 0) {
      ++accepted_;
      served.push_back(Spawn(ServeSession(fd)));
    } else if (IsMistake(fd)) {
      status = absl::InternalError(absl::StrCat("accept: ", fd));
      break;
    } else {
      static_cast<void>(co_await Sleep(kPause));
    }
  }
  Shield shield;
  co_await Close(listener);
  for (JoinHandle<void>& session : served) {
    session.Cancel();
    static_cast<void>(co_await session);
  }
  co_return status;
}

Task<void> EchoServer::ServeSession(int fd) {
  const SlabKey key = sessions_.KeyOf(*sessions_.Emplace(fd));
  slots_[key.index] = key;
  Receiver receiver(node_.loop(), fd);
  while (std::optional<MultishotEvent> event = co_await receiver.Next()) {
    Take(key, *event);
  }
  const int32_t ended = co_await receiver.Stop();
  Shield shield;
  if (simulation_.bug() == Bug::kDoubleClose && ended < 0) co_await Close(fd);
  sessions_.Erase(key);
  co_await Close(fd);
}

// Copies what was received, gives the buffer back and sees to the reply.
void EchoServer::Take(SlabKey key, const MultishotEvent& event) {
  Session& session = *sessions_.Get(key);
  session.unanswered.append(reinterpret_cast<const char*>(event.data),
                            static_cast<size_t>(event.result));
  node_.loop().backend().ReturnBuffer(event.buffer_id);
  if (std::exchange(session.answering, true)) {
    // "It was taken for a reply that is under way: that one gives it back."
    if (simulation_.bug() == Bug::kBufferReturnedTwice) {
      node_.loop().backend().ReturnBuffer(event.buffer_id);
    }
    return;
  }
  ++replies_left_;
  Spawn(Reply(key)).Detach();
}

EchoServer::Session* EchoServer::Find(SlabKey key) {
  const bool by_index = simulation_.bug() == Bug::kReusedSlot;
  return sessions_.Get(by_index ? slots_[key.index] : key);
}

// Ends a session that cannot be answered. Who receives on it sees the end.
Task<void> EchoServer::GiveUp(SlabKey key) {
  if (Session* session = Find(key)) {
    co_await Shutdown(session->fd, SHUT_RDWR);
  }
}

// Sends back what has come, later; and what has come meanwhile, until there is
// nothing left.
Task<void> EchoServer::Reply(SlabKey key) {
  while (Session* session = Find(key)) {
    if (session->unanswered.empty()) {
      session->answering = false;
      break;
    }
    const std::string reply = std::exchange(session->unanswered, {});
    static_cast<void>(co_await Sleep(
        simulation_.rng().Between(absl::ZeroDuration(), kSlowestReply)));
    for (size_t sent = 0; sent < reply.size();) {
      session = Find(key);
      if (session == nullptr) break;
      const int32_t n = co_await Send(
          session->fd, std::as_bytes(std::span(reply)).subspan(sent));
      if (n < 0) {
        co_await GiveUp(key);
        --replies_left_;
        co_return;
      }
      sent += static_cast<size_t>(n);
    }
  }
  --replies_left_;
}

}  // namespace ringway::simulation
