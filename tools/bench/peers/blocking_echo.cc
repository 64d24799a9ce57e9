// SPDX-License-Identifier: Apache-2.0
//
// An echo server with a thread for each connection and blocking sockets: the
// simplest there is.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "ringway/tools/bench/peers/peer.h"

namespace {

// The connections that have a thread, so that they can be ended.
class Connections {
 public:
  void Serve(int fd) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      open_.insert(fd);
    }
    std::thread([this, fd] {
      Echo(fd);
      const std::lock_guard<std::mutex> lock(mutex_);
      open_.erase(fd);
      close(fd);
      changed_.notify_all();
    }).detach();
  }

  void EndAll() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    changed_.wait(lock, [this] { return open_.empty(); });
  }

 private:
  static bool SendAll(int fd, const char* data, size_t n_bytes) {
    while (n_bytes > 0) {
      const ssize_t n = send(fd, data, n_bytes, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      data += n;
      n_bytes -= static_cast<size_t>(n);
    }
    return true;
  }

  static void Echo(int fd) {
    std::array<char, 64 * 1024> buffer;
    while (true) {
      const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0 || !SendAll(fd, buffer.data(), static_cast<size_t>(n))) return;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<int> open_;
};

}  // namespace

int main(int argc, char** argv) {
  const int termination = peer::CatchTermination();
  const int listener = peer::ListenAsTold(argc, argv);
  Connections connections;
  while (true) {
    std::array<pollfd, 2> fds = {
        {{listener, POLLIN, 0}, {termination, POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
      peer::Die("poll");
    if (fds[1].revents != 0) break;
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) connections.Serve(fd);
  }
  connections.EndAll();
  return 0;
}
