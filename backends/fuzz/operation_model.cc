// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/fuzz/operation_model.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ringway/backends/backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"

namespace ringway::fuzz {
namespace {

using testing::BackendDriver;
using testing::CountedMultishot;
using testing::CountedOperation;

// Byte `n` of every direction: adjacent bytes differ, and so do blocks.
std::byte ByteAt(uint64_t n) {
  return static_cast<std::byte>((n * 131 + (n >> 8)) & 0xff);
}

// The errors that an operation on a stream may end with: the peer may have
// closed or reset it.
bool MayEndWith(int32_t result) {
  switch (-result) {
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return true;
    default:
      return false;
  }
}

}  // namespace

StreamEnd::StreamEnd(BackendDriver& driver, testing::TestFd fd, Direction& out,
                     Direction& in)
    : driver_(driver), fd_(std::move(fd)), out_(out), in_(in) {}

StreamEnd::~StreamEnd() {
  Close();
  RINGWAY_CHECK(driver_.RunUntil([&] {
    Observe();
    return idle();
  }),
                "what was cancelled did not end");
}

void StreamEnd::StartSend(size_t n_bytes) {
  if (!open() || send_ != nullptr) return;
  n_bytes = std::clamp<size_t>(n_bytes, 1, kMaxBytes);
  for (size_t i = 0; i < n_bytes; ++i)
    sent_bytes_[i] = ByteAt(out_.accepted + i);
  send_ = std::make_unique<OneShot>();
  PrepareSend(*send_, fd_.get(), std::span(sent_bytes_).first(n_bytes));
  driver_.Start(*send_);
}

void StreamEnd::StartReceive(size_t n_bytes) {
  if (!open() || receive_ != nullptr || deliveries_ != nullptr) return;
  receive_ = std::make_unique<OneShot>();
  PrepareRecv(*receive_, fd_.get(),
              std::span(received_bytes_)
                  .first(std::clamp<size_t>(n_bytes, 1, kMaxBytes)));
  driver_.Start(*receive_);
}

void StreamEnd::StartMultishotReceive() {
  if (!open() || receive_ != nullptr || deliveries_ != nullptr) return;
  deliveries_ = std::make_unique<Multishot>();
  PrepareRecvMultishot(*deliveries_, fd_.get());
  driver_.Start(*deliveries_);
}

void StreamEnd::StartPoll() {
  if (!open() || poll_ != nullptr) return;
  poll_ = std::make_unique<OneShot>();
  PreparePoll(*poll_, fd_.get(), POLLIN);
  driver_.Start(*poll_);
}

void StreamEnd::CancelSend() { Cancel(send_); }

void StreamEnd::CancelReceive() {
  Cancel(receive_);
  Cancel(deliveries_);
}

// Cancels operations in flight by fd, and queued ones individually.
void StreamEnd::CancelEverything() {
  if (!fd_.valid()) return;
  driver_->CancelFd(fd_.get(), driver_.ready());
  CancelSend();
  CancelReceive();
  Cancel(poll_);
}

void StreamEnd::ShutdownWrite() {
  if (!open() || shutdown_ != nullptr) return;
  out_.cut = true;  // bytes of a send in progress may be lost
  shutdown_ = std::make_unique<OneShot>();
  PrepareShutdown(*shutdown_, fd_.get(), SHUT_WR);
  driver_.Start(*shutdown_);
}

void StreamEnd::Close() {
  if (!open()) return;
  closing_ = true;
  in_.cut = out_.cut = true;
  CancelEverything();
}

bool StreamEnd::idle() const {
  return send_ == nullptr && receive_ == nullptr && poll_ == nullptr &&
         deliveries_ == nullptr && shutdown_ == nullptr && close_ == nullptr;
}

void StreamEnd::Observe() {
  ObserveSend();
  ObserveReceive();
  ObserveDeliveries();
  ObservePoll();
  if (shutdown_ != nullptr && shutdown_->done()) shutdown_.reset();
  if (close_ != nullptr && close_->done()) close_.reset();
  if (closing_ && fd_.valid() && idle()) {
    close_ = std::make_unique<OneShot>();
    PrepareClose(*close_, fd_.Release());
    driver_.Start(*close_);
  }
}

void StreamEnd::CheckResult(const Operation& op, bool cancelled) {
  if (op.result >= 0) return;
  const bool allowed =
      op.result == -ECANCELED ? cancelled : MayEndWith(op.result);
  RINGWAY_CHECK(allowed, "a %s operation that was%s cancelled ended with %d",
                OpCodeName(op.opcode), cancelled ? "" : " not", op.result);
}

void StreamEnd::ObserveSend() {
  if (send_ == nullptr || !send_->done()) return;
  RINGWAY_CHECK(send_->completions == 1, "a send completed %d times",
                send_->completions);
  CheckResult(*send_, send_->cancelled);
  if (send_->result > 0) out_.accepted += static_cast<uint64_t>(send_->result);
  send_.reset();
}

void StreamEnd::ObserveReceive() {
  if (receive_ == nullptr || !receive_->done()) return;
  RINGWAY_CHECK(receive_->completions == 1, "a receive completed %d times",
                receive_->completions);
  CheckResult(*receive_, receive_->cancelled);
  if (receive_->result > 0) {
    CheckArrived(std::span(received_bytes_)
                     .first(static_cast<size_t>(receive_->result)));
  }
  receive_.reset();
}

void StreamEnd::ObserveDeliveries() {
  if (deliveries_ == nullptr) return;
  for (Delivery delivery; driver_->TakeDelivery(*deliveries_, delivery);) {
    CheckArrived({delivery.data, static_cast<size_t>(delivery.result)});
    driver_->ReturnBuffer(delivery.buffer_id);
  }
  // Its end may be known although its notice has not run.
  if (!deliveries_->ended() || deliveries_->notice.linked()) return;
  CheckResult(*deliveries_, deliveries_->cancelled);
  deliveries_.reset();
}

void StreamEnd::ObservePoll() {
  if (poll_ == nullptr || !poll_->done()) return;
  RINGWAY_CHECK(poll_->completions == 1, "a poll completed %d times",
                poll_->completions);
  CheckResult(*poll_, poll_->cancelled);
  RINGWAY_CHECK(poll_->result != 0, "a poll ended without an delivery");
  poll_.reset();
}

void StreamEnd::CheckArrived(std::span<const std::byte> bytes) {
  for (std::byte byte : bytes) {
    RINGWAY_CHECK(byte == ByteAt(in_.arrived),
                  "byte %llu of a stream arrived as %02x",
                  static_cast<unsigned long long>(in_.arrived),
                  static_cast<unsigned>(byte));
    ++in_.arrived;
  }
}

namespace {

constexpr size_t kStreams = 3;

struct Stream {
  Stream(BackendDriver& driver_a, BackendDriver& driver_b,
         testing::TestFdPair pair)
      : a(driver_a, std::move(pair.first), there, back),
        b(driver_b, std::move(pair.second), back, there) {}

  StreamEnd::Direction there;
  StreamEnd::Direction back;
  StreamEnd a;
  StreamEnd b;
};

// Reads a program byte by byte; zeros follow its end.
class Program {
 public:
  explicit Program(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  uint8_t Next() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

 private:
  std::span<const uint8_t> bytes_;
};

class Machine {
 public:
  Machine(testing::System& system, BackendDriver& a, BackendDriver& b)
      : a_(a), b_(b) {
    for (std::unique_ptr<Stream>& stream : streams_)
      stream = std::make_unique<Stream>(a_, b_, system.SocketPair());
  }

  void Step(Program& program) {
    const uint8_t what = program.Next();
    Stream& stream = *streams_[(what >> 5) % kStreams];
    StreamEnd& end = (what & 0x10) != 0 ? stream.a : stream.b;
    switch (what & 0x0f) {
      case 0:
      case 1:
        return Turn(a_);
      case 2:
      case 3:
        return Turn(b_);
      case 4:
      case 5:
        return end.StartSend(size_t{program.Next()} * 16);
      case 6:
      case 7:
        return end.StartReceive(size_t{program.Next()} * 16);
      case 8:
        return end.StartMultishotReceive();
      case 9:
        return end.StartPoll();
      case 10:
        return end.CancelSend();
      case 11:
        return end.CancelReceive();
      case 12:
        return end.CancelEverything();
      case 13:
        return end.ShutdownWrite();
      case 14:
        return end.Close();
      default:
        end.driver()->Notify();
        return;
    }
  }

  // Receives the remaining bytes on streams that were not cut.
  void Finish() {
    for (std::unique_ptr<Stream>& stream : streams_) {
      Drain(stream->a, stream->b, stream->there);
      Drain(stream->b, stream->a, stream->back);
    }
  }

 private:
  void Turn(BackendDriver& driver) {
    driver.TurnWithoutBlocking(1);
    for (std::unique_ptr<Stream>& stream : streams_) {
      stream->a.Observe();
      stream->b.Observe();
    }
  }

  void Drain(StreamEnd& sender, StreamEnd& receiver,
             const StreamEnd::Direction& direction) {
    if (direction.cut) return;
    sender.CancelSend();
    receiver.CancelReceive();
    for (int turns = 0; turns < 1000; ++turns) {
      receiver.StartReceive(4096);
      Turn(sender.driver());
      Turn(receiver.driver());
      if (direction.arrived == direction.accepted && turns > 4) return;
    }
    RINGWAY_CHECK(false, "%llu bytes were accepted and %llu arrived",
                  static_cast<unsigned long long>(direction.accepted),
                  static_cast<unsigned long long>(direction.arrived));
  }

  BackendDriver& a_;
  BackendDriver& b_;
  std::array<std::unique_ptr<Stream>, kStreams> streams_;
};

}  // namespace

void RunProgram(std::span<const uint8_t> bytes, testing::System& system,
                BackendDriver& a, BackendDriver& b) {
  const size_t fds_before = system.OpenFds();
  {
    Machine machine(system, a, b);
    for (Program program(bytes); !program.empty();) machine.Step(program);
    machine.Finish();
  }
  RINGWAY_CHECK(a->stats().in_flight == 0 && b->stats().in_flight == 0,
                "operations are left in flight");
  const size_t fds_after = system.OpenFds();
  RINGWAY_CHECK(fds_after == fds_before, "%zu fds before, %zu after",
                fds_before, fds_after);
}

}  // namespace ringway::fuzz
