// SPDX-License-Identifier: Apache-2.0
//
// TlsState: the part of a TLS stream that does not depend on its transport:
// what has arrived, what is to be sent, and whether either direction has ended.
//
// At a fixed address, because operations refer to it; shared by the stream, its
// halves and their operations.

#ifndef RINGWAY_NET_TLS_STREAM_TLS_STATE_H_
#define RINGWAY_NET_TLS_STREAM_TLS_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/tls/context/loaded_context.h"
#include "ringway/net/tls/engine/tls_engine.h"
#include "ringway/net/tls/kernel/kernel_keys.h"
#include "ringway/net/tls/stream/plain_parts.h"
#include "ringway/net/tls/stream/record_size.h"
#include "ringway/net/tls/stream/tls_worker.h"

namespace ringway::net::internal {

class TlsState : public LoopDependent {
 public:
  // Replies that a peer can cause without reading them. Then reading fails.
  static constexpr size_t kMostReplyBytes = size_t{64} << 10;
  // A write of one record with so many bytes is sent from where OpenSSL has
  // made it. Several share one write of the transport, which is worth more
  // than the copies.
  static constexpr size_t kLeastInPlaceBytes = size_t{4} << 10;

  TlsState(std::shared_ptr<const LoadedContext> context,
           std::unique_ptr<TlsEngine> engine);

  Loop& loop() const { return loop_; }
  TlsWorker& worker() const { return worker_; }
  const LoadedContext& context() const { return *context_; }
  // False while a handshake's step runs on another thread.
  bool has_engine() const { return engine_ != nullptr; }
  TlsEngine& engine() const { return *engine_; }

  // Whether calls of a handle can be made; OK or FailedPrecondition.
  static absl::Status WhyUnusable(const TlsState* state);
  // No new call can be made.
  void MarkClosed() { closed_ = true; }
  // Those that wait end as cancelled.
  bool abandoned() const { return abandoned_; }
  void MarkAbandoned() { closed_ = abandoned_ = true; }

  // --- Reading, by one task at a time (checked).

  void BeginRead();
  void EndRead() { reading_ = false; }

  // The next delivery of the transport, empty at its end. What came before was
  // used.
  void Arrive(ReceivedBuffer bytes);
  // Decrypts what has arrived: kDone with at least one byte, else why not.
  // Gives a delivery back once it is used.
  TlsStep ReadInto(std::span<std::byte> to, size_t& n);
  // The same into memory that is lent.
  TlsStep ReadLent(ReceivedBuffer& bytes);
  // Why reading has failed.
  absl::Status ReadError() const;

  // --- Writing, by the task that holds the turn.

  Mutex& turn() { return turn_; }
  // Why nothing more can be written; OK otherwise.
  const absl::Status& write_status() const { return write_status_; }
  // Cancelled: the running task, or those of the stream.
  bool IsCancelled() const;
  // Why a task that has got the turn must not write.
  absl::Status WhyNotNow() const;
  // Encrypts from `parts` until the output is as large as one transport write
  // shall be, or nothing is left. Cancelled if abandoned().
  absl::Status Encrypt(PlainParts& parts);
  // Moves the output out, to be sent and then given back.
  OutputBuffer TakeOutput();
  // Encrypted bytes were lost: `why` is of the transport, or a cancel.
  void OnOutputLost(const absl::Status& why);
  // `sent`: how that went. True if there is more of the same write to be sent.
  bool GiveBackOutput(OutputBuffer buffer, const absl::Status& sent);
  // None once output was lost: what follows would be amid a record.
  bool has_output() const {
    return has_engine() && !output_lost_ && !engine_->output().empty();
  }
  // Adds a close_notify to the output. Writing ends. As write_status() if it
  // has ended before.
  absl::Status EndWriting();
  // Puts what the peer can be told at the end, a close_notify or an alert, into
  // the output. False if there is nothing.
  bool PrepareFarewell();
  // The same without doing it.
  bool HasFarewell() const {
    return has_engine() && !output_lost_ && (CanEndWriting() || has_output());
  }

  // --- Encryption by the kernel: see kernel_send.h.

  // What is written goes to the kernel, once the handshake is over.
  bool kernel_encrypts() const {
    return has_engine() && engine_->kernel_encrypts();
  }
  // How things were when the kernel got its keys.
  struct KernelStart {
    uint64_t tcp_bytes = 0;     // that TCP had taken over
    uint64_t stream_bytes = 0;  // that were written to the transport
    uint64_t record = 0;        // the number of the kernel's first
    KernelCipher cipher;
  };
  KernelStart& kernel_start() { return kernel_start_; }
  const KernelStart& kernel_start() const { return kernel_start_; }

  // --- The handshake.

  // Its next step. Gives a delivery back once it is used.
  TlsStep Handshake();

  // The engine with what it has not used of the input, for one step on another
  // thread.
  struct Job {
    TlsStep Step();
    std::unique_ptr<TlsEngine> engine;
    std::shared_ptr<const LoadedContext> context;
    std::vector<std::byte> input;
  };
  std::shared_ptr<Job> DetachEngine();
  void ReattachEngine(std::shared_ptr<Job> job);

 protected:
  ~TlsState() override = default;

 private:
  void OnLoopEnd() override {}
  void ForgetUsed();
  bool CanEndWriting() const {
    return engine_->handshake_done() && write_status_.ok();
  }

  Loop& loop_;  // may have ended: see loop_ended()
  TlsWorker& worker_;
  const std::shared_ptr<const LoadedContext> context_;
  std::unique_ptr<TlsEngine> engine_;
  ReceivedBuffer arrived_;    // the engine's input is in there, or in the job
  std::shared_ptr<Job> job_;  // that was done last
  Mutex turn_;
  absl::Status write_status_;
  RecordSize record_size_;
  KernelStart kernel_start_;
  bool reading_ = false;
  bool closed_ = false;
  bool abandoned_ = false;
  bool output_lost_ = false;
  bool flooded_ = false;  // kMostReplyBytes
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_TLS_STATE_H_
