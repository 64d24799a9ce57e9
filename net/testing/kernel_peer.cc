// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/kernel_peer.h"

#include <ftw.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"

namespace ringway::net::testing {

ShortDirectory::ShortDirectory() {
  // TEST_TMPDIR alone is often longer than the limit of a Unix socket's path.
  char name[] = "/tmp/ringway.XXXXXX";
  RINGWAY_CHECK(mkdtemp(name) != nullptr, "mkdtemp: %s", strerror(errno));
  path_ = name;
}

ShortDirectory::~ShortDirectory() {
  nftw(
      path_.c_str(),
      [](const char* path, const struct stat*, int, FTW*) {
        return remove(path);
      },
      /*nopenfd=*/8, FTW_DEPTH | FTW_PHYS);
}

std::string ShortDirectory::PathOf(std::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

KernelPair KernelTcp() {
  UniqueFd listener = ringway::testing::Listen(/*backlog=*/1);
  KernelPair pair;
  pair.far_end =
      ringway::testing::ConnectTo(ringway::testing::AddressOf(listener.get()));
  pair.near_end =
      UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  RINGWAY_CHECK(pair.near_end.valid(), "accept: %s", strerror(errno));
  return pair;
}

void SetBuffer(int fd, int option, int n_bytes) {
  RINGWAY_CHECK(
      setsockopt(fd, SOL_SOCKET, option, &n_bytes, sizeof(n_bytes)) == 0,
      "setsockopt: %s", strerror(errno));
}

std::string ReceiveAll(int fd, int* errnum) {
  std::string all;
  std::array<char, 64 * 1024> buffer;
  if (errnum != nullptr) *errnum = 0;
  while (true) {
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n > 0) {
      all.append(buffer.data(), static_cast<size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      if (n < 0 && errnum != nullptr) *errnum = errno;
      return all;
    }
  }
}

void ResetOnClose(int fd) {
  const linger discard = {.l_onoff = 1, .l_linger = 0};
  RINGWAY_CHECK(
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &discard, sizeof(discard)) == 0,
      "SO_LINGER: %s", strerror(errno));
}

size_t FillSendBuffer(int fd) {
  static const std::vector<char>& block = *new std::vector<char>(64 * 1024);
  size_t sum = 0;
  while (true) {
    const ssize_t n =
        send(fd, block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      sum += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      return sum;
    }
  }
}

}  // namespace ringway::net::testing
