// SPDX-License-Identifier: Apache-2.0
//
// NvmeDevice: an NVMe namespace that is read and written by commands of its
// own, past file system and block layer (io_uring's URING_CMD).
//
//   LoopOptions::backend.uring.large_entries = true;
//   absl::StatusOr<fs::NvmeDevice> device =
//       co_await fs::NvmeDevice::Open("/dev/ng0n1");
//   absl::Status read = co_await device->Execute(
//       NvmeReadCommand({.nsid = 1, .lba = 0, .count = 8}, memory));
//
// The encoding is tested against the kernel's header; there was no device to
// try it on. The program knows the namespace's id and its block size (`nvme
// list`).

#ifndef RINGWAY_FS_DIRECT_NVME_DEVICE_H_
#define RINGWAY_FS_DIRECT_NVME_DEVICE_H_

#include <coroutine>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/nvme_command.h"
#include "ringway/executor/task/executor.h"
#include "ringway/fs/file.h"

namespace ringway::fs {

// A command: NvmeDevice::Execute().
class [[nodiscard]] NvmeOp : public internal::FileOp {
 public:
  NvmeOp(internal::FileCore* core, const NvmeCommand& command);
  bool await_ready() const noexcept { return usable() && !refusal_.ok(); }
  absl::Status await_resume() const;

 private:
  const NvmeCommand command_;
  absl::Status refusal_;
};

// Threads: the loop's only (checked), except for moving it.
class NvmeDevice {
 public:
  // Opens the character device of a namespace: "/dev/ng0n1".
  //
  // Errors: those of File::Open(); Unimplemented on a backend without commands;
  //         FailedPrecondition without UringOptions::large_entries: commands
  //         have 72 bytes, of which 64-byte entries hold 16.
  static Task<absl::StatusOr<NvmeDevice>> Open(std::string path);

  // Passes `command` to the device.
  //
  // Errors:       FailedPrecondition if it takes no such commands: it is not
  //               what Open() is for; Internal with the status of the device
  //               (NVMe base specification, "Status Field"); the errno of the
  //               driver; Cancelled.
  // Ownership:    the memory that the command refers to must outlive the await.
  // Cancellation: a command that was begun ends by itself.
  // Cost:         no allocation.
  NvmeOp Execute(const NvmeCommand& command) {
    return NvmeOp(file_.core_.get(), command);
  }

  CloseOp Close() { return file_.Close(); }

 private:
  explicit NvmeDevice(File file) : file_(std::move(file)) {}

  File file_;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECT_NVME_DEVICE_H_
