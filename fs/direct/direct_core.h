// SPDX-License-Identifier: Apache-2.0
//
// DirectCore: the FileCore of a DirectFile, with what it needs to be aligned to
// and the queue in front of the kernel. Internal.

#ifndef RINGWAY_FS_DIRECT_DIRECT_CORE_H_
#define RINGWAY_FS_DIRECT_DIRECT_CORE_H_

#include <cstddef>
#include <cstdint>

#include "ringway/backends/operation.h"
#include "ringway/fs/direct/direct_options.h"
#include "ringway/fs/file_core.h"

namespace ringway::fs::internal {

class DirectCore final : public FileCore {
 public:
  // Takes over the file of `opened`.
  DirectCore(FileCore& opened, const DirectAlignment& alignment, bool is_direct,
             const DirectFileOptions& options);

  const DirectAlignment& alignment() const { return alignment_; }
  // Of the next operation: Operation::flags.
  uint32_t flags() const;
  bool must_poll() const { return polling_ == DirectPolling::kRequired; }

  // The device is not polled. True if a transfer is to be repeated without.
  bool StopPolling();

  // Starts `op`, which is idle, when the kernel may have one more. Until then
  // it is in a list, which it may leave: Waits(), Unlink().
  void StartInTurn(Operation& op);
  static bool Waits(const Operation& op) {
    return op.state == OpState::kIdle && op.linked();
  }
  // One that was started has ended: the next one is.
  void StartNext();

  void CountEnd(bool is_read);
  DirectFileStats stats() const;

 private:
  const DirectAlignment alignment_;
  const DirectPolling polling_;
  const uint32_t max_in_flight_;
  bool polls_;
  DirectFileStats stats_;
  OperationList waiting_;
};

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_DIRECT_DIRECT_CORE_H_
