// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/registered.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::uring {
namespace {

bool Contains(std::span<std::byte> region, const void* data, size_t n_bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(region.data());
  const auto at = reinterpret_cast<uintptr_t>(data);
  return at >= begin && at - begin <= region.size() &&
         n_bytes <= region.size() - (at - begin);
}

// True for operations whose fd may be a registered file: the kernel looks up
// the file when it reads the entry. False for those that go to a kernel
// thread, which looks up the file later, when the slot may be empty.
bool TakesRegisteredFd(OpCode opcode) {
  switch (opcode) {
    case OpCode::kNop:
    case OpCode::kClose:     // takes an ordinary fd
    case OpCode::kSendFile:  // two fds in turn
    case OpCode::kWaitPid:
    case OpCode::kShutdown:  // a system call (UringBackend::CallsItself())
    case OpCode::kSplice:    // from here on: run by kernel threads
    case OpCode::kFsync:
    case OpCode::kSyncFileRange:
    case OpCode::kFallocate:
    case OpCode::kTruncate:
    case OpCode::kFadvise:
    case OpCode::kReadLink:  // from here on: run by helper threads
    case OpCode::kGetDents:
    case OpCode::kSeek:
    case OpCode::kCopyFileRange:
    case OpCode::kLock:
    case OpCode::kChmod:
    case OpCode::kChown:
    case OpCode::kSetTimes:
    case OpCode::kAccess:
    case OpCode::kStatFs:
    case OpCode::kRealPath:
    case OpCode::kMakeWatcher:
    case OpCode::kAddWatch:
    case OpCode::kRemoveWatch:
      return false;
    case OpCode::kRead:
    case OpCode::kReadv:
    case OpCode::kWrite:
    case OpCode::kWritev:
    case OpCode::kPoll:
    case OpCode::kPollMultishot:
    case OpCode::kSocket:
    case OpCode::kBind:
    case OpCode::kListen:
    case OpCode::kAccept:
    case OpCode::kAcceptMultishot:
    case OpCode::kConnect:
    case OpCode::kRecv:
    case OpCode::kRecvMsg:
    case OpCode::kRecvMultishot:
    case OpCode::kRecvMsgMultishot:
    case OpCode::kSend:
    case OpCode::kSendMsg:
    case OpCode::kSendZeroCopy:
    case OpCode::kSendMsgZeroCopy:
    case OpCode::kOpenAt:
    case OpCode::kStatx:
    case OpCode::kRename:
    case OpCode::kUnlink:
    case OpCode::kMkdir:
    case OpCode::kLink:
    case OpCode::kSymlink:
    case OpCode::kOpenAt2:
    case OpCode::kUringCommand:
      return true;
  }
  return false;
}

}  // namespace

absl::Status Registered::ReserveFiles(uint32_t slots) {
  if (slots == 0) return absl::OkStatus();
  has_fd_.reserve(slots);
  if (int rc = io_uring_register_files_sparse(ring_.get(), slots); rc < 0) {
    return ErrnoToStatus(
        -rc, absl::StrCat("reserving ", slots,
                          " registered files (UringOptions::registered_files; "
                          "RLIMIT_NOFILE limits it)"));
  }
  has_fd_.resize(slots);
  return absl::OkStatus();
}

absl::Status Registered::RegisterFd(int fd) {
  owner_.Check("a uring backend");
  if (fd < 0 || static_cast<size_t>(fd) >= has_fd_.size()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "fd ", fd, " has no slot: UringOptions::registered_files is ",
        has_fd_.size()));
  }
  if (has_fd_[static_cast<size_t>(fd)]) return absl::OkStatus();
  if (int rc = io_uring_register_files_update(
          ring_.get(), static_cast<unsigned>(fd), &fd, 1);
      rc < 0) {
    return ErrnoToStatus(-rc, absl::StrCat("registering fd ", fd));
  }
  has_fd_[static_cast<size_t>(fd)] = true;
  ++n_fds_;
  return absl::OkStatus();
}

void Registered::ForgetFd(int fd) {
  owner_.Check("a uring backend");
  if (!HasFd(fd)) return;
  UnuseFd(fd);
  const int none = -1;
  io_uring_register_files_update(ring_.get(), static_cast<unsigned>(fd), &none,
                                 1);
  has_fd_[static_cast<size_t>(fd)] = false;
  --n_fds_;
}

// A slot has the number of its fd, so without the flag the entry refers to
// the same file.
void Registered::UnuseFd(int fd) {
  ring_.ForEachUnsubmitted([fd](io_uring_sqe& sqe) {
    if (sqe.fd == fd) sqe.flags &= static_cast<uint8_t>(~IOSQE_FIXED_FILE);
  });
}

absl::Status Registered::ReserveMemory() {
  if (!regions_.empty()) return absl::OkStatus();
  std::vector<std::span<std::byte>> regions(kMaxRegions);
  if (int rc = io_uring_register_buffers_sparse(ring_.get(), kMaxRegions);
      rc < 0) {
    return ErrnoToStatus(-rc, "reserving slots for registered memory");
  }
  regions_ = std::move(regions);
  return absl::OkStatus();
}

absl::Status Registered::RegisterMemory(std::span<std::byte> region) {
  owner_.Check("a uring backend");
  if (region.empty() || region.size() > kMaxRegionBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("registered memory of ", region.size(),
                     " bytes, must be 1 to ", kMaxRegionBytes));
  }
  if (absl::Status s = ReserveMemory(); !s.ok()) return s;
  auto slot = std::find_if(regions_.begin(), regions_.end(),
                           [](const auto& r) { return r.empty(); });
  if (slot == regions_.end()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("all ", kMaxRegions, " regions are in use"));
  }
  const iovec vector = {.iov_base = region.data(), .iov_len = region.size()};
  const __u64 tag = 0;
  if (int rc = io_uring_register_buffers_update_tag(
          ring_.get(), static_cast<unsigned>(slot - regions_.begin()), &vector,
          &tag, 1);
      rc < 0) {
    return ErrnoToStatus(
        -rc, absl::StrCat("registering ", region.size(),
                          " bytes of memory (limited by RLIMIT_MEMLOCK)"));
  }
  *slot = region;
  ++n_regions_;
  return absl::OkStatus();
}

void Registered::ForgetMemory(std::span<std::byte> region) {
  owner_.Check("a uring backend");
  for (size_t i = 0; i < regions_.size(); ++i) {
    if (regions_[i].empty() || regions_[i].data() != region.data()) continue;
    UnuseRegion(i);
    const iovec none = {};
    const __u64 tag = 0;
    io_uring_register_buffers_update_tag(ring_.get(), static_cast<unsigned>(i),
                                         &none, &tag, 1);
    regions_[i] = {};
    --n_regions_;
    return;
  }
}

void Registered::UnuseRegion(size_t slot) {
  ring_.ForEachUnsubmitted([slot](io_uring_sqe& sqe) {
    const bool reads = sqe.opcode == IORING_OP_READ_FIXED;
    if (!reads && sqe.opcode != IORING_OP_WRITE_FIXED) return;
    if (sqe.buf_index != slot) return;
    sqe.opcode = reads ? IORING_OP_READ : IORING_OP_WRITE;
    sqe.buf_index = 0;
  });
}

void Registered::Apply(const Operation& op, io_uring_sqe& sqe) const {
  const bool looks_up_later = (sqe.flags & IOSQE_ASYNC) != 0;
  if (!looks_up_later && HasFd(sqe.fd) && TakesRegisteredFd(op.opcode) &&
      UsesFd(op, op.fd)) {
    sqe.flags |= IOSQE_FIXED_FILE;
  }
  if (n_regions_ == 0) return;
  if (op.opcode == OpCode::kRead) UseRegion(op, IORING_OP_READ_FIXED, sqe);
  if (op.opcode == OpCode::kWrite) UseRegion(op, IORING_OP_WRITE_FIXED, sqe);
}

void Registered::UseRegion(const Operation& op, uint8_t fixed_opcode,
                           io_uring_sqe& sqe) const {
  for (size_t i = 0; i < regions_.size(); ++i) {
    if (regions_[i].empty() || !Contains(regions_[i], op.address, op.length))
      continue;
    sqe.opcode = fixed_opcode;
    sqe.buf_index = static_cast<uint16_t>(i);
    return;
  }
}

}  // namespace ringway::uring
