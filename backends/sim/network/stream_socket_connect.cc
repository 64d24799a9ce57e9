// SPDX-License-Identifier: Apache-2.0
//
// How a stream socket comes to be connected. A connection knocks at the
// listener, waits for a place in its queue, and has two ends from then on.

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "ringway/backends/sim/network/stream_socket.h"

namespace ringway::sim {
namespace {

// The connections that a listener holds beyond its backlog.
constexpr size_t kExtraBacklog = 1;

}  // namespace

int64_t StreamSocket::Bind(const Address& address) {
  if (bound_ || state_ != State::kNew) return -EINVAL;
  Address own = address;
  const int error = network().Bind(Self(), type_, &own);
  if (error != 0) return error;
  bound_ = true;
  set_local(std::move(own));
  return 0;
}

int64_t StreamSocket::Listen(int backlog) {
  if (state_ != State::kNew && state_ != State::kListening) return -EINVAL;
  if (!bound_) {
    if (family() == AF_UNIX) return -EINVAL;
    const int64_t error = Bind(Ipv4(INADDR_ANY, 0));
    if (error != 0) return error;
  }
  state_ = State::kListening;
  backlog_ = static_cast<size_t>(std::clamp(backlog, 0, 4096)) + kExtraBacklog;
  AdmitWaiting();
  return 0;
}

int64_t StreamSocket::Connect(const Address& to) {
  if (state_ == State::kConnected) return -EISCONN;
  if (state_ == State::kConnecting) return -EALREADY;
  if (state_ == State::kListening) return -EISCONN;
  destination_ = to;
  if (family() == AF_INET) {
    if (to.is_of_many()) return -ENETUNREACH;
    if (to.port == 0) return -ECONNREFUSED;
    if (to.is_any()) destination_.ip = INADDR_LOOPBACK;
    if (!bound_) {
      const uint32_t own = destination_.is_loopback()
                               ? static_cast<uint32_t>(INADDR_LOOPBACK)
                               : host();
      if (int64_t error = Bind(Ipv4(own, 0)); error != 0) return error;
    }
  }
  state_ = State::kConnecting;
  const absl::Duration latency = network().Latency(family());
  if (latency == absl::ZeroDuration()) {
    Knock();
    return FinishConnect();
  }
  environment().After(latency, [self = std::weak_ptr(Self())] {
    if (auto socket = self.lock()) socket->Knock();
  });
  return kBlocked;
}

// There is no reply yet, and there may never be one.
void StreamSocket::GiveUpLater() {
  environment().After(environment().network.connect_timeout,
                      [self = std::weak_ptr(Self())] {
                        if (auto socket = self.lock()) {
                          socket->FailToConnect(ETIMEDOUT);
                        }
                      });
}

int64_t StreamSocket::FinishConnect() {
  if (state_ == State::kConnecting) return kBlocked;
  return -TakeError();
}

void StreamSocket::Knock() {
  if (state_ != State::kConnecting) return;
  const uint32_t target = Network::HostOf(destination_, host());
  if (family() == AF_INET && !network().Reaches(host(), target)) {
    GiveUpLater();
    network().AtHeal([self = std::weak_ptr(Self())] {
      if (auto socket = self.lock()) socket->Knock();
    });
    return;
  }
  std::shared_ptr<Socket> found;
  const int error =
      network().Find(destination_, type_, host(), local().port, &found);
  auto* listener = dynamic_cast<StreamSocket*>(found.get());
  if (error != 0) {
    FailToConnect(-error);
  } else if (listener == nullptr || listener->type_ != type_) {
    FailToConnect(EPROTOTYPE);
  } else if (listener->state_ != State::kListening) {
    FailToConnect(ECONNREFUSED);
  } else {
    OfferTo(*listener);
  }
}

void StreamSocket::OfferTo(StreamSocket& listener) {
  if (listener.accepted_.size() < listener.backlog_) {
    Establish(listener);
  } else {
    GiveUpLater();
    listener.waiting_.push_back(Self());
  }
}

void StreamSocket::Establish(StreamSocket& listener) {
  auto server = std::make_shared<StreamSocket>(
      environment(), network(), family(), listener.host(), type_);
  server->state_ = State::kConnected;
  server->set_local(family() == AF_INET ? destination_ : listener.local());
  server->set_remote(local());
  server->peer_ = Self();
  peer_ = server;
  set_remote(server->local());
  if (family() == AF_INET) server->InheritOptions(listener);
  OnOptionsChanged();
  listener.accepted_.push_back(std::move(server));
  listener.Changed(POLLIN);
  const absl::Duration latency = network().Latency(family());
  if (latency == absl::ZeroDuration()) return OnEstablished();
  environment().After(latency, [self = std::weak_ptr(Self())] {
    if (auto socket = self.lock()) socket->OnEstablished();
  });
}

void StreamSocket::OnEstablished() {
  if (state_ != State::kConnecting) return;
  state_ = State::kConnected;
  Changed(POLLOUT | POLLIN);
}

void StreamSocket::FailToConnect(int error) {
  if (state_ != State::kConnecting) return;
  state_ = State::kNew;
  error_ = error;
  Changed(POLLOUT | POLLERR | POLLHUP);
}

int64_t StreamSocket::CanAccept() {
  if (state_ != State::kListening) return -EINVAL;
  return accepted_.empty() ? kBlocked : 0;
}

std::shared_ptr<Socket> StreamSocket::Accept() {
  if (accepted_.empty()) return nullptr;
  std::shared_ptr<StreamSocket> socket = std::move(accepted_.front());
  accepted_.pop_front();
  AdmitWaiting();
  return socket;
}

void StreamSocket::AdmitWaiting() {
  while (!waiting_.empty() && accepted_.size() < backlog_) {
    const std::shared_ptr<StreamSocket> socket = waiting_.front().lock();
    waiting_.pop_front();
    if (socket && socket->state_ == State::kConnecting) {
      socket->Establish(*this);
    }
  }
}

}  // namespace ringway::sim
