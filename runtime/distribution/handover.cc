// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/distribution/handover.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::internal {

// A connection that no worker has taken yet; closed with the last message that
// offers it.
struct Handover::Offer {
  explicit Offer(SocketFd f) : fd(std::move(f)) {}

  // True once.
  bool Take() { return !taken.exchange(true, std::memory_order_acq_rel); }

  SocketFd fd;
  std::atomic<bool> taken{false};
};

// Shared with the messages, which may outlive the acceptor.
struct Handover::Seat {
  explicit Seat(HandoverTarget& t) : target(t) {}

  HandoverTarget& target;
  uint64_t sent = 0;                         // the acceptor's
  std::atomic<uint64_t> received{0};         // offers
  std::atomic<uint64_t> taken_elsewhere{0};  // of these
};

struct Handover::Message : InboxMessage {
  Message(std::shared_ptr<Seat> s, size_t e, std::shared_ptr<Offer> o)
      : InboxMessage(&Received),
        seat(std::move(s)),
        endpoint(e),
        offer(std::move(o)) {}

  // Not accepted: the worker has ended.
  static void Received(InboxMessage& message, bool accepted) {
    const std::unique_ptr<Message> self(static_cast<Message*>(&message));
    Seat& seat = *self->seat;
    if (accepted && self->offer->Take()) {
      seat.target.TakeOver(self->endpoint, std::move(self->offer->fd));
    } else {
      seat.taken_elsewhere.fetch_add(1, std::memory_order_relaxed);
    }
    seat.received.fetch_add(1, std::memory_order_relaxed);
  }

  const std::shared_ptr<Seat> seat;
  const size_t endpoint;
  const std::shared_ptr<Offer> offer;
};

Handover::Handover(const std::vector<HandoverTarget*>& targets,
                   const Options& options)
    : options_(options),
      choice_(options.balancing, options.chunk),
      loads_(targets.size()) {
  for (HandoverTarget* target : targets)
    seats_.push_back(std::make_shared<Seat>(*target));
}

Task<absl::Status> Handover::Give(size_t endpoint, net::TcpStream stream) {
  absl::StatusOr<SocketFd> fd = stream.Release();
  if (!fd.ok()) co_return fd.status();
  const auto offer = std::make_shared<Offer>(*std::move(fd));
  std::vector<bool> asked(seats_.size());
  size_t n_asked = 0;
  while (true) {
    const int target = Choose(asked);
    // A full worker refuses it. One that was asked before will not.
    const bool to_a_full_one =
        n_asked == 0 && !options_.waits_when_full && !AnyUntaken();
    if (!loads_[static_cast<size_t>(target)].full || to_a_full_one) {
      // Without memory it is tried again.
      asked[static_cast<size_t>(target)] = Send(target, endpoint, offer);
      n_asked += asked[static_cast<size_t>(target)] ? 1 : 0;
      if (n_asked == seats_.size()) co_return absl::OkStatus();
    }
    const absl::Status slept = co_await Sleep(kPatience);
    if (!slept.ok()) co_return slept;
    if (offer->taken.load(std::memory_order_relaxed))
      co_return absl::OkStatus();
  }
}

int Handover::Choose(const std::vector<bool>& asked) {
  for (size_t i = 0; i < seats_.size(); ++i) {
    const Seat& seat = *seats_[i];
    WorkerLoad& load = loads_[i];
    load.untaken = seat.sent - seat.received.load(std::memory_order_relaxed);
    // Those on their way count, so that a burst is spread. Each connection is
    // counted down once, by one of these.
    load.connections = seat.sent -
                       seat.taken_elsewhere.load(std::memory_order_relaxed) -
                       seat.target.n_over();
    load.full = load.connections >= options_.max_connections;
    load.excluded = asked[i];
  }
  return choice_.Next(loads_);
}

bool Handover::AnyUntaken() const {
  return std::any_of(loads_.begin(), loads_.end(),
                     [](const WorkerLoad& load) { return load.untaken > 0; });
}

bool Handover::Send(int target, size_t endpoint, std::shared_ptr<Offer> offer) {
  std::shared_ptr<Seat>& seat = seats_[static_cast<size_t>(target)];
  std::unique_ptr<Message> message(
      new (std::nothrow) Message(seat, endpoint, std::move(offer)));
  if (message == nullptr) return false;
  ++seat->sent;
  if (seat->target.handle().Send(*message)) {
    static_cast<void>(message.release());  // the worker's
  } else {
    seat->taken_elsewhere.fetch_add(1, std::memory_order_relaxed);
    seat->received.fetch_add(1, std::memory_order_relaxed);
  }
  return true;
}

}  // namespace ringway::internal
