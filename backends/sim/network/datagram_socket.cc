// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/datagram_socket.h"

#include <poll.h>

#include <cerrno>

namespace ringway::sim {
namespace {

// The buffer space that a datagram needs besides its payload.
constexpr size_t kOverheadBytes = 256;

}  // namespace

DatagramSocket::DatagramSocket(Environment& environment, Network& network,
                               sa_family_t family, uint32_t host)
    : Socket(environment, network, family, host),
      capacity_(environment.network.datagram_buffer_bytes) {
  Address unnamed;
  unnamed.family = family;
  set_local(unnamed);
}

DatagramSocket::~DatagramSocket() {
  if (bound_) network().Unbind(SOCK_DGRAM, host(), local());
  for (const std::weak_ptr<DatagramSocket>& sender : blocked_senders_) {
    if (auto socket = sender.lock()) socket->Changed(POLLOUT);
  }
}

std::pair<std::shared_ptr<DatagramSocket>, std::shared_ptr<DatagramSocket>>
DatagramSocket::MakePair(Environment& environment, Network& network,
                         uint32_t host) {
  auto first =
      std::make_shared<DatagramSocket>(environment, network, AF_UNIX, host);
  auto second =
      std::make_shared<DatagramSocket>(environment, network, AF_UNIX, host);
  first->pair_ = second;
  second->pair_ = first;
  first->connected_ = second->connected_ = true;
  return {std::move(first), std::move(second)};
}

std::string_view DatagramSocket::kind() const {
  return family() == AF_UNIX ? "Unix datagram socket" : "UDP socket";
}

uint32_t DatagramSocket::Ready() {
  uint32_t events = POLLOUT;
  if (!queue_.empty() || read_shut_) events |= POLLIN;
  if (error_ != 0) events |= POLLIN | POLLERR;
  if (read_shut_) events |= POLLRDHUP;
  if (read_shut_ && write_shut_) events |= POLLHUP;
  return events;
}

int64_t DatagramSocket::Bind(const Address& address) {
  if (bound_) return -EINVAL;
  Address own = address;
  const int error = network().Bind(Self(), SOCK_DGRAM, &own);
  if (error != 0) return error;
  bound_ = true;
  set_local(std::move(own));
  return 0;
}

int64_t DatagramSocket::Connect(const Address& to) {
  if (family() == AF_UNIX) {
    std::shared_ptr<DatagramSocket> found;
    if (int error = FindPeer(&to, &found); error != 0) return error;
  } else if (!bound_) {
    if (int64_t error = Bind(SourceTowards(to)); error != 0) return error;
  }
  Address peer = to;
  if (family() == AF_INET && to.is_any()) peer.ip = INADDR_LOOPBACK;
  set_remote(std::move(peer));
  connected_ = true;
  return 0;
}

void DatagramSocket::Disconnect() {
  connected_ = false;
  set_remote(Address());
}

int64_t DatagramSocket::Shutdown(int how) {
  if (!connected_) return -ENOTCONN;
  if (how != SHUT_WR) read_shut_ = true;
  if (how != SHUT_RD) write_shut_ = true;
  Changed(POLLIN | POLLRDHUP | POLLHUP);
  return 0;
}

int64_t DatagramSocket::Receive(Buffers& to, int flags, Received& received) {
  if (error_ != 0) return -TakeError();
  if (queue_.empty()) return read_shut_ ? 0 : kBlocked;
  Datagram& datagram = queue_.front();
  received.from = datagram.from;
  received.full_size = datagram.payload.size();
  if (NotesArrivals()) received.arrival = datagram.arrival;
  const size_t copied = to.Fill(datagram.payload);
  received.flags = copied < received.full_size ? MSG_TRUNC : 0;
  const bool whole_size = (flags & MSG_TRUNC) != 0;
  if ((flags & MSG_PEEK) == 0) {
    queued_bytes_ -= received.full_size + kOverheadBytes;
    queue_.pop_front();
    for (const std::weak_ptr<DatagramSocket>& sender : blocked_senders_) {
      if (auto socket = sender.lock()) socket->Changed(POLLOUT);
    }
    blocked_senders_.clear();
  }
  return static_cast<int64_t>(whole_size ? received.full_size : copied);
}

int64_t DatagramSocket::Send(Buffers& from, const Address* to, int) {
  if (error_ != 0) return -TakeError();
  if (write_shut_) return -EPIPE;
  if (to == nullptr && !connected_) {
    return family() == AF_UNIX ? -ENOTCONN : -EDESTADDRREQ;
  }
  const size_t n = from.left();
  if (n > kMaxBytes) return -EMSGSIZE;
  const Address& destination = to == nullptr ? remote() : *to;
  if (family() == AF_INET && !bound_) {
    if (int64_t error = Bind(Ipv4(INADDR_ANY, 0)); error != 0) return error;
  }
  std::shared_ptr<DatagramSocket> target;
  if (int error = FindPeer(to, &target); error != 0 && family() == AF_UNIX) {
    return error;
  }
  if (family() == AF_UNIX && !target->HasRoomFor(n)) {
    target->blocked_senders_.push_back(Self());
    return kBlocked;
  }
  Datagram datagram;
  datagram.from = SourceTowards(destination);
  datagram.payload.resize(n);
  for (size_t at = 0; at < n;) {
    const std::span<std::byte> piece = from.Next(n - at);
    std::copy(piece.begin(), piece.end(),
              datagram.payload.begin() + static_cast<ptrdiff_t>(at));
    at += piece.size();
  }
  return Transmit(std::move(datagram), destination, target);
}

// This socket's address as the receiver at `to` sees it.
Address DatagramSocket::SourceTowards(const Address& to) const {
  if (family() == AF_UNIX) return local();
  Address source = local();
  source.family = AF_INET;
  if (!source.is_any()) return source;
  source.ip = to.is_loopback() || to.is_any()
                  ? static_cast<uint32_t>(INADDR_LOOPBACK)
                  : host();
  return source;
}

int DatagramSocket::FindPeer(const Address* to,
                             std::shared_ptr<DatagramSocket>* out) {
  if (to == nullptr && remote().family == AF_UNSPEC) {
    *out = pair_.lock();
    return *out == nullptr ? -ECONNREFUSED : 0;
  }
  std::shared_ptr<Socket> found;
  const int error = network().Find(to == nullptr ? remote() : *to, SOCK_DGRAM,
                                   host(), local().port, &found);
  if (error != 0) return error;
  *out = std::dynamic_pointer_cast<DatagramSocket>(found);
  return *out == nullptr ? -EPROTOTYPE : 0;
}

int64_t DatagramSocket::Transmit(
    Datagram datagram, const Address& to,
    const std::shared_ptr<DatagramSocket>& target) {
  const int64_t n = static_cast<int64_t>(datagram.payload.size());
  if (family() == AF_UNIX) {
    target->Arrive(std::move(datagram));
    return n;
  }
  Environment& env = environment();
  if (env.rng.Chance(env.network.datagram_loss) ||
      !network().Reaches(host(), Network::HostOf(to, host()))) {
    return n;
  }
  const absl::Duration latency = network().Latency(family());
  if (target == nullptr) {
    // Only a connected socket gets the error of an unreachable port.
    if (connected_) {
      env.After(latency + network().Latency(family()),
                [self = std::weak_ptr(Self())] {
                  if (auto socket = self.lock()) socket->OnUnreachable();
                });
    }
  } else if (latency == absl::ZeroDuration()) {
    target->Arrive(std::move(datagram));
  } else {
    env.After(latency, [to = std::weak_ptr(target),
                        datagram = std::move(datagram)]() mutable {
      if (auto socket = to.lock()) socket->Arrive(std::move(datagram));
    });
  }
  return n;
}

void DatagramSocket::OnUnreachable() {
  error_ = ECONNREFUSED;
  Changed(POLLIN | POLLERR);
}

bool DatagramSocket::HasRoomFor(size_t n_bytes) const {
  return queue_.empty() ||
         queued_bytes_ + n_bytes + kOverheadBytes <= capacity_;
}

void DatagramSocket::Arrive(Datagram datagram) {
  const bool is_from_peer =
      !connected_ || remote().family == AF_UNSPEC || datagram.from == remote();
  if (!is_from_peer || read_shut_) return;
  if (!HasRoomFor(datagram.payload.size())) {
    ++dropped_;
    return;
  }
  queued_bytes_ += datagram.payload.size() + kOverheadBytes;
  datagram.arrival = environment().now();
  queue_.push_back(std::move(datagram));
  Changed(POLLIN);
}

void DatagramSocket::OnOptionsChanged() {
  capacity_ =
      options().receive_buffer(environment().network.datagram_buffer_bytes);
}

}  // namespace ringway::sim
