// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/serving/udp_serving.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "ringway/executor/task/shield.h"
#include "ringway/runtime/serving/status_of_exception.h"

namespace ringway {

// Counts as one of running_ during its lifetime. It is in the task's frame, so
// a task that is cancelled before it starts releases it, and its socket, too.
class Server::UdpServing::Running {
 public:
  Running(UdpServing& serving, Served& served)
      : serving_(serving), served_(&served) {
    Add(1);
  }
  Running(Running&& other) noexcept
      : serving_(other.serving_),
        served_(std::exchange(other.served_, nullptr)) {}
  ~Running() {
    if (served_ == nullptr) return;
    served_->task = nullptr;
    served_->socket.Close();
    Add(-1);
    serving_.server_.changed_.Set();
  }

  // The running task calls the handler.
  Served& Begin() {
    served_->task = &Executor::RunningTask("a UDP handler");
    return *served_;
  }

 private:
  void Add(int n) {
    serving_.running_ += static_cast<size_t>(n);
    if (served_->endpoint.drains) serving_.draining_ += static_cast<size_t>(n);
  }

  UdpServing& serving_;
  Served* served_;
};

absl::Status Server::UdpServing::Add(net::UdpSocket socket,
                                     UdpEndpoint endpoint) {
  served_.push_back({std::move(socket), std::move(endpoint)});
  Task<void> serve = Serve(Running(*this, served_.back()));
  return server_.executor_.Spawn(std::move(serve), "udp").spawn_status();
}

bool Server::UdpServing::HasPending() const {
  return std::any_of(served_.begin(), served_.end(), [](const Served& served) {
    return served.socket.HasPending();
  });
}

void Server::UdpServing::Cancel() {
  for (Served& served : served_) {
    if (served.task != nullptr) served.task->RequestCancel();
  }
}

Task<void> Server::UdpServing::Serve(Running running) {
  {
    Shield shield;  // against handlers that cancel every task
    (co_await server_.serving_.Wait()).IgnoreError();
  }
  if (!server_.started_ || server_.phase_ >= ServerPhase::kCut) co_return;
  Served& served = running.Begin();
  absl::Status status;
  bool threw = false;
  try {
    Task<absl::Status> task = served.endpoint.handler(served.socket);
    status = co_await std::move(task);
  } catch (...) {
    threw = true;
    status = internal::StatusOfException();
  }
  // That a drain ends its waits is no failure.
  if (threw || (!status.ok() && server_.phase_ < ServerPhase::kDraining))
    OnFailed(served, status);
}

void Server::UdpServing::OnFailed(const Served& served,
                                  const absl::Status& status) {
  ++server_.counts_.listeners_failed;
  fprintf(stderr, "ringway: no longer receives on %s: %.*s\n",
          served.endpoint.name.c_str(),
          static_cast<int>(status.message().size()), status.message().data());
}

}  // namespace ringway
