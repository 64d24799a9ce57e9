// SPDX-License-Identifier: Apache-2.0
//
// The server speaks the protocol of /dev/fuse (linux/fuse.h) itself: it has one
// directory and one file, which keeps its size but no content.

#include "ringway/fs/testing/stalled_file_system.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/fs/testing/mounts.h"

namespace ringway::fs::testing {
namespace {

constexpr uint64_t kFileNode = 2;
constexpr uint64_t kSecondsValid = 1'000;
constexpr uint32_t kMostWritten = 64 * 1024;

// Runs in a forked child: calls nothing but the kernel.
class Server {
 public:
  Server(int device, StalledFileSystem::Shared& shared, absl::Duration stall)
      : device_(device), shared_(shared), stall_(absl::ToTimespec(stall)) {}

  // Until the file system is unmounted.
  void Serve() {
    while (true) {
      const ssize_t n = read(device_, request_.data(), request_.size());
      if (n < 0 && (errno == EINTR || errno == ENOENT)) continue;
      if (n < static_cast<ssize_t>(sizeof(fuse_in_header))) return;
      memcpy(&header_, request_.data(), sizeof(header_));
      Answer();
    }
  }

 private:
  template <typename T>
  T Argument() const {
    T argument;
    memcpy(&argument, &request_[sizeof(header_)], sizeof(argument));
    return argument;
  }

  void Answer() {
    switch (header_.opcode) {
      case FUSE_INIT:
        return Init();
      case FUSE_LOOKUP:
        return LookUp();
      case FUSE_GETATTR:
      case FUSE_SETATTR:
        return Reply(AttributesOf(header_.nodeid));
      case FUSE_OPEN:
        Stall();
        return Reply(fuse_open_out{.fh = 1, .open_flags = 0, .padding = 0});
      case FUSE_READ:
        Stall();
        return Fails(StalledFileSystem::kRead) ? void() : Read();
      case FUSE_WRITE:
        Stall();
        return Fails(StalledFileSystem::kWrite) ? void() : Write();
      case FUSE_FSYNC:
        Stall();
        return Fails(StalledFileSystem::kSync) ? void() : Succeed();
      case FUSE_FLUSH:  // a close
        return Fails(StalledFileSystem::kClose) ? void() : Succeed();
      case FUSE_RELEASE:
        return Succeed();
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
      case FUSE_INTERRUPT:
        return;  // they have no answer
      default:
        return Finish(-ENOSYS, nullptr, 0);
    }
  }

  void Init() {
    const fuse_init_in in = Argument<fuse_init_in>();
    fuse_init_out out = {};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = std::min<uint32_t>(in.minor, FUSE_KERNEL_MINOR_VERSION);
    out.max_write = kMostWritten;
    out.time_gran = 1;
    Reply(out);
  }

  void LookUp() {
    const char* const name =
        reinterpret_cast<const char*>(&request_[sizeof(header_)]);
    if (std::string_view(name) != "file") return Finish(-ENOENT, nullptr, 0);
    fuse_entry_out out = {};
    out.nodeid = kFileNode;
    out.entry_valid = out.attr_valid = kSecondsValid;
    out.attr = AttributesOf(kFileNode).attr;
    Reply(out);
  }

  fuse_attr_out AttributesOf(uint64_t node) const {
    fuse_attr_out out = {};
    out.attr_valid = kSecondsValid;
    out.attr.ino = node;
    out.attr.nlink = 1;
    out.attr.mode = node == kFileNode ? S_IFREG | 0600 : S_IFDIR | 0700;
    out.attr.size = node == kFileNode ? size_ : 0;
    return out;
  }

  void Read() {
    const fuse_read_in in = Argument<fuse_read_in>();
    const uint64_t left = size_ - std::min(size_, in.offset);
    static std::array<std::byte, 256 * 1024> zeros;
    Finish(0, zeros.data(), std::min<uint64_t>({in.size, left, zeros.size()}));
  }

  void Write() {
    const fuse_write_in in = Argument<fuse_write_in>();
    size_ = std::max(size_, in.offset + in.size);
    Reply(fuse_write_out{.size = in.size, .padding = 0});
  }

  void Succeed() { Finish(0, nullptr, 0); }

  // True if the call was to fail, and was answered so.
  bool Fails(StalledFileSystem::Call call) {
    const int errnum = shared_.errors[call];
    if (errnum != 0) Finish(-errnum, nullptr, 0);
    return errnum != 0;
  }

  template <typename T>
  void Reply(const T& out) {
    Finish(0, &out, sizeof(out));
  }
  void Finish(int error, const void* data, size_t n_bytes) {
    fuse_out_header header = {};
    header.len = static_cast<uint32_t>(sizeof(header) + n_bytes);
    header.error = error;
    header.unique = header_.unique;
    const iovec parts[] = {{&header, sizeof(header)},
                           {const_cast<void*>(data), n_bytes}};
    // An answer that the kernel does not want any more is dropped.
    (void)!writev(device_, parts, n_bytes > 0 ? 2 : 1);
  }

  void Stall() const { nanosleep(&stall_, nullptr); }

  const int device_;
  StalledFileSystem::Shared& shared_;
  const timespec stall_;
  uint64_t size_ = 0;
  fuse_in_header header_ = {};
  std::array<std::byte, kMostWritten + 64 * 1024> request_;
};

absl::Status ErrnoOfThat(std::string_view call) {
  return ErrnoToStatus(errno, call);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StalledFileSystem>> StalledFileSystem::Mount(
    std::string path, absl::Duration stall) {
  const absl::Status left = LeaveMountNamespace();
  if (!left.ok()) return left;
  const UniqueFd device(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device.valid()) return ErrnoOfThat("open of /dev/fuse");
  const std::string options =
      absl::StrCat("fd=", device.get(), ",rootmode=40000,user_id=", getuid(),
                   ",group_id=", getgid());
  if (mount("stalled", path.c_str(), "fuse.stalled", MS_NOSUID | MS_NODEV,
            options.c_str()) != 0) {
    return ErrnoOfThat("mount of a FUSE file system");
  }
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return ErrnoOfThat("mmap");
  Shared* const shared = new (memory) Shared();
  const pid_t server = fork();
  if (server == 0) {
    static Server serves(device.get(), *shared, stall);
    serves.Serve();
    _exit(0);
  }
  if (server < 0) return ErrnoOfThat("fork");
  return std::unique_ptr<StalledFileSystem>(
      new StalledFileSystem(std::move(path), shared, server));
}

StalledFileSystem::~StalledFileSystem() {
  umount2(path_.c_str(), MNT_DETACH);
  kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
  munmap(shared_, sizeof(Shared));
}

}  // namespace ringway::fs::testing
