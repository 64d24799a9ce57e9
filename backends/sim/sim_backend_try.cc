// SPDX-License-Identifier: Apache-2.0
//
// The part of SimBackend for single operations: starting them with their
// faults, trying them, and ending them.

#include <cerrno>
#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "absl/strings/str_cat.h"
#include "ringway/backends/sim/fault_table.h"
#include "ringway/backends/sim/operation_buffers.h"
#include "ringway/backends/sim/sim_backend.h"

namespace ringway::sim {
namespace {

// The events of a first try: all of them.
constexpr uint32_t kEverything = std::numeric_limits<uint32_t>::max();

bool TransfersBytes(OpCode opcode) {
  switch (opcode) {
    case OpCode::kRead:
    case OpCode::kReadv:
    case OpCode::kWrite:
    case OpCode::kWritev:
    case OpCode::kSplice:
    case OpCode::kSendFile:
    case OpCode::kCopyFileRange:
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

bool IsOnFile(const std::shared_ptr<Description>& description) {
  return description != nullptr && description->AsFile() != nullptr;
}

// Whether it concerns a file or a name.
bool IsOnDisk(const Request& request) {
  switch (request.op.opcode) {
    case OpCode::kOpenAt:
    case OpCode::kStatx:
    case OpCode::kRename:
    case OpCode::kUnlink:
    case OpCode::kMkdir:
    case OpCode::kLink:
    case OpCode::kSymlink:
      return true;
    default:
      return IsOnFile(request.on) || IsOnFile(request.other);
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

// --- Starting

void SimBackend::Start(Operation& op) {
  completions_.Begin(op);
  in_flight_.PushBack(op);
  Request& request = *world_.requests_.Emplace(op, *this, &OnChange);
  requests_[&op] = world_.requests_.KeyOf(request);
  request.started = environment_.now();
  LookUpFds(request);
  Record(TraceEvent::kStart, op, op.length);
  if (StartScripted(request) || StartFaulty(request)) return;
  Try(request, kEverything);
}

void SimBackend::LookUpFds(Request& request) {
  const Operation& op = request.op;
  if (!UsesFd(op, op.fd) || op.opcode == OpCode::kClose) return;
  request.on = world_.fds_.Get(op.fd, OpCodeName(op.opcode));
  if (op.fd2 >= 0)
    request.other = world_.fds_.Get(op.fd2, OpCodeName(op.opcode));
}

// Without faults.
int32_t SimBackend::ReadCached(const Operation& /*op*/) { return -EAGAIN; }

int32_t SimBackend::RunNow(Operation& op) {
  owner_.Check("a simulated backend");
  Request request(op, *this, &OnChange);
  LookUpFds(request);
  const int64_t result = world_.kernel_.Perform(request, host_);
  return result == kBlocked ? -EAGAIN : static_cast<int32_t>(result);
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
  Rng& rng = environment_.rng;
  const Operation& op = request.op;
  if (const int errnum = DrawError(request); errnum != 0) {
    Fail(request, errnum);
    return true;
  }
  if (TransfersBytes(op.opcode)) {
    request.is_short =
        rng.Chance(environment_.faults.short_transfer) ||
        (IsOnDisk(request) && rng.Chance(environment_.disk.short_transfer));
  }
  // A close cannot be cancelled, so it is never held.
  if (op.opcode == OpCode::kClose) return false;
  const bool late = rng.Chance(environment_.faults.late);
  const absl::Duration delay = late ? RandomDelay() : absl::ZeroDuration();
  const absl::Duration latency = DiskLatency(request);
  if (!late && latency == absl::ZeroDuration()) return false;
  Record(TraceEvent::kFault, op, 0);
  BeginLater(request, delay + latency);
  return true;
}

// The errno that an operation fails with; 0 if it does not.
int SimBackend::DrawError(const Request& request) {
  Rng& rng = environment_.rng;
  const DiskConditions& disk = environment_.disk;
  const OpCode opcode = request.op.opcode;
  const bool is_socket = request.on != nullptr && request.on->AsSocket();
  const std::span<const int> errors = PossibleErrors(opcode, is_socket);
  const int errnum = environment_.failure.ErrorOfNext(errors);
  bool fails = rng.Chance(environment_.faults.failure);
  if (IsOnDisk(request)) {
    fails |=
        rng.Chance(opcode == OpCode::kFsync ? disk.sync_failure : disk.failure);
  }
  return fails && !errors.empty() ? errors[rng.Below(errors.size())] : errnum;
}

absl::Duration SimBackend::DiskLatency(const Request& request) {
  if (!IsOnDisk(request)) return absl::ZeroDuration();
  const DiskConditions& disk = environment_.disk;
  return environment_.rng.Between(disk.latency_low, disk.latency_high);
}

void SimBackend::Fail(Request& request, int errnum) {
  Record(TraceEvent::kFault, request.op, -errnum);
  world_.kernel_.Fail(request, errnum);
  EndLater(request, -errnum, RandomDelay() + DiskLatency(request));
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

// Delivers new events only; the others were delivered before.
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
  }
  while (HasBufferFor(request)) {
    const ReceiveBuffer buffer = TakeBuffer(request.op);
    request.buffer = buffer.bytes;
    const int64_t result = world_.kernel_.Perform(request, host_);
    if (result > 0) {
      Deliver(request, result,
              buffers_->Deliver(buffer, static_cast<size_t>(result)));
      continue;
    }
    buffers_->Discard(buffer);
    if (result == kBlocked) return Park(request);
    return Complete(request, result);
  }
  if (request.on == nullptr) return Complete(request, -EBADF);
  ++stats_.buffer_starved;
  request.phase = Request::Phase::kWaiting;
  if (request.linked()) request.Unlink();
  starved_.PushBack(request);
}

// With no buffer left a receive has memory of its own, unless it has
// deliveries that were not taken.
bool SimBackend::HasBufferFor(const Request& request) const {
  if (buffers_->Has(ReceiveBytesNeeded(request.op.opcode))) return true;
  return options_.receive_own_bytes > 0 && request.undelivered == 0 &&
         static_cast<const DeliveringOperation&>(request.op).delivery_count ==
             0;
}

// Requires HasBufferFor().
ReceiveBuffer SimBackend::TakeBuffer(const Operation& op) {
  const uint32_t n_bytes = ReceiveBytesNeeded(op.opcode);
  if (buffers_->Has(n_bytes)) return buffers_->Take(n_bytes);
  const ReceiveBuffer own =
      buffers_->TakeOwn(ReceiveOwnBytes(options_, op.opcode));
  RINGWAY_CHECK(!own.bytes.empty(), "no memory for a delivery");
  return own;
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
  // The round trip, after which the peer has acknowledged it.
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
    if (request.parked_on == &description) return;  // keeps its position
    request.Unlink();
  }
  request.parked_on = &description;
  description.waiters().PushBack(request);
}

// Retries the starved receives for which there is a buffer now, in order.
void SimBackend::RetryStarved() {
  IntrusiveList<Waiter> waiting;
  waiting.Append(starved_);
  while (Waiter* first = waiting.PopFront()) {
    Request& request = static_cast<Request&>(*first);
    if (HasBufferFor(request)) {
      ++stats_.rearms;
      Try(request, kEverything);
    } else {
      starved_.PushBack(request);
    }
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
  if (LendsBuffers(request.op.opcode)) {
    if (buffer.copied) ++stats_.buffers_copied;
    if (buffer.own() && !buffer.copied) ++stats_.own_memory;
  }
  ++request.undelivered;
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

}  // namespace ringway::sim
