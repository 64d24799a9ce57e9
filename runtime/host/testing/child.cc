// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/testing/child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "ringway/core/check.h"
#include "ringway/core/unique_fd.h"

namespace ringway::testing {
namespace {

// Above all that tests use, below every usual limit.
constexpr int kResultFd = 200;

// In the child.
[[noreturn]] void SendResult(const std::function<std::string()>& fn, int fd) {
  RINGWAY_CHECK(dup3(fd, kResultFd, O_CLOEXEC) == kResultFd, "errno %d", errno);
  for (int other = STDERR_FILENO + 1; other < kResultFd; ++other)
    ::close(other);
  const std::string result = fn();
  const ssize_t n = ::write(kResultFd, result.data(), result.size());
  _exit(n == static_cast<ssize_t>(result.size()) ? 0 : 1);
}

}  // namespace

std::string ResultOfChild(const std::function<std::string()>& fn) {
  int fds[2];
  RINGWAY_CHECK(pipe2(fds, O_CLOEXEC) == 0, "pipe2: errno %d", errno);
  const UniqueFd read_end(fds[0]);
  UniqueFd write_end(fds[1]);
  const pid_t child = fork();
  RINGWAY_CHECK(child >= 0, "fork: errno %d", errno);
  if (child == 0) SendResult(fn, write_end.get());
  write_end.Reset();
  std::string result;
  std::array<char, 4096> buffer;
  ssize_t n;
  while ((n = ::read(read_end.get(), buffer.data(), buffer.size())) > 0)
    result.append(buffer.data(), static_cast<size_t>(n));
  int status = -1;
  RINGWAY_CHECK(waitpid(child, &status, 0) == child, "errno %d", errno);
  RINGWAY_CHECK(status == 0, "the child ended with status %d", status);
  return result;
}

}  // namespace ringway::testing
