// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/stream/tls_state.h"

#include <algorithm>
#include <cerrno>
#include <new>

#include "absl/strings/str_cat.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"

namespace ringway::net::internal {

TlsState::TlsState(std::shared_ptr<const LoadedContext> context,
                   std::unique_ptr<TlsEngine> engine)
    : LoopDependent(CurrentLoop()),
      loop_(CurrentLoop()),
      worker_(TlsWorker::Current()),
      context_(std::move(context)),
      engine_(std::move(engine)) {}

absl::Status TlsState::WhyUnusable(const TlsState* state) {
  const Unusable why = LoopDependent::WhyUnusable(state, "a TlsStream");
  if (why != Unusable::kNo) return UnusableStatus(why, "stream");
  if (state->closed_) return UnusableStatus(Unusable::kEmpty, "stream");
  return absl::OkStatus();
}

// --- Reading

void TlsState::BeginRead() {
  RINGWAY_CHECK(!reading_, "two tasks read from one stream");
  reading_ = true;
}

void TlsState::Arrive(ReceivedBuffer bytes) {
  arrived_ = std::move(bytes);
  if (arrived_.empty()) {
    engine_->EndInput();
  } else {
    engine_->SetInput(arrived_.bytes());
  }
}

void TlsState::ForgetUsed() {
  if (!engine_->input().empty()) return;
  arrived_.Release();
  job_.reset();
}

TlsStep TlsState::ReadInto(std::span<std::byte> to, size_t& n) {
  n = 0;
  if (flooded_) return TlsStep::kFailed;
  TlsStep step = TlsStep::kDone;
  while (n < to.size()) {
    size_t n_more = 0;
    step = engine_->Read(to.subspan(n), n_more);
    n += n_more;
    if (step != TlsStep::kDone) break;
    if (engine_->input().empty() && engine_->DecryptedBytes() == 0) break;
  }
  ForgetUsed();
  if (output_lost_) engine_->output().Clear();
  if (engine_->output().size() > kMostReplyBytes) flooded_ = true;
  // An end or an error comes with the next call.
  return n > 0 ? TlsStep::kDone : step;
}

TlsStep TlsState::ReadLent(ReceivedBuffer& bytes) {
  MemoryLender& lender = worker_.lender;
  try {
    MemoryLender::Block block =
        lender.Take(engine_->DecryptedBytes() + engine_->input().size());
    size_t n = 0;
    const TlsStep step = ReadInto({block.memory.get(), block.size}, n);
    if (n > 0) {
      bytes = lender.Lend(std::move(block), n);
    } else {
      lender.GiveBack(std::move(block));
    }
    return step;
  } catch (const std::bad_alloc&) {
    flooded_ = true;
    return TlsStep::kFailed;
  }
}

absl::Status TlsState::ReadError() const {
  if (!flooded_) return engine_->error();
  return absl::ResourceExhaustedError(
      "the peer asks for replies that it does not read, or there is no memory");
}

// --- Writing

bool TlsState::IsCancelled() const {
  return abandoned() || Executor::RunningTask("a write").cancelled();
}

absl::Status TlsState::WhyNotNow() const {
  return IsCancelled() ? CancelledStatus() : write_status();
}

absl::Status TlsState::Encrypt(PlainParts& parts) {
  // Perhaps since the block before this one.
  if (abandoned_) return CancelledStatus();
  record_size_.OnWrite(loop_.now());
  while (!parts.empty() && engine_->output().size() +
                                   TlsEngine::kMostRecordBytes +
                                   TlsEngine::kMostOverheadBytes <=
                               OutputBuffer::kBlockBytes) {
    const std::span<const std::byte> record =
        parts.Take(record_size_.Next(), worker_.record);
    const bool in_place = !engine_->kernel_encrypts() && parts.empty() &&
                          engine_->output().empty() &&
                          record.size() >= kLeastInPlaceBytes;
    if (!in_place && engine_->output().capacity() == 0)
      engine_->output() = worker_.output.Take();
    if ((in_place ? engine_->WriteInPlace(record) : engine_->Write(record)) !=
        TlsStep::kDone) {
      write_status_ = engine_->error();
      return write_status_;
    }
    record_size_.OnRecord(record.size());
  }
  return absl::OkStatus();
}

OutputBuffer TlsState::TakeOutput() { return std::move(engine_->output()); }

bool TlsState::GiveBackOutput(OutputBuffer buffer, const absl::Status& sent) {
  if (!sent.ok()) OnOutputLost(sent);
  if (!buffer.in_place()) {
    worker_.output.GiveBack(std::move(buffer));
    return false;
  }
  engine_->EndInPlace();
  return has_output();
}

void TlsState::OnOutputLost(const absl::Status& why) {
  output_lost_ = true;
  if (!write_status_.ok()) return;
  if (absl::IsCancelled(why) || absl::IsDeadlineExceeded(why)) {
    write_status_ = absl::FailedPreconditionError(
        "an earlier write of the stream was cancelled after it had begun");
  } else if (absl::IsUnavailable(why)) {
    // As the kernel, which forgets why.
    write_status_ = ErrnoToStatus(EPIPE, "write on a stream");
  } else {
    write_status_ = why;
  }
}

absl::Status TlsState::EndWriting() {
  if (!write_status_.ok()) return write_status_;
  if (engine_->Shutdown() != TlsStep::kDone) {
    write_status_ = engine_->error();
    return write_status_;
  }
  write_status_ = ErrnoToStatus(EPIPE, "write on a stream");
  return absl::OkStatus();
}

bool TlsState::PrepareFarewell() {
  if (!HasFarewell()) return false;
  if (CanEndWriting()) EndWriting().IgnoreError();
  return has_output();
}

// --- The handshake

TlsStep TlsState::Handshake() {
  const TlsStep step = engine_->Handshake();
  ForgetUsed();
  return step;
}

TlsStep TlsState::Job::Step() { return engine->Handshake(); }

std::shared_ptr<TlsState::Job> TlsState::DetachEngine() {
  auto job = std::make_shared<Job>();
  const std::span<const std::byte> input = engine_->input();
  job->input.assign(input.begin(), input.end());
  job->context = context_;
  engine_->SetInput(job->input);
  arrived_.Release();
  job->engine = std::move(engine_);
  return job;
}

void TlsState::ReattachEngine(std::shared_ptr<Job> job) {
  engine_ = std::move(job->engine);
  job_ = std::move(job);
}

}  // namespace ringway::net::internal
