// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stale_unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"

namespace ringway::net::internal {
namespace {

// Starters hold the lock for microseconds; anybody may hold it for ever.
constexpr int kAttempts = 1000;
constexpr timespec kBetweenAttempts = {.tv_sec = 0, .tv_nsec = 1'000'000};

bool IsStale(const SocketAddress& address, const std::string& path) {
  struct stat st;
  if (lstat(path.c_str(), &st) != 0 || !S_ISSOCK(st.st_mode)) return false;
  // A datagram socket asks without disturbing: a live stream listener answers
  // EPROTOTYPE and never hears of it, a socket that has died ECONNREFUSED.
  UniqueFd probe(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return probe.valid() &&
         connect(probe.get(), address.data(), address.size()) != 0 &&
         errno == ECONNREFUSED;
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Returns 0 or an errno: EWOULDBLOCK if others do not let go of it.
int Lock(int directory) {
  for (int i = 0; i < kAttempts; ++i) {
    if (flock(directory, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK && errno != EINTR) return errno;
    nanosleep(&kBetweenAttempts, nullptr);
  }
  return EWOULDBLOCK;
}

}  // namespace

absl::Status RemoveStaleUnixSocket(const SocketAddress& address) {
  const auto& un = *reinterpret_cast<const sockaddr_un*>(address.data());
  const std::string path(un.sun_path,
                         strnlen(un.sun_path, sizeof(un.sun_path)));
  if (path.empty()) return absl::OkStatus();  // abstract names have no file
  if (!IsStale(address, path)) return absl::OkStatus();
  UniqueFd directory(
      open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return absl::OkStatus();
  if (const int error = Lock(directory.get()); error == EWOULDBLOCK) {
    return ErrnoToStatus(
        EADDRINUSE, absl::StrCat("bind to ", address.ToString(),
                                 ", a socket that nobody listens on any more, "
                                 "in a directory that others keep locked"));
  } else if (error != 0) {
    return absl::OkStatus();
  }
  // Another starter may have been here in the meantime.
  if (IsStale(address, path)) unlink(path.c_str());
  return absl::OkStatus();
}

}  // namespace ringway::net::internal
