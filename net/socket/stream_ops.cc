// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/stream_ops.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {
namespace {

int FdOf(const internal::StreamCore* core) {
  return core == nullptr ? -1 : core->fd();
}

int SendFlagsOf(const internal::StreamCore* core) {
  return core == nullptr ? 0 : core->send_flags();
}

absl::Status Failed(int32_t result, std::string_view operation, int fd,
                    const internal::StreamKind& kind = internal::kTcpStream) {
  // The common error has no text and does not allocate.
  if (result == -ECANCELED) return CancelledStatus();
  return ErrnoToStatus(
      -result, absl::StrCat(operation, " on a ", kind.socket, ", fd ", fd));
}

}  // namespace

// --- StreamRead, ReadOp

StreamRead::StreamRead(internal::StreamCore* core,
                       const internal::StreamKind& kind)
    : OperationAwait(&OnDone, &OnCancel, &Describe),
      core_(core),
      kind_(kind),
      unusable_(LoopDependent::WhyUnusable(core, kind.handle)) {}

ReadOp::ReadOp(internal::StreamCore* core, std::span<std::byte> buffer)
    : StreamRead(core) {
  PrepareRecv(*this, FdOf(core), buffer);
}

StreamRead::~StreamRead() {
  // Only when the frame is destroyed where it waits.
  if (begun_ && !core_->CancelRead(*this)) core_->EndRead();
}

void StreamRead::OnDone(Runnable& entry) {
  StreamRead& self = static_cast<StreamRead&>(Of(entry));
  self.begun_ = false;
  self.core_->CountReceived(self.result);
  self.core_->EndRead();
  self.Complete();
}

void StreamRead::OnCancel(Suspension& suspension) {
  StreamRead& self = static_cast<StreamRead&>(Of(suspension));
  if (!self.core_->CancelRead(self)) return;
  self.begun_ = false;
  self.CompleteUnstarted(-ECANCELED);
}

std::string StreamRead::Describe(const Suspension& suspension) {
  const StreamRead& self = static_cast<const StreamRead&>(Of(suspension));
  return self.core_->DescribeWithPeer("recv on ");
}

absl::StatusOr<size_t> StreamRead::Result() const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, kind_.socket);
  if (result >= 0) [[likely]] {
    return static_cast<size_t>(result);
  }
  return Failed(result, "read", fd, kind_);
}

// --- ReceiveOp

absl::StatusOr<ReceivedBuffer> ReceiveOp::await_resume() {
  if (unusable_ != Unusable::kNo) return UnusableStatus(unusable_, "stream");
  if (cancelled()) return CancelledStatus();
  int32_t end_result = 0;
  ReceivedBuffer buffer = Take(end_result);
  if (end_result < 0) return Failed(end_result, "receive", core_->fd());
  return buffer;
}

// --- ReceiveUntilOp

absl::Status ReceiveUntilOp::await_resume() {
  if (unusable_ != Unusable::kNo) return UnusableStatus(unusable_, "stream");
  if (cancelled()) return CancelledStatus();
  int32_t end_result = 0;
  static_cast<void>(Take(end_result));  // the bytes are the consumer's
  if (end_result < 0) return Failed(end_result, "receive", core_->fd());
  return absl::OkStatus();
}

// --- QueuedWrite

QueuedWrite::QueuedWrite(internal::StreamCore* core, AdvanceFunction advance,
                         const internal::StreamKind& kind)
    : OperationAwait(&OnDone, &OnCancel, &Describe),
      core_(core),
      advance_(advance),
      kind_(kind),
      unusable_(LoopDependent::WhyUnusable(core, kind.handle)) {}

QueuedWrite::~QueuedWrite() { Leave(); }

// It waits in the queue, or the loop has ended its operation without resuming
// the task.
void QueuedWrite::Leave() {
  if (!std::exchange(begun_, false) || core_->CancelWrite(*step_)) return;
  if (step_->linked()) step_->Unlink();
  core_->EndWrite();
}

void QueuedWrite::OnDone(Runnable& entry) {
  QueuedWrite& self = static_cast<QueuedWrite&>(Of(entry));
  self.EndStep(self.result);
}

void QueuedWrite::EndStep(int32_t step_result) {
  result = step_result;
  core_->CountSent(result);
  if (result >= 0 && advance_(*this, static_cast<size_t>(result))) {
    // Dropping the stream cancels the operation, which may then end as a
    // short transfer. A restart would escape the cancel.
    if (!core_->abandoned() && MayContinue()) {
      core_->ContinueWrite(*step_);
      return;
    }
    result = -ECANCELED;
  }
  begun_ = false;
  core_->EndWrite();
  Complete();
}

void QueuedWrite::OnCancel(Suspension& suspension) {
  QueuedWrite& self = static_cast<QueuedWrite&>(Of(suspension));
  if (!self.core_->CancelWrite(*self.step_)) return;
  self.begun_ = false;
  self.CompleteUnstarted(-ECANCELED);
}

std::string QueuedWrite::Describe(const Suspension& suspension) {
  const QueuedWrite& self = static_cast<const QueuedWrite&>(Of(suspension));
  return self.core_->DescribeWithPeer(
      self.opcode == OpCode::kShutdown ? "shutdown of " : "send to ");
}

absl::Status QueuedWrite::await_resume() const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, kind_.socket);
  if (result >= 0) [[likely]] {
    return absl::OkStatus();
  }
  return Failed(result, opcode == OpCode::kShutdown ? "shutdown" : "write", fd,
                kind_);
}

// --- WriteOp

WriteOp::WriteOp(internal::StreamCore* core, std::span<const std::byte> bytes)
    : QueuedWrite(core, &Advance), rest_(bytes) {
  Prepare();
}

void WriteOp::Prepare() {
  // Short sends that the kernel does not continue, Advance() does.
  PrepareSend(*this, FdOf(core_), rest_, SendFlagsOf(core_));
}

bool WriteOp::Advance(QueuedWrite& queued, size_t n_bytes) {
  WriteOp& self = static_cast<WriteOp&>(queued);
  self.rest_ = self.rest_.subspan(n_bytes);
  if (self.rest_.empty()) return false;
  self.Prepare();
  return true;
}

// --- WritevOp

WritevOp::WritevOp(internal::StreamCore* core,
                   std::span<const std::span<const std::byte>> parts)
    : QueuedWrite(core, &Advance), left_(parts) {
  Prepare();
}

bool WritevOp::Prepare() {
  const size_t n = std::min(kBatch, left_.parts().size());
  for (size_t i = 0; i < n; ++i)
    vectors_[i] = internal::VectorOf(left_.Rest(i));
  message_.msg_iov = vectors_.data();
  message_.msg_iovlen = n;
  PrepareSendMsg(*this, FdOf(core_), message_, SendFlagsOf(core_));
  return n > 0;
}

bool WritevOp::Advance(QueuedWrite& queued, size_t n_bytes) {
  WritevOp& self = static_cast<WritevOp&>(queued);
  self.left_.Skip(n_bytes);
  return self.Prepare();
}

// --- SendFileOp

SendFileOp::SendFileOp(internal::StreamCore* core, int file, int64_t offset,
                       uint64_t n_bytes)
    : QueuedWrite(core, &Advance),
      file_(file),
      offset_(offset),
      n_bytes_(n_bytes),
      n_left_(n_bytes) {
  Prepare();
}

void SendFileOp::Prepare() {
  // No more at once than the result of an operation can say.
  PrepareSendFile(*this, FdOf(core_), file_,
                  offset_ + static_cast<int64_t>(n_bytes_ - n_left_),
                  std::min<uint64_t>(n_left_, uint64_t{1} << 30),
                  SendFlagsOf(core_));
}

bool SendFileOp::Advance(QueuedWrite& queued, size_t n_bytes) {
  SendFileOp& self = static_cast<SendFileOp&>(queued);
  self.n_left_ -= n_bytes;
  if (n_bytes == 0 || self.n_left_ == 0) return false;  // 0: the file ends
  self.Prepare();
  return true;
}

absl::StatusOr<uint64_t> SendFileOp::await_resume() const {
  absl::Status sent = QueuedWrite::await_resume();
  if (!sent.ok()) return sent;
  return n_bytes_ - n_left_;
}

// --- ShutdownWriteOp

ShutdownWriteOp::ShutdownWriteOp(internal::StreamCore* core,
                                 const internal::StreamKind& kind)
    : QueuedWrite(
          core, [](QueuedWrite&, size_t) { return false; }, kind) {
  PrepareShutdown(*this, FdOf(core), SHUT_WR);
}

// --- CloseOp

CloseOp::CloseOp(std::unique_ptr<internal::StreamCore> core)
    : Closer{&OnClosed}, core_(std::move(core)), fd_(FdOf(core_.get())) {
  if (core_ != nullptr) LoopDependent::LetGoWithoutLoop(core_, "a TcpStream");
}

CloseOp::~CloseOp() {
  if (closing_ != nullptr) closing_->ForgetCloser();
  if (core_ != nullptr)
    internal::SocketCore::Abandon(std::move(core_),
                                  "a TcpStream");  // never awaited
}

void CloseOp::OnClosed(Closer& closer, int32_t result) {
  CloseOp& self = static_cast<CloseOp&>(closer);
  self.closing_ = nullptr;
  self.result_ = result;
  self.task_->Wake();
}

absl::Status CloseOp::await_resume() const {
  if (result_ >= 0) return absl::OkStatus();
  return Failed(result_, "close", fd_);
}

}  // namespace ringway::net
