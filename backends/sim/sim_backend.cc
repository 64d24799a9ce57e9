// SPDX-License-Identifier: Apache-2.0

#include "backends/sim/sim_backend.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/cancel_in.h"
#include "backends/sim/fault_table.h"
#include "backends/sim/operation_buffers.h"
#include "core/check.h"

namespace ringway::sim {
namespace {

// Events of a first try, to which everything is new.
constexpr uint32_t kEverything = std::numeric_limits<uint32_t>::max();

bool TransfersBytes(OpCode opcode) {
  switch (opcode) {
    case OpCode::kRead:
    case OpCode::kReadv:
    case OpCode::kWrite:
    case OpCode::kWritev:
    case OpCode::kSplice:
    case OpCode::kSendFile:
    case OpCode::kRecv:
    case OpCode::kRecvMsg:
    case OpCode::kRecvMultishot:
    case OpCode::kSend:
    case OpCode::kSendMsg:
    case OpCode::kSendZeroCopy:
    case OpCode::kSendMsgZeroCopy:
      return true;
    default:
      return false;
  }
}

uint64_t ChecksumOf(const Operation& op) {
  uint64_t sum = 0xcbf29ce484222325;
  Buffers bytes = TransferOf(op);
  while (bytes.left() > 0) {
    for (std::byte byte : bytes.Next(bytes.left())) {
      sum = (sum ^ static_cast<uint64_t>(byte)) * 0x100000001b3;
    }
  }
  return sum;
}

}  // namespace

SimBackend::SimBackend(World& world, uint32_t number,
                       const BackendOptions& options, uint32_t host)
    : world_(world),
      environment_(world.environment()),
      number_(number),
      options_(options),
      host_(host),
      doorbell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      room_(options.submission_entries) {
  RINGWAY_CHECK(doorbell_.valid(), "no eventfd to be had: errno %d", errno);
  world_.backends_.push_back(this);
  requests_.reserve(options.completion_entries);
}

SimBackend::~SimBackend() {
  if (!owner_.forked()) owner_.Check("a simulated backend");
  Discard();
  std::erase(world_.backends_, this);
}

// Ends everything, tells nobody, and gives back what was to be told of.
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

BackendStats SimBackend::stats() const { return stats_; }

Support SimBackend::support(OpCode opcode) const {
  return opcode == OpCode::kUringCommand ? Support::kUnimplemented
                                         : Support::kNative;
}

Request& SimBackend::RequestOf(const Operation& op) {
  return *world_.requests_.Get(requests_.at(&op));
}

void SimBackend::Record(TraceEvent event, const Operation& op, int64_t value) {
  environment_.trace.Record(
      {environment_.now(), event, number_, op.opcode, op.fd, value});
}

// --- Starting

void SimBackend::Submit(OperationList& pending, RunnableList&) {
  owner_.Check("a simulated backend");
  RetryStarved();
  for (; room_ > 0 && !pending.empty(); --room_) Start(*pending.PopFront());
}

void SimBackend::Start(Operation& op) {
  ++stats_.submitted;
  ++stats_.in_flight;
  op.state = OpState::kInFlight;
  in_flight_.PushBack(op);
  Request& request = *world_.requests_.Emplace(op, *this, &OnChange);
  requests_[&op] = world_.requests_.KeyOf(request);
  request.started = environment_.now();
  if (UsesFd(op, op.fd) && op.opcode != OpCode::kClose) {
    request.on = world_.fds_.Get(op.fd, OpCodeName(op.opcode));
    if (op.fd2 >= 0) {
      request.other = world_.fds_.Get(op.fd2, OpCodeName(op.opcode));
    }
  }
  Record(TraceEvent::kStart, op, op.length);
  if (StartScripted(request) || StartFaulty(request)) return;
  Try(request, kEverything);
}

bool SimBackend::StartScripted(Request& request) {
  const std::optional<Expectation> expected = world_.script_.Take(request.op);
  if (!expected.has_value()) return false;
  // Held, so that a cancel can come before the end.
  request.result = expected->Play(request.op);
  World* const world = &world_;
  const SlabKey key = world_.requests_.KeyOf(request);
  environment_.After(expected->delay(), [world, key] {
    Request* held = world->requests_.Get(key);
    if (held != nullptr && held->phase == Request::Phase::kHeld) {
      held->backend.End(*held, held->result);
    }
  });
  return true;
}

bool SimBackend::StartFaulty(Request& request) {
  const Faults& faults = environment_.faults;
  Rng& rng = environment_.rng;
  const Operation& op = request.op;
  if (rng.Chance(faults.failure)) {
    const bool is_socket = request.on != nullptr && request.on->AsSocket();
    const std::span<const int> errors = PossibleErrors(op.opcode, is_socket);
    if (!errors.empty()) {
      Fail(request, errors[rng.Below(errors.size())]);
      return true;
    }
  }
  request.is_short =
      TransfersBytes(op.opcode) && rng.Chance(faults.short_transfer);
  // A close is not to be cancelled, so it never waits for its turn.
  if (op.opcode == OpCode::kClose || !rng.Chance(faults.late)) return false;
  Record(TraceEvent::kFault, op, 0);
  BeginLater(request, RandomDelay());
  return true;
}

void SimBackend::Fail(Request& request, int errnum) {
  Record(TraceEvent::kFault, request.op, -errnum);
  world_.kernel_.Fail(request, errnum);
  EndLater(request, -errnum, RandomDelay());
}

void SimBackend::BeginLater(Request& request, absl::Duration delay) {
  World* const world = &world_;
  const SlabKey key = world_.requests_.KeyOf(request);
  environment_.After(delay, [world, key] {
    Request* held = world->requests_.Get(key);
    if (held != nullptr && held->phase == Request::Phase::kHeld) {
      held->backend.Try(*held, kEverything);
    }
  });
}

void SimBackend::EndLater(Request& request, int32_t result,
                          absl::Duration delay) {
  request.phase = Request::Phase::kEnding;
  request.result = result;
  if (delay == absl::ZeroDuration()) return End(request, result);
  World* const world = &world_;
  const SlabKey key = world_.requests_.KeyOf(request);
  environment_.After(delay, [world, key] {
    Request* ended = world->requests_.Get(key);
    if (ended != nullptr && ended->phase == Request::Phase::kEnding) {
      ended->backend.End(*ended, ended->result);
    }
  });
}

absl::Duration SimBackend::RandomDelay() {
  return environment_.rng.Between(absl::ZeroDuration(),
                                  environment_.faults.delay);
}

// --- Trying

void SimBackend::OnChange(Waiter& waiter, uint32_t events) {
  Request& request = static_cast<Request&>(waiter);
  request.backend.Try(request, events);
}

void SimBackend::Try(Request& request, uint32_t events) {
  switch (request.op.opcode) {
    case OpCode::kPollMultishot:
      return TryPoll(request, events);
    case OpCode::kAcceptMultishot:
      return TryAccept(request);
    case OpCode::kRecvMultishot:
    case OpCode::kRecvMsgMultishot:
      return TryReceive(request);
    case OpCode::kSendZeroCopy:
    case OpCode::kSendMsgZeroCopy:
      return TryZeroCopy(request);
    default:
      return TryOneShot(request);
  }
}

void SimBackend::TryOneShot(Request& request) {
  const int64_t result = world_.kernel_.Perform(request, host_);
  if (result == kBlocked) {
    Park(request);
  } else {
    Complete(request, result);
  }
}

// Tells of what is new only: of the rest it has told before.
void SimBackend::TryPoll(Request& request, uint32_t events) {
  const int64_t ready = world_.kernel_.Perform(request, host_);
  if (ready != kBlocked && ready < 0) return Complete(request, ready);
  const bool is_news =
      ready != kBlocked && (static_cast<uint32_t>(ready) & events) != 0;
  if (is_news) Deliver(request, ready, {});
  Park(request);
}

void SimBackend::TryAccept(Request& request) {
  int64_t result;
  while ((result = world_.kernel_.Perform(request, host_)) >= 0) {
    Deliver(request, result, {});
  }
  if (result == kBlocked) {
    Park(request);
  } else {
    Complete(request, result);
  }
}

void SimBackend::TryReceive(Request& request) {
  if (buffers_ == nullptr) {
    auto made = ReceiveBuffers::Create(options_);
    if (!made.ok()) return Complete(request, -ENOMEM);
    buffers_ = *std::move(made);
    lent_.resize(std::numeric_limits<uint16_t>::max() + 1);
  }
  const bool ends_at_zero = request.op.opcode == OpCode::kRecvMultishot;
  while (buffers_->available() > 0) {
    const ReceiveBuffer buffer = buffers_->Take();
    request.buffer = buffer.bytes;
    const int64_t result = world_.kernel_.Perform(request, host_);
    if (result > 0 || (result == 0 && !ends_at_zero)) {
      Deliver(request, result,
              buffers_->Deliver(buffer, static_cast<size_t>(result)));
      continue;
    }
    buffers_->Return(buffer.id);
    if (result == kBlocked) return Park(request);
    return Complete(request, result);
  }
  ++stats_.buffer_starved;
  request.phase = Request::Phase::kWaiting;
  if (request.linked()) request.Unlink();
  starved_.PushBack(request);
}

void SimBackend::TryZeroCopy(Request& request) {
  const int64_t result = world_.kernel_.Perform(request, host_);
  if (result == kBlocked) return Park(request);
  if (result < 0) return Complete(request, result);
  if (request.linked()) request.Unlink();
  Deliver(request, result, {});
  request.checksum = ChecksumOf(request.op);
  request.phase = Request::Phase::kEnding;
  request.result = 0;
  // There and back: when the peer has acknowledged it.
  const absl::Duration delay = world_.network_.Latency(AF_INET) * 2;
  if (delay == absl::ZeroDuration()) return EndZeroCopy(request);
  World* const world = &world_;
  const SlabKey key = world_.requests_.KeyOf(request);
  environment_.After(delay, [world, key] {
    Request* sent = world->requests_.Get(key);
    if (sent != nullptr && sent->phase == Request::Phase::kEnding) {
      sent->backend.EndZeroCopy(*sent);
    }
  });
}

void SimBackend::Park(Request& request) {
  request.phase = Request::Phase::kWaiting;
  Description& description =
      request.waits_on_other ? *request.other : *request.on;
  if (request.linked()) {
    if (request.parked_on == &description) return;  // where it keeps its place
    request.Unlink();
  }
  request.parked_on = &description;
  description.waiters().PushBack(request);
}

// As many starved receives as there are buffers: each either takes one or waits
// for data.
void SimBackend::RetryStarved() {
  if (starved_.empty()) return;
  for (uint32_t n = buffers_->available(); n > 0 && !starved_.empty(); --n) {
    Request& request = static_cast<Request&>(*starved_.PopFront());
    ++stats_.rearms;
    Try(request, kEverything);
  }
}

// --- Ending

void SimBackend::Complete(Request& request, int64_t result) {
  if (request.linked()) request.Unlink();
  const bool late = environment_.rng.Chance(environment_.faults.late);
  EndLater(request, static_cast<int32_t>(result),
           late ? RandomDelay() : absl::ZeroDuration());
}

void SimBackend::Deliver(Request& request, int64_t result,
                         const ReceiveBuffer& buffer) {
  if (DeliversBuffers(request.op.opcode)) {
    lent_[buffer.id] = true;
    if (buffer.copied) ++stats_.buffers_copied;
  }
  AddOutcome({world_.requests_.KeyOf(request), static_cast<int32_t>(result),
              /*is_end=*/false, buffer});
}

void SimBackend::End(Request& request, int32_t result) {
  request.phase = Request::Phase::kEnded;
  request.result = result;
  AddOutcome({world_.requests_.KeyOf(request), result, /*is_end=*/true, {}});
}

void SimBackend::EndZeroCopy(Request& request) {
  if (request.checksum != ChecksumOf(request.op)) {
    environment_.Report(
        absl::StrCat(OpCodeName(request.op.opcode), " on fd ", request.op.fd,
                     ": its memory was changed before the send had ended"));
  }
  End(request, 0);
}

void SimBackend::AddOutcome(const Outcome& outcome) {
  if (outcomes_.empty() && nested_) RingDoorbell();
  outcomes_.push_back(outcome);
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
                    "everybody waits for what will never come\n%s",
                    world_.DescribeWaits().c_str());
      if (!BlockUntilNotified()) return;
    } else {
      environment_.clock.AdvanceTo(next);
      Progress();
    }
    if (TakeNotification()) return;
  }
}

// False if it was a signal that ended it.
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

// But for a notification that has come meanwhile.
void SimBackend::SilenceDoorbell() {
  uint64_t rings;
  const ssize_t n = read(doorbell_.get(), &rings, sizeof(rings));
  RINGWAY_CHECK(n > 0 || errno == EAGAIN, "an eventfd does not take a read");
  if (nested_ && notified_) RingDoorbell();
}

void SimBackend::RingDoorbell() const {
  constexpr uint64_t kOne = 1;
  RINGWAY_CHECK(write(doorbell_.get(), &kOne, sizeof(kOne)) == sizeof(kOne),
                "an eventfd does not take a write: errno %d", errno);
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

// Into a random order, but for the outcomes of each operation, which keep
// theirs: a random one's first comes next.
void SimBackend::Shuffle() {
  for (size_t next = 0; next + 1 < outcomes_.size(); ++next) {
    const size_t left = outcomes_.size() - next;
    const SlabKey chosen =
        outcomes_[next + environment_.rng.Below(left)].request;
    const auto from = outcomes_.begin() + static_cast<ptrdiff_t>(next);
    const auto first = std::find_if(
        from, outcomes_.end(),
        [chosen](const Outcome& o) { return o.request == chosen; });
    std::rotate(from, first, first + 1);
  }
}

void SimBackend::Tell(const Outcome& outcome, RunnableList& done) {
  Request& request = *world_.requests_.Get(outcome.request);
  Operation& op = request.op;
  if (outcome.is_end) {
    Record(TraceEvent::kEnd, op, outcome.result);
    op.Unlink();
    op.state = OpState::kDone;
    op.result = outcome.result;
    ++stats_.completed;
    --stats_.in_flight;
    requests_.erase(&op);
    world_.requests_.Erase(request);
  } else {
    Record(TraceEvent::kDeliver, op, outcome.result);
    ++stats_.events;
    MultishotEvent event;
    event.result = outcome.result;
    event.buffer_id = outcome.buffer.id;
    event.data = outcome.buffer.bytes.data();
    events_.Append(static_cast<MultishotOperation&>(op), event);
  }
  if (!IsMultishot(op.opcode)) return done.PushBack(op);
  Runnable& delivery = static_cast<MultishotOperation&>(op).delivery;
  if (!delivery.linked()) done.PushBack(delivery);
}

// --- Deliveries

bool SimBackend::TakeEvent(MultishotOperation& op, MultishotEvent& event) {
  return events_.Take(op, event);
}

void SimBackend::DropEvents(MultishotOperation& op) {
  MultishotEvent event;
  while (events_.Take(op, event)) {
    if (DeliversBuffers(op.opcode)) {
      ReturnBuffer(event.buffer_id);
    } else if (op.opcode == OpCode::kAcceptMultishot) {
      world_.fds_.Close(event.result, "dropping accepted connections");
    }
  }
}

void SimBackend::ReturnBuffer(uint16_t buffer_id) {
  owner_.Check("a simulated backend");
  RINGWAY_CHECK(buffers_ != nullptr,
                "receive buffer %u is returned, but none was ever lent",
                buffer_id);
  if (!lent_[buffer_id]) {
    return environment_.Misuse(absl::StrCat("receive buffer ", buffer_id,
                                            " is returned, which is not lent"));
  }
  lent_[buffer_id] = false;
  buffers_->Return(buffer_id);
}

// --- Cancelling

CancelOutcome SimBackend::Cancel(Operation& op, RunnableList& done) {
  owner_.Check("a simulated backend");
  if (!op.active()) return CancelOutcome::kNotFound;
  if (op.state == OpState::kQueued) {
    op.Unlink();
    ++stats_.submitted;
    ++stats_.completed;
    op.state = OpState::kDone;
    op.result = -ECANCELED;
    if (IsMultishot(op.opcode)) {
      done.PushBack(static_cast<MultishotOperation&>(op).delivery);
    } else {
      done.PushBack(op);
    }
    return CancelOutcome::kNotStarted;
  }
  if (std::exchange(op.cancel_requested, true)) {
    return CancelOutcome::kRequested;
  }
  ++stats_.cancels;
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

// What has come of it already, counts.
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

size_t SimBackend::CancelAll(RunnableList& done) {
  return CancelFd(kAnyFd, done);
}

void SimBackend::Quiesce(RunnableList& done) {
  owner_.Check("a simulated backend");
  CancelAll(done);
  EndEverything();
  Flush(done);
}

// At once, without any races; what is known to have come of it, counts.
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
