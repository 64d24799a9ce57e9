// SPDX-License-Identifier: Apache-2.0
//
// For tests: runtimes that must leak no fd and no thread, an echo handler, and
// a blocking client.

#ifndef RINGWAY_RUNTIME_TESTING_RUNTIME_FIXTURE_H_
#define RINGWAY_RUNTIME_TESTING_RUNTIME_FIXTURE_H_

#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"
#include "ringway/core/thread_sanitizer.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"

namespace ringway {

inline constexpr char kForkedUnderThreadSanitizer[] =
    "under ThreadSanitizer a child of a process with several threads can start "
    "none and runs no handler of a signal";

inline size_t CountThreads() {
  DIR* directory = opendir("/proc/self/task");
  size_t n = 0;
  while (dirent* entry = readdir(directory)) n += entry->d_name[0] != '.';
  closedir(directory);
  return n;
}

// A joined thread may stay visible in /proc for a moment.
inline void ExpectThreads(size_t n) {
  const auto limit =
      std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (CountThreads() != n && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  EXPECT_EQ(CountThreads(), n);
}

inline UniqueFd ConnectTo(const net::SocketAddress& address) {
  UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  RINGWAY_CHECK(connect(fd.get(), address.data(), address.size()) == 0,
                "connect: errno %d", errno);
  return fd;
}

// Sends `text` and waits for as many bytes back.
inline std::string Ask(int fd, std::string_view text) {
  testing::SendAll(fd, text);
  std::string answer(text.size(), '\0');
  const ssize_t n = recv(fd, answer.data(), answer.size(), MSG_WAITALL);
  answer.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return answer;
}

inline Task<absl::Status> Echo(net::TcpStream stream) {
  Task<absl::Status> echo = net::testing::Echo(std::move(stream));
  co_return co_await std::move(echo);
}

inline Runtime::Builder OneWorker() {
  Runtime::Builder builder;
  builder.Workers(1);
  return builder;
}

// Runs the task that `make` returns on a worker; the result is of its end.
template <typename Make>
std::future<void> BeginOn(const Runtime& runtime, size_t worker, Make make) {
  const auto run = [](Make make_task,
                      std::shared_ptr<std::promise<void>> end) -> Task<void> {
    Task<void> task = make_task();
    co_await std::move(task);
    end->set_value();
  };
  const auto end = std::make_shared<std::promise<void>>();
  const absl::Status posted = runtime.workers()[worker].Post(
      [run, make, end] { Spawn(run(make, end)).Detach(); });
  RINGWAY_CHECK(posted.ok(), "%s", posted.ToString().c_str());
  return end->get_future();
}

class RuntimeTest : public ::testing::Test {
 protected:
  RuntimeTest() {
    // The first thread of a process also starts one of ThreadSanitizer's.
    pid_t tid = 0;
    std::thread([&] { tid = gettid(); }).join();
    const std::string thread = absl::StrCat("/proc/self/task/", tid);
    while (access(thread.c_str(), F_OK) == 0) std::this_thread::yield();
    fds_before_ = testing::CountOpenFds();
    threads_before_ = CountThreads();
  }
  ~RuntimeTest() override { ExpectNothingIsLeft(); }

  void ExpectNothingIsLeft() {
    EXPECT_EQ(testing::CountOpenFds(), fds_before_) << "an fd leaked";
    ExpectThreads(threads_before_);
  }

  static std::unique_ptr<Runtime> Launch(Runtime::Builder& builder) {
    return net::testing::ValueOf(builder.Launch());
  }

 private:
  size_t fds_before_;
  size_t threads_before_;
};

// --- Launching

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_TESTING_RUNTIME_FIXTURE_H_
