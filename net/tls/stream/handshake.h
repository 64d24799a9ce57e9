// SPDX-License-Identifier: Apache-2.0
//
// HandshakeOver: the handshake of a TLS stream, as a task.

#ifndef RINGWAY_NET_TLS_STREAM_HANDSHAKE_H_
#define RINGWAY_NET_TLS_STREAM_HANDSHAKE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tls/context/context_state.h"
#include "ringway/net/tls/engine/tls_engine.h"
#include "ringway/net/tls/stream/handshake_place.h"
#include "ringway/net/tls/stream/status_prefix.h"
#include "ringway/net/tls/stream/tls_core.h"
#include "ringway/pools/blocking/run_blocking.h"

namespace ringway::net::internal {

// A server's handshake in progress.
template <ByteStream S>
class ServerHandshake final : public HandshakePlace {
 public:
  explicit ServerHandshake(size_t limit)
      : HandshakePlace(TlsWorker::Current().handshakes, limit) {}

  void set_core(std::shared_ptr<TlsCore<S>> core) { core_ = std::move(core); }

 private:
  void End() override {
    core_->MarkAbandoned();
    core_->transport().Reset();
  }

  std::shared_ptr<TlsCore<S>> core_;
};

// Makes the next step on the blocking pool, or here if that has no room. After
// an error the engine may be lost: the task that has left it does not wait for
// it.
template <ByteStream S>
Task<absl::StatusOr<TlsStep>> StepElsewhere(std::shared_ptr<TlsCore<S>> core,
                                            MonotonicTime deadline) {
  core->context().shared().counters.CountOffload();
  std::shared_ptr<TlsState::Job> job = core->DetachEngine();
  const absl::StatusOr<TlsStep> step =
      co_await WithDeadline(deadline, RunBlocking(&TlsState::Job::Step, job));
  if (absl::IsCancelled(step.status()) ||
      absl::IsDeadlineExceeded(step.status())) {
    co_return step;
  }
  core->ReattachEngine(std::move(job));
  if (step.ok()) co_return step;
  co_return core->Handshake();  // it has not run there
}

// One transport write for each flight, one receive for each delivery. What the
// peer can do without is left to the first write of the stream, or to a task of
// its own. `place` is a server's.
template <ByteStream S>
Task<absl::Status> HandshakeOver(std::shared_ptr<TlsCore<S>> core,
                                 MonotonicTime deadline,
                                 HandshakePlace* place) {
  while (true) {
    TlsStep step = core->Handshake();
    if (step == TlsStep::kPaused) {
      if (place != nullptr) place->StopWaiting();
      Task<absl::StatusOr<TlsStep>> elsewhere = StepElsewhere(core, deadline);
      absl::StatusOr<TlsStep> taken = co_await std::move(elsewhere);
      if (!taken.ok()) co_return taken.status();
      step = *taken;
    }
    if (step == TlsStep::kFailed) co_return core->engine().error();
    // A step takes as long as hundreds of small requests. What came of it goes
    // out before another connection's.
    core->loop().EndWork();
    if (step == TlsStep::kDone && core->engine().FinishedBeforeOutput()) {
      TlsCore<S>::SendReplies(core);
      co_return absl::OkStatus();
    }
    const bool has_flight = core->has_output();
    if (place != nullptr) place->Wait(/*anew=*/has_flight);
    if (has_flight && core->kernel_encrypts()) {
      Task<absl::Status> send = TlsCore<S>::SendOutput(core);
      absl::Status sent = co_await WithDeadline(deadline, std::move(send));
      if (!sent.ok()) co_return sent;
    } else if (has_flight) {
      OutputBuffer block = core->TakeOutput();
      const absl::Status sent = co_await WithDeadline(
          deadline, core->transport().Write(block.bytes()));
      core->GiveBackOutput(std::move(block), sent);
      if (!sent.ok()) co_return sent;
    }
    if (step == TlsStep::kDone) co_return absl::OkStatus();
    absl::StatusOr<ReceivedBuffer> arrived =
        co_await WithDeadline(deadline, core->transport().Receive());
    if (!arrived.ok()) co_return arrived.status();
    core->Arrive(*std::move(arrived));
  }
}

// Handshakes, and counts the outcome. After a failure the peer is told why in
// the background, and the transport closed.
template <ByteStream S>
Task<absl::Status> CountedHandshake(std::shared_ptr<TlsCore<S>> core,
                                    absl::Duration timeout, std::string name,
                                    HandshakePlace* place = nullptr) {
  const MonotonicTime began = core->loop().backend().clock().Now();
  core->OfferKernel();
  Task<absl::Status> handshake = HandshakeOver(core, began + timeout, place);
  absl::Status done = co_await std::move(handshake);
  HandshakeCounters& counters = core->context().shared().counters;
  // Also if its last step was made before it heard of that.
  if (place != nullptr && place->displaced()) {
    counters.CountRefusal();
    co_return absl::ResourceExhaustedError(absl::StrCat(
        name, ": ended for a newer one, as it had waited longest for its peer ",
        "(TlsServerOptions::max_handshakes)"));
  }
  if (done.ok()) {
    counters.CountSuccess(core->engine().ssl(),
                          core->loop().backend().clock().Now() - began);
    if (core->context().shared().wants_kernel)
      counters.CountKernel(core->kernel_encrypts());
    co_return done;
  }
  counters.CountFailure(done);
  co_return WithPrefix(name, done);
}

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_HANDSHAKE_H_
