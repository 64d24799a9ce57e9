// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/sim_backend.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "ringway/backends/common/cancel_in.h"
#include "ringway/core/check.h"

namespace ringway::sim {
namespace {

BackendInfo InfoOf(Environment& environment, SocketCalls& sockets) {
  BackendInfo info;
  info.name = "sim";
  info.description = "sim";
  info.is_kernel = false;
  info.support.fill(Support::kNative);
  for (const OpCode opcode : {OpCode::kMakeWatcher, OpCode::kAddWatch,
                              OpCode::kRemoveWatch, OpCode::kUringCommand}) {
    info.support[static_cast<size_t>(opcode)] = Support::kUnimplemented;
  }
  info.clock = &environment.clock;
  info.sockets = &sockets;
  return info;
}

}  // namespace

SimBackend::SimBackend(World& world, uint32_t number,
                       const BackendOptions& options, uint32_t host)
    : Backend(InfoOf(world.environment(), sockets_)),
      world_(world),
      environment_(world.environment()),
      number_(number),
      options_(options),
      host_(host),
      sockets_(world.environment_, world.fds_, world.files_, world.network_,
               host),
      doorbell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      room_(options.submission_entries) {
  RINGWAY_CHECK(doorbell_.valid(), "eventfd failed: errno %d", errno);
  world_.backends_.push_back(this);
  requests_.reserve(options.completion_entries);
}

SimBackend::~SimBackend() {
  if (!owner_.forked()) owner_.Check("a simulated backend");
  Discard();
  std::erase(world_.backends_, this);
}

// Ends all operations without reporting them, and releases undelivered
// results.
void SimBackend::Discard() {
  RunnableList done;
  EndEverything();
  for (const Outcome& outcome : outcomes_) {
    Request& request = *world_.requests_.Get(outcome.request);
    if (outcome.is_end) {
      Tell(outcome, done);
    } else if (request.op.opcode == OpCode::kAcceptMultishot) {
      world_.fds_.Close(outcome.result, "the backend's end");
    }
  }
  outcomes_.clear();
  while (Runnable* told = done.PopFront()) static_cast<void>(told);
}

Request& SimBackend::RequestOf(const Operation& op) {
  return *world_.requests_.Get(requests_.at(&op));
}

void SimBackend::Record(TraceEvent event, const Operation& op, int64_t value) {
  environment_.trace.Record(
      {environment_.now(), event, number_, op.opcode, op.fd, value});
}

// --- Submitting

void SimBackend::Submit(OperationList& pending, RunnableList&) {
  owner_.Check("a simulated backend");
  RetryStarved();
  for (; room_ > 0 && !pending.empty(); --room_) Start(*pending.PopFront());
}

// --- Waiting

void SimBackend::Wait(MonotonicTime deadline, RunnableList& done) {
  owner_.Check("a simulated backend");
  room_ = options_.submission_entries;
  asleep_until_ = MonotonicTime::FromNanoseconds(0);
  Progress();
  if (!TakeNotification() && outcomes_.empty() &&
      deadline > environment_.now()) {
    Sleep(deadline);
  }
  Flush(done);
  if (nested_) SilenceDoorbell();
}

void SimBackend::Progress() {
  environment_.Settle();
  RetryStarved();
}

void SimBackend::Sleep(MonotonicTime deadline) {
  ++stats_.waits;
  if (world_.driven_) {
    asleep_until_ = deadline;
    return;
  }
  while (outcomes_.empty() && deadline > environment_.now()) {
    const MonotonicTime next = std::min(deadline, environment_.events.next());
    if (next.is_infinite()) {
      RINGWAY_CHECK(!environment_.alone,
                    "all loops are blocked and no event can wake one\n%s",
                    world_.DescribeWaits().c_str());
      if (!BlockUntilNotified()) return;
    } else {
      environment_.clock.AdvanceTo(next);
      Progress();
    }
    if (TakeNotification()) return;
  }
}

// False if a signal ended it.
bool SimBackend::BlockUntilNotified() {
  blocking_ = true;
  pollfd doorbell = {doorbell_.get(), POLLIN, 0};
  const bool rung = notified_ || poll(&doorbell, 1, /*timeout=*/-1) > 0;
  blocking_ = false;
  SilenceDoorbell();
  return rung;
}

void SimBackend::Notify() {
  notified_ = true;
  if (blocking_ || nested_) RingDoorbell();
}

bool SimBackend::TakeNotification() {
  if (!notified_.load(std::memory_order_relaxed)) return false;
  notified_ = false;
  ++stats_.notifications;
  return true;
}

// Keeps a notification that arrived meanwhile.
void SimBackend::SilenceDoorbell() {
  uint64_t rings;
  const ssize_t n = read(doorbell_.get(), &rings, sizeof(rings));
  RINGWAY_CHECK(n > 0 || errno == EAGAIN, "reading an eventfd failed");
  if (nested_ && notified_) RingDoorbell();
}

void SimBackend::RingDoorbell() const {
  constexpr uint64_t kOne = 1;
  RINGWAY_CHECK(write(doorbell_.get(), &kOne, sizeof(kOne)) == sizeof(kOne),
                "writing an eventfd failed: errno %d", errno);
}

int SimBackend::PollableFd() const {
  if (!nested_.exchange(true) && !outcomes_.empty()) RingDoorbell();
  return doorbell_.get();
}

MonotonicTime SimBackend::wake_time() const {
  const bool has_news = !outcomes_.empty() || notified_;
  return has_news ? MonotonicTime::FromNanoseconds(0) : asleep_until_;
}

void SimBackend::Flush(RunnableList& done) {
  if (outcomes_.empty()) return;
  if (environment_.faults.shuffle) Shuffle();
  for (const Outcome& outcome : outcomes_) Tell(outcome, done);
  outcomes_.clear();
}

// Shuffles the outcomes but keeps the order of those of each operation. Draws
// whose turn it is at each place, and gives the places of an operation to its
// outcomes in their order: by sorting, as there may be thousands.
void SimBackend::Shuffle() {
  arrivals_.clear();
  for (size_t i = 0; i < outcomes_.size(); ++i)
    arrivals_.emplace_back(outcomes_[i].request.index, i);
  places_ = arrivals_;
  for (size_t i = 0; i + 1 < places_.size(); ++i) {
    const size_t left = places_.size() - i;
    std::swap(places_[i].first,
              places_[i + environment_.rng.Below(left)].first);
  }
  std::sort(arrivals_.begin(), arrivals_.end());
  std::sort(places_.begin(), places_.end());
  shuffled_.resize(outcomes_.size());
  for (size_t i = 0; i < places_.size(); ++i)
    shuffled_[places_[i].second] = outcomes_[arrivals_[i].second];
  outcomes_.swap(shuffled_);
}

void SimBackend::Tell(const Outcome& outcome, RunnableList& done) {
  Request& request = *world_.requests_.Get(outcome.request);
  Operation& op = request.op;
  if (outcome.is_end) {
    Record(TraceEvent::kEnd, op, outcome.result);
    op.Unlink();
    requests_.erase(&op);
    world_.requests_.Erase(request);
    completions_.Finish(op, outcome.result, done);
  } else {
    Record(TraceEvent::kDeliver, op, outcome.result);
    --request.undelivered;
    Delivery delivery;
    delivery.result = outcome.result;
    delivery.buffer_id = outcome.buffer.id;
    delivery.data = outcome.buffer.bytes.data();
    RINGWAY_CHECK(completions_.Reserve(), "no memory for a delivery");
    completions_.Deliver(static_cast<DeliveringOperation&>(op), delivery, done);
  }
}

// --- Deliveries

bool SimBackend::TakeDelivery(DeliveringOperation& op, Delivery& delivery) {
  return completions_.Take(op, delivery);
}

BackendStats SimBackend::stats() const {
  BackendStats stats = stats_;
  if (buffers_ != nullptr) stats.receive_memory = buffers_->memory();
  return stats;
}

void SimBackend::ReturnBuffer(uint32_t buffer_id) {
  owner_.Check("a simulated backend");
  RINGWAY_CHECK(buffers_ != nullptr,
                "receive buffer %u is returned, but none was ever lent",
                buffer_id);
  if (!buffers_->IsLent(buffer_id)) {
    return environment_.Misuse(absl::StrCat("receive buffer ", buffer_id,
                                            " is returned, which is not lent"));
  }
  buffers_->Return(buffer_id);
}

// --- Cancelling

CancelOutcome SimBackend::Cancel(Operation& op, RunnableList& done) {
  owner_.Check("a simulated backend");
  const std::optional<CancelOutcome> outcome =
      completions_.BeginCancel(op, done);
  if (outcome.has_value()) return *outcome;
  Record(TraceEvent::kCancel, op, 0);
  if (!environment_.rng.Chance(environment_.faults.cancel_race)) {
    CancelNow(RequestOf(op));
    return CancelOutcome::kRequested;
  }
  World* const world = &world_;
  const SlabKey key = requests_.at(&op);
  environment_.After(RandomDelay(), [world, key] {
    Request* request = world->requests_.Get(key);
    if (request != nullptr) request->backend.CancelNow(*request);
  });
  return CancelOutcome::kRequested;
}

// A result that it already has stands.
void SimBackend::CancelNow(Request& request) {
  if (request.phase == Request::Phase::kEnding ||
      request.phase == Request::Phase::kEnded) {
    return;
  }
  if (request.linked()) request.Unlink();
  End(request, request.transferred > 0
                   ? static_cast<int32_t>(request.transferred)
                   : -ECANCELED);
}

size_t SimBackend::CancelFd(int fd, RunnableList& done) {
  owner_.Check("a simulated backend");
  return CancelIn(in_flight_, fd, *this, done);
}

void SimBackend::Quiesce(RunnableList& done) {
  owner_.Check("a simulated backend");
  CancelAll(done);
  EndEverything();
  Flush(done);
}

// Ends them at once, without races; known results stand.
void SimBackend::EndEverything() {
  for (Operation* op = in_flight_.front(); op != nullptr;
       op = in_flight_.Next(*op)) {
    Request& request = RequestOf(*op);
    if (request.phase == Request::Phase::kEnding) {
      End(request, request.result);
    } else {
      CancelNow(request);
    }
  }
}

std::string SimBackend::DescribeWaits() {
  std::string text;
  for (Operation* op = in_flight_.front(); op != nullptr;
       op = in_flight_.Next(*op)) {
    const Request& request = RequestOf(*op);
    absl::StrAppend(&text, "loop ", number_, ": ", OpCodeName(op->opcode),
                    " on fd ", op->fd, request.on == nullptr ? "" : ", a ",
                    request.on == nullptr ? "" : request.on->kind(), ", for ",
                    absl::FormatDuration(environment_.now() - request.started),
                    "\n");
  }
  return text;
}

}  // namespace ringway::sim
