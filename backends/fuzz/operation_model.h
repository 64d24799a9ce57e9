// SPDX-License-Identifier: Apache-2.0
//
// OperationModel: carries out a program of starts, cancels, closes and turns
// over a few streams between two backends, and knows what may come of it.
//
// A program is any string of bytes, so that a fuzzer can write one. The model
// keeps, for every direction of every stream, how many bytes were accepted and
// how many arrived; byte n of a direction is always the same, so a byte lost,
// doubled or out of order is seen where it arrives. Every operation must end
// exactly once, as cancelled only if somebody cancelled it, and every stream
// that is still open at the end must deliver what it accepted.

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
  // What one direction has carried: written by its sender, checked by its
  // receiver.
  struct Direction {
    uint64_t accepted = 0;
    uint64_t arrived = 0;
    bool cut = false;  // an end was closed or shut down: bytes may be missing
  };

  StreamEnd(testing::BackendDriver& driver, testing::TestFd fd, Direction& out,
            Direction& in);
  // Ends everything that is active and gives back what was delivered.
  ~StreamEnd();
  StreamEnd(const StreamEnd&) = delete;

  bool open() const { return fd_.valid() && !closing_; }
  testing::BackendDriver& driver() { return driver_; }

  // Each starts its operation unless that is active already or the end closed.
  void StartSend(size_t n_bytes);
  void StartReceive(size_t n_bytes);
  void StartMultishotReceive();
  void StartPoll();

  void CancelSend();
  void CancelReceive();
  void CancelEverything();  // by fd

  void ShutdownWrite();
  // Cancels what is active, and closes when all of it has ended.
  void Close();

  // Takes note of what has ended and of what was delivered.
  void Observe();

  // True when nothing is active.
  bool idle() const;

 private:
  static constexpr size_t kMaxBytes = 4096;

  // An operation, and whether anybody has cancelled it.
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

// Runs `program` on streams of `system` between `a` and `b`, which may be the
// same kind of backend or not, and are as they were afterwards. Aborts with a
// message when something came of it that must not.
void RunProgram(std::span<const uint8_t> program, testing::System& system,
                testing::BackendDriver& a, testing::BackendDriver& b);

}  // namespace ringway::fuzz

#endif  // RINGWAY_BACKENDS_FUZZ_OPERATION_MODEL_H_
