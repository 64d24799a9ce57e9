// SPDX-License-Identifier: Apache-2.0
//
// Several servers start on the path of a dead server.
//
// Each checked that the path was stale and removed it, in two steps. A server
// that had checked before, removed the path after another had bound it again:
// both started, and one of them got no connections (4 of 150 pairs). Servers
// started one after the other, as in other tests, never race.

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/net/testing/kernel_fixture.h"

namespace {

// Runs once, between the check of the path and its removal.
std::function<void()> before_unlink;

}  // namespace

// In place of the C library's.
extern "C" int unlink(const char* path) noexcept {
  if (before_unlink) std::exchange(before_unlink, nullptr)();
  return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

namespace ringway::net {
namespace {

using ringway::testing::KernelSockets;

using testing::ShortDirectory;
using testing::ValueOf;

constexpr int kStarters = 3;
constexpr int kRounds = 1000;

SocketAddress UnixAddress(const std::string& path) {
  return ValueOf(SocketAddress::Parse(absl::StrCat("unix:", path)));
}

absl::StatusOr<SocketFd> Start(const SocketAddress& address) {
  return MakeListenSocket(KernelSockets(), address, ListenOptions());
}

// A server starts, and dies without removing its path.
void LeaveStale(const SocketAddress& address) {
  ValueOf(Start(address)).Close();
}

bool Serves(const SocketAddress& address, int listener) {
  UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(client.get(), address.data(), address.size()) != 0) return false;
  // It is there at once.
  if (fcntl(listener, F_SETFL, O_NONBLOCK) != 0) return false;
  return UniqueFd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)).valid();
}

size_t EntriesIn(const std::string& directory) {
  DIR* entries = opendir(directory.c_str());
  RINGWAY_CHECK(entries != nullptr, "opendir: errno %d", errno);
  size_t n = 0;
  while (const dirent* entry = readdir(entries)) {
    n += std::string_view(entry->d_name).starts_with(".") ? 0 : 1;
  }
  closedir(entries);
  return n;
}

class StaleUnixSocket : public ::testing::Test {
 protected:
  // Starts servers at the same time, `kRounds` times, and looks at each lot.
  template <typename Check>
  void Race(Check check) {
    std::array<absl::StatusOr<SocketFd>, kStarters> started;
    std::barrier meet(kStarters + 1);
    std::atomic<int> ready{0};
    std::vector<std::thread> starters;
    for (int i = 0; i < kStarters; ++i) {
      starters.emplace_back([&, i] {
        for (int round = 0; round < kRounds; ++round) {
          meet.arrive_and_wait();
          // They wake up one after the other: wait for the last, awake.
          ++ready;
          while (ready < kStarters * (round + 1)) std::this_thread::yield();
          started[i] = Start(address_);
          meet.arrive_and_wait();
        }
      });
    }
    for (int round = 0; round < kRounds; ++round) {
      meet.arrive_and_wait();
      meet.arrive_and_wait();
      check(started);
      for (absl::StatusOr<SocketFd>& one : started) one = SocketFd();
    }
    for (std::thread& starter : starters) starter.join();
  }

  ShortDirectory directory_;
  const std::string path_ = directory_.PathOf("s");
  const SocketAddress address_ = UnixAddress(path_);
};

TEST_F(StaleUnixSocket, IsNotRemovedOnceAnotherHasTakenIt) {
  LeaveStale(address_);
  absl::StatusOr<SocketFd> between = absl::UnknownError("not started");
  before_unlink = [&] { between = Start(address_); };
  const absl::StatusOr<SocketFd> first = Start(address_);
  EXPECT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(ErrnoOf(between.status()), EADDRINUSE) << between.status();
  EXPECT_TRUE(Serves(address_, first->get()));
}

TEST_F(StaleUnixSocket, IsTakenByExactlyOneOfThoseThatStartTogether) {
  int wrong = 0;
  LeaveStale(address_);
  Race([&](const auto& started) {
    int n = 0;
    for (const absl::StatusOr<SocketFd>& one : started) {
      if (one.ok()) {
        ++n;
        wrong += Serves(address_, one->get()) ? 0 : 1;
      } else if (ErrnoOf(one.status()) != EADDRINUSE) {
        ADD_FAILURE() << one.status();
      }
    }
    wrong += n == 1 ? 0 : 1;
  });
  EXPECT_EQ(wrong, 0) << "of " << kRounds << " rounds";
  EXPECT_EQ(EntriesIn(directory_.PathOf("")), 1u) << "a file was left behind";
}

TEST_F(StaleUnixSocket, IsNotWhatALiveServerHas) {
  LeaveStale(address_);
  SocketFd live = ValueOf(Start(address_));
  Race([&](const auto& started) {
    for (const absl::StatusOr<SocketFd>& one : started)
      EXPECT_EQ(ErrnoOf(one.status()), EADDRINUSE) << one.status();
  });
  EXPECT_TRUE(Serves(address_, live.get()));
}

// It answers before it listens.
TEST_F(StaleUnixSocket, IsNotWhatAServerHasBoundAndNotYetListensOn) {
  UniqueFd bound(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(bound.get(), address_.data(), address_.size()), 0);
  EXPECT_EQ(ErrnoOf(Start(address_).status()), EADDRINUSE);
  ASSERT_EQ(listen(bound.get(), 1), 0);
  EXPECT_TRUE(Serves(address_, bound.get()));
}

TEST_F(StaleUnixSocket, ReportsItsOwnNameWhenTaken) {
  LeaveStale(address_);
  SocketFd fd = ValueOf(Start(address_));
  EXPECT_EQ(ValueOf(SocketAddress::LocalOf(KernelSockets(), fd.get())),
            address_);
}

TEST_F(StaleUnixSocket, IsTakenInTheCurrentDirectory) {
  const SocketAddress here = UnixAddress(absl::StrCat("stale-", getpid()));
  LeaveStale(here);
  EXPECT_TRUE(Start(here).ok());
  unlink(absl::StrCat("stale-", getpid()).c_str());
}

// The longest path there is, with no room for a suffix.
TEST_F(StaleUnixSocket, IsTakenAtTheLongestPath) {
  std::string path = directory_.PathOf("");
  path.append(107 - path.size(), 'x');
  const SocketAddress address = UnixAddress(path);
  LeaveStale(address);
  EXPECT_TRUE(Start(address).ok());
}

TEST_F(StaleUnixSocket, StaysWhileOthersKeepItsDirectoryLocked) {
  LeaveStale(address_);
  UniqueFd directory(
      open(directory_.PathOf("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(directory.get(), LOCK_EX), 0);
  const absl::Status status = Start(address_).status();
  EXPECT_EQ(ErrnoOf(status), EADDRINUSE) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), address_.ToString()))
      << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "locked")) << status;
  struct stat st;
  EXPECT_EQ(lstat(path_.c_str(), &st), 0);
  directory.Reset();
  EXPECT_TRUE(Start(address_).ok());
}

// A path that is not stale needs no lock.
TEST_F(StaleUnixSocket, IsTheOnlyReasonToLockTheDirectory) {
  UniqueFd directory(
      open(directory_.PathOf("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(directory.get(), LOCK_EX), 0);
  SocketFd fd = ValueOf(Start(address_));
  EXPECT_TRUE(Serves(address_, fd.get()));
  EXPECT_FALSE(absl::StrContains(Start(address_).status().message(), "locked"));
}

TEST_F(StaleUnixSocket, StaysInADirectoryThatMayNotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  LeaveStale(address_);
  ASSERT_EQ(chmod(directory_.PathOf("").c_str(), 0300), 0);
  EXPECT_EQ(ErrnoOf(Start(address_).status()), EADDRINUSE);
  ASSERT_EQ(chmod(directory_.PathOf("").c_str(), 0700), 0);
}

}  // namespace
}  // namespace ringway::net
