// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/stream_socket.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace ringway::sim {
namespace {

// The buffer space that a sequenced packet needs besides its payload.
constexpr size_t kPacketOverhead = 256;

}  // namespace

StreamSocket::StreamSocket(Environment& environment, Network& network,
                           sa_family_t family, uint32_t host, int type)
    : Socket(environment, network, family, host),
      type_(type),
      incoming_(environment.network.stream_buffer_bytes) {
  Address unnamed;
  unnamed.family = family;
  set_local(unnamed);
  set_remote(unnamed);
}

StreamSocket::~StreamSocket() {
  if (bound_) network().Unbind(type_, host(), local());
  for (const std::weak_ptr<StreamSocket>& waiting : waiting_) {
    if (auto socket = waiting.lock()) socket->FailToConnect(ECONNREFUSED);
  }
  for (const std::shared_ptr<StreamSocket>& socket : accepted_) {
    socket->never_accepted_ = true;
  }
  if (state_ != State::kConnected) return;
  if (never_accepted_ || options().resets_on_close() || !incoming_.empty() ||
      !packets_.empty()) {
    SendReset();
  } else {
    ReportLingering();
    SendEnd();
  }
}

// A close that waits for the peer blocks its whole loop. The simulator does
// not wait but reports it.
void StreamSocket::ReportLingering() {
  const std::shared_ptr<StreamSocket> peer = peer_.lock();
  if (family() == AF_UNIX || !options().lingers_on_close() || peer == nullptr ||
      peer->incoming_.empty()) {
    return;
  }
  environment().Report(
      "a TCP socket is closed with a linger time before its peer has read "
      "everything: close(2) may wait");
}

std::pair<std::shared_ptr<StreamSocket>, std::shared_ptr<StreamSocket>>
StreamSocket::MakePair(Environment& environment, Network& network,
                       uint32_t host, int type) {
  auto first =
      std::make_shared<StreamSocket>(environment, network, AF_UNIX, host, type);
  auto second =
      std::make_shared<StreamSocket>(environment, network, AF_UNIX, host, type);
  first->peer_ = second;
  second->peer_ = first;
  first->state_ = second->state_ = State::kConnected;
  return {std::move(first), std::move(second)};
}

std::string_view StreamSocket::kind() const {
  if (state_ == State::kListening) return "listener";
  if (sequenced()) return "Unix packet socket";
  return family() == AF_UNIX ? "Unix stream socket" : "TCP socket";
}

// A TCP connection ends when both sides have closed.
bool StreamSocket::has_peer() const {
  if (state_ != State::kConnected) return false;
  if (family() == AF_UNIX) return true;
  const bool both_ended =
      write_shut_ && incoming_.EndArrived(environment().now());
  return !reset_ && !both_ended;
}

uint32_t StreamSocket::Ready() {
  switch (state_) {
    case State::kNew:
      return (error_ != 0 ? POLLERR : 0) | POLLOUT | POLLHUP;
    case State::kListening:
      return accepted_.empty() ? 0 : POLLIN;
    case State::kConnecting:
      return 0;
    case State::kConnected:
      break;
  }
  const MonotonicTime now = environment().now();
  const bool ended = incoming_.EndArrived(now) || read_shut_;
  const std::shared_ptr<StreamSocket> peer = peer_.lock();
  uint32_t events = 0;
  if (incoming_.Arrived(now) > 0 || !packets_.empty() || ended || error_ != 0)
    events |= POLLIN;
  if (ended) events |= POLLRDHUP;
  if (error_ != 0) events |= POLLERR | POLLHUP;
  if (write_shut_ || peer == nullptr || !peer->incoming_.full()) {
    events |= POLLOUT;
  }
  if (ended && (write_shut_ || peer_closed())) events |= POLLHUP;
  return events;
}

// A Unix socket detects a missing peer at once; over a network a reply is
// needed.
bool StreamSocket::peer_closed() {
  return family() == AF_UNIX && peer_.expired();
}

size_t StreamSocket::Room() {
  const std::shared_ptr<StreamSocket> peer = peer_.lock();
  return peer == nullptr ? Socket::Room() : peer->incoming_.room();
}

// --- Sending and receiving.

int64_t StreamSocket::Receive(Buffers& to, int flags, Received& received) {
  if (sequenced()) return ReceivePacket(to, flags, received);
  if (state_ == State::kListening)
    return family() == AF_UNIX ? -EINVAL : -ENOTCONN;
  received.from.family = AF_UNSPEC;
  const MonotonicTime now = environment().now();
  const bool peek = (flags & MSG_PEEK) != 0;
  const size_t n = incoming_.Receive(to, now, peek);
  if (n > 0) {
    if (NotesArrivals()) received.arrival = incoming_.newest_arrival();
    if (auto peer = peer_.lock(); peer && !peek) peer->Changed(POLLOUT);
    return static_cast<int64_t>(n);
  }
  if (incoming_.AtEnd(now)) return 0;
  if (error_ != 0) return -TakeError();
  if (to.left() == 0 || read_shut_) return 0;
  if (state_ == State::kNew) return family() == AF_UNIX ? -EINVAL : -ENOTCONN;
  return kBlocked;
}

int64_t StreamSocket::Send(Buffers& from, const Address*, int) {
  if (error_ != 0) return -TakeError();
  if (write_shut_) return -EPIPE;
  if (state_ == State::kConnecting) return kBlocked;
  if (state_ != State::kConnected)
    return family() == AF_UNIX ? -ENOTCONN : -EPIPE;
  const std::shared_ptr<StreamSocket> peer = peer_.lock();
  if (peer == nullptr) return SendToNobody(from);
  if (family() == AF_UNIX && peer->read_shut_) return -EPIPE;
  if (sequenced()) return SendPacket(from, *peer);
  if (from.left() == 0) return 0;
  if (family() == AF_INET &&
      environment().rng.Chance(environment().network.reset)) {
    Break();
    return -TakeError();
  }
  if (peer->incoming_.full()) return kBlocked;
  const size_t n = std::min(from.left(), peer->incoming_.room());
  peer->incoming_.Send(from, environment().now(), ArrivalOf(n));
  TellArrival(peer->incoming_.last_arrival());
  return static_cast<int64_t>(n);
}

// As on Linux, an error comes before the packets that wait.
int64_t StreamSocket::ReceivePacket(Buffers& to, int flags,
                                    Received& received) {
  if (state_ != State::kConnected) return -ENOTCONN;
  received.from.family = AF_UNSPEC;
  if (error_ != 0) return -TakeError();
  const MonotonicTime now = environment().now();
  if (packets_.empty())
    return incoming_.AtEnd(now) || read_shut_ ? 0 : kBlocked;
  received.full_size = packets_.front();
  to.Limit(received.full_size);
  const bool peek = (flags & MSG_PEEK) != 0;
  const size_t copied = incoming_.Receive(to, now, peek);
  const size_t cut_off = received.full_size - copied;
  received.flags = cut_off > 0 ? MSG_TRUNC : 0;
  if (!peek) {
    incoming_.Drop(cut_off);
    packets_.pop_front();
    if (auto peer = peer_.lock()) peer->Changed(POLLOUT);
  }
  return static_cast<int64_t>((flags & MSG_TRUNC) != 0 ? received.full_size
                                                       : copied);
}

int64_t StreamSocket::SendPacket(Buffers& from, StreamSocket& peer) {
  const size_t n = from.left();
  if (n + kPacketOverhead > peer.incoming_.capacity()) return -EMSGSIZE;
  const size_t overhead = (peer.packets_.size() + 1) * kPacketOverhead;
  if (n + overhead > peer.incoming_.room()) return kBlocked;
  peer.packets_.push_back(n);
  peer.incoming_.Send(from, environment().now(), environment().now());
  peer.Changed(POLLIN);
  return static_cast<int64_t>(n);
}

// The other side has closed. Over a network the sender learns it from a
// reply.
int64_t StreamSocket::SendToNobody(Buffers& from) {
  if (family() == AF_UNIX) return -EPIPE;
  const size_t n = from.left();
  from.Skip(n);
  const absl::Duration there = network().Latency(family());
  const absl::Duration back = network().Latency(family());
  environment().After(there + back, [self = std::weak_ptr(Self())] {
    if (auto socket = self.lock()) socket->OnReset();
  });
  return static_cast<int64_t>(n);
}

int64_t StreamSocket::Shutdown(int how) {
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  if (state_ == State::kListening && family() == AF_INET) {
    // As on Linux, it stops listening and accepts end with EINVAL.
    state_ = State::kNew;
    Changed(POLLIN | POLLHUP);
    return 0;
  }
  if (state_ != State::kConnected) return -ENOTCONN;
  if (how != SHUT_WR) read_shut_ = true;
  if (how != SHUT_RD && !write_shut_) {
    write_shut_ = true;
    SendEnd();
  }
  Changed(POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
  return 0;
}

void StreamSocket::Break() {
  if (state_ != State::kConnected) return;
  SendReset();
  error_ = ECONNRESET;
  peer_.reset();
  reset_ = read_shut_ = write_shut_ = true;
  Changed(POLLIN | POLLOUT | POLLERR | POLLHUP);
}

// Both ends bound the bytes in flight in a direction.
void StreamSocket::OnOptionsChanged() {
  const size_t otherwise = environment().network.stream_buffer_bytes;
  const std::shared_ptr<StreamSocket> peer = peer_.lock();
  if (peer == nullptr) {
    incoming_.set_capacity(options().receive_buffer(otherwise));
    return;
  }
  incoming_.set_capacity(std::min(options().receive_buffer(otherwise),
                                  peer->options().send_buffer(otherwise)));
  peer->incoming_.set_capacity(
      std::min(peer->options().receive_buffer(otherwise),
               options().send_buffer(otherwise)));
}

// The arrival time of the last of `n_bytes` sent now; infinite across a
// partition.
MonotonicTime StreamSocket::ArrivalOf(size_t n_bytes) {
  const MonotonicTime now = environment().now();
  if (family() == AF_UNIX) return now;
  if (!network().Reaches(host(), Network::HostOf(remote(), host()))) {
    if (auto peer = peer_.lock()) peer->AwaitHeal();
    return MonotonicTime::Infinite();
  }
  const uint64_t rate = environment().network.bytes_per_second;
  if (rate == 0) return now + network().Latency(family());
  line_free_ = std::max(line_free_, now) +
               absl::Nanoseconds(static_cast<int64_t>(
                   n_bytes * uint64_t{1'000'000'000} / rate));
  return line_free_ + network().Latency(family());
}

// Signals the peer when bytes arrive.
void StreamSocket::TellArrival(MonotonicTime arrival) {
  const std::shared_ptr<StreamSocket> peer = peer_.lock();
  if (peer == nullptr || arrival.is_infinite()) return;
  constexpr uint32_t kEvents = POLLIN | POLLRDHUP | POLLHUP;
  if (arrival <= environment().now()) return peer->Changed(kEvents);
  environment().events.Add(arrival, [to = peer_] {
    if (auto socket = to.lock()) socket->Changed(kEvents);
  });
}

void StreamSocket::SendEnd() {
  const std::shared_ptr<StreamSocket> peer = peer_.lock();
  if (peer == nullptr) return;
  peer->incoming_.SendEnd(ArrivalOf(0));
  TellArrival(peer->incoming_.last_arrival());
  peer->Changed(POLLOUT | POLLHUP);  // a Unix peer detects the close
}

// After all earlier bytes.
void StreamSocket::SendReset() {
  const std::shared_ptr<StreamSocket> peer = peer_.lock();
  if (peer == nullptr) return;
  const MonotonicTime arrival =
      std::max(ArrivalOf(0), peer->incoming_.last_arrival());
  if (arrival <= environment().now()) return peer->OnReset();
  auto reset = [to = peer_] {
    if (auto socket = to.lock()) socket->OnReset();
  };
  if (arrival.is_infinite()) {
    network().AtHeal(reset);
  } else {
    environment().events.Add(arrival, reset);
  }
}

void StreamSocket::OnReset() {
  if (state_ == State::kConnecting) return FailToConnect(ECONNRESET);
  if (state_ != State::kConnected || (write_shut_ && read_shut_)) return;
  error_ = incoming_.EndArrived(environment().now()) && family() == AF_INET
               ? EPIPE
               : ECONNRESET;
  peer_.reset();
  reset_ = read_shut_ = write_shut_ = true;
  Changed(POLLIN | POLLOUT | POLLERR | POLLHUP);
}

// A partition delays bytes in flight.
void StreamSocket::AwaitHeal() {
  if (std::exchange(awaits_heal_, true)) return;
  network().AtHeal([self = std::weak_ptr(Self())] {
    if (auto socket = self.lock()) socket->OnHeal();
  });
}

void StreamSocket::OnHeal() {
  awaits_heal_ = false;
  const MonotonicTime arrival =
      environment().now() + network().Latency(family());
  incoming_.Release(arrival);
  environment().events.Add(arrival, [self = std::weak_ptr(Self())] {
    if (auto socket = self.lock()) {
      socket->Changed(POLLIN | POLLRDHUP | POLLHUP);
    }
  });
}

}  // namespace ringway::sim
