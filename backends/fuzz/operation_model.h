// SPDX-License-Identifier: Apache-2.0
//
// OperationModel: runs a program of starts, cancels, closes and turns over a
// few streams between two backends, and checks the results.
//
// Any string of bytes is a valid program, so a fuzzer can generate it. The
// model counts the bytes accepted and received in each direction of every
// stream; byte n of a direction has a fixed value, so a lost, duplicated or
// reordered byte is detected on arrival. Every operation must end exactly
// once, as cancelled only if it was cancelled, and every stream that is still
// open at the end must deliver all accepted bytes.

#ifndef RINGWAY_BACKENDS_FUZZ_OPERATION_MODEL_H_
#define RINGWAY_BACKENDS_FUZZ_OPERATION_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ringway/backends/operation.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/system.h"

namespace ringway::fuzz {

// One end of a stream: its fd and the operations that may be active on it.
class StreamEnd {
 public:
  // The bytes of one direction: written by its sender, checked by its
  // receiver.
  struct Direction {
    uint64_t accepted = 0;
    uint64_t arrived = 0;
    bool cut = false;  // an end was closed or shut down: bytes may be missing
  };

  StreamEnd(testing::BackendDriver& driver, testing::TestFd fd, Direction& out,
            Direction& in);
  // Ends all active operations and returns their deliveries.
  ~StreamEnd();
  StreamEnd(const StreamEnd&) = delete;

  bool open() const { return fd_.valid() && !closing_; }
  testing::BackendDriver& driver() { return driver_; }

  // Each starts its operation unless that is active already or the end is
  // closed.
  void StartSend(size_t n_bytes);
  void StartReceive(size_t n_bytes);
  void StartMultishotReceive();
  void StartPoll();

  void CancelSend();
  void CancelReceive();
  void CancelEverything();  // by fd

  void ShutdownWrite();
  // Cancels all active operations, and closes when they have ended.
  void Close();

  // Processes ended operations and deliveries.
  void Observe();

  // True if no operation is active.
  bool idle() const;

 private:
  static constexpr size_t kMaxBytes = 4096;

  // An operation, and whether it was cancelled.
  template <typename Base>
  struct Tracked : Base {
    bool cancelled = false;
  };
  using OneShot = Tracked<testing::CountedOperation>;
  using Multishot = Tracked<testing::CountedMultishot>;

  template <typename T>
  void Cancel(const std::unique_ptr<T>& op) {
    if (op == nullptr) return;
    op->cancelled = true;
    driver_.Cancel(*op);
  }
  void ObserveSend();
  void ObserveReceive();
  void ObserveDeliveries();
  void ObservePoll();
  static void CheckResult(const Operation& op, bool cancelled);
  void CheckArrived(std::span<const std::byte> bytes);

  testing::BackendDriver& driver_;
  testing::TestFd fd_;
  Direction& out_;
  Direction& in_;
  bool closing_ = false;
  std::unique_ptr<OneShot> send_;
  std::unique_ptr<OneShot> receive_;
  std::unique_ptr<OneShot> poll_;
  std::unique_ptr<OneShot> shutdown_;
  std::unique_ptr<OneShot> close_;
  std::unique_ptr<Multishot> deliveries_;
  std::array<std::byte, kMaxBytes> sent_bytes_;
  std::array<std::byte, kMaxBytes> received_bytes_;
};

// Runs `program` on streams of `system` between `a` and `b`, which may be of
// different kinds and are idle again afterwards. Aborts with a message on a
// wrong result.
void RunProgram(std::span<const uint8_t> program, testing::System& system,
                testing::BackendDriver& a, testing::BackendDriver& b);

}  // namespace ringway::fuzz

#endif  // RINGWAY_BACKENDS_FUZZ_OPERATION_MODEL_H_
