// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/stale_unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "ringway/core/unique_fd.h"

namespace ringway {
namespace {

// Starting servers hold the lock for microseconds; other processes may hold
// it forever.
constexpr int kAttempts = 1000;
constexpr timespec kBetweenAttempts = {.tv_sec = 0, .tv_nsec = 1'000'000};

bool IsStale(const sockaddr* address, socklen_t length) {
  // A datagram socket probes without side effects: the kernel returns
  // EPROTOTYPE for a live stream listener, which does not notice, and
  // ECONNREFUSED for a dead socket.
  UniqueFd probe(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return probe.valid() && connect(probe.get(), address, length) != 0 &&
         errno == ECONNREFUSED;
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Returns 0 or an errno: EWOULDBLOCK if others do not release it.
int Lock(int directory) {
  for (int i = 0; i < kAttempts; ++i) {
    if (flock(directory, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK && errno != EINTR) return errno;
    nanosleep(&kBetweenAttempts, nullptr);
  }
  return EWOULDBLOCK;
}

}  // namespace

int RemoveStaleUnixSocket(const sockaddr* address, socklen_t length) {
  const auto& un = *reinterpret_cast<const sockaddr_un*>(address);
  const size_t room = length - offsetof(sockaddr_un, sun_path);
  const std::string path(un.sun_path, strnlen(un.sun_path, room));
  if (path.empty()) return 0;  // abstract names have no file
  struct stat st;
  if (lstat(path.c_str(), &st) != 0) return 0;
  if (!S_ISSOCK(st.st_mode)) return -EEXIST;
  if (!IsStale(address, length)) return 0;
  UniqueFd directory(
      open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return 0;
  if (const int error = Lock(directory.get()); error != 0)
    return error == EWOULDBLOCK ? -EAGAIN : 0;
  // Another starting server may have changed it in the meantime.
  const bool is_socket = lstat(path.c_str(), &st) == 0 && S_ISSOCK(st.st_mode);
  if (is_socket && IsStale(address, length)) unlink(path.c_str());
  return 0;
}

}  // namespace ringway
