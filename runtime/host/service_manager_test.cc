// SPDX-License-Identifier: Apache-2.0
//
// Notices and the watchdog; inherited_sockets_test.cc has the sockets.

#include "ringway/runtime/host/service_manager.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/testing/kernel_peer.h"

namespace ringway {
namespace {

constexpr const char* kManagerVariables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC",
                                             "WATCHDOG_PID",  "LISTEN_FDS",
                                             "LISTEN_PID",    "LISTEN_FDNAMES"};

// A manager's socket for notices.
class NoticeSocket {
 public:
  // `name`: a path, or @ and a name.
  explicit NoticeSocket(const std::string& name)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const auto address = net::SocketAddress::Unix(name).value();
    EXPECT_EQ(bind(fd_.get(), address.data(), address.size()), 0);
  }

  // The next notice; "none" if there is none.
  std::string Next() {
    std::array<char, 8192> buffer;
    const ssize_t n =
        recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return n < 0 ? "none" : std::string(buffer.data(), static_cast<size_t>(n));
  }

 private:
  UniqueFd fd_;
};

class ServiceManagerTest : public ::testing::Test {
 protected:
  ServiceManagerTest() { Clear(); }
  ~ServiceManagerTest() override { Clear(); }

  static void Clear() {
    for (const char* name : kManagerVariables) unsetenv(name);
  }
  static void Set(const char* name, const std::string& value) {
    setenv(name, value.c_str(), /*overwrite=*/1);
  }
  static std::string Get(const char* name) {
    const char* value = getenv(name);
    return value == nullptr ? "none" : value;
  }
  // Of a manager that is told to send notices to `name`.
  static ServiceManager Notifying(const std::string& name) {
    Set("NOTIFY_SOCKET", name);
    return *ServiceManager::FromEnvironment();
  }
  std::string Path() const { return folder_.PathOf("notify"); }

  const net::testing::ShortDirectory folder_;
};

TEST_F(ServiceManagerTest, WithoutOneNothingHappens) {
  const ServiceManager unread;
  const absl::StatusOr<ServiceManager> manager =
      ServiceManager::FromEnvironment();
  ASSERT_TRUE(manager.ok()) << manager.status();
  for (const ServiceManager* none : {&unread, &*manager}) {
    EXPECT_FALSE(none->wants_notices());
    EXPECT_TRUE(none->inherited().empty());
    EXPECT_EQ(none->watchdog_interval(), absl::InfiniteDuration());
    EXPECT_TRUE(none->Notify("READY=1").ok());
    EXPECT_TRUE(none->Ready().ok());
    EXPECT_TRUE(none->Watchdog().ok());
  }
}

TEST_F(ServiceManagerTest, SendsNoticesToAPath) {
  NoticeSocket notices(Path());
  const ServiceManager manager = Notifying(Path());
  EXPECT_TRUE(manager.wants_notices());
  EXPECT_EQ(notices.Next(), "none");
  ASSERT_TRUE(manager.Notify("READY=1\nSTATUS=up\nMAINPID=7").ok());
  EXPECT_EQ(notices.Next(), "READY=1\nSTATUS=up\nMAINPID=7");
  EXPECT_EQ(notices.Next(), "none");
}

TEST_F(ServiceManagerTest, SendsNoticesToAnAbstractName) {
  const std::string name = absl::StrCat("@ringway-notify-", getpid());
  NoticeSocket notices(name);
  ASSERT_TRUE(Notifying(name).Ready().ok());
  EXPECT_EQ(notices.Next(), "READY=1");
}

TEST_F(ServiceManagerTest, HasNoticesWithAndWithoutAText) {
  NoticeSocket notices(Path());
  const ServiceManager manager = Notifying(Path());
  EXPECT_TRUE(manager.Ready().ok());
  EXPECT_EQ(notices.Next(), "READY=1");
  EXPECT_TRUE(manager.Ready("serving").ok());
  EXPECT_EQ(notices.Next(), "READY=1\nSTATUS=serving");
  EXPECT_TRUE(manager.Stopping().ok());
  EXPECT_EQ(notices.Next(), "STOPPING=1");
  EXPECT_TRUE(manager.Stopping("3 connections").ok());
  EXPECT_EQ(notices.Next(), "STOPPING=1\nSTATUS=3 connections");
  EXPECT_TRUE(manager.Status("busy").ok());
  EXPECT_EQ(notices.Next(), "STATUS=busy");
  EXPECT_TRUE(manager.Status("").ok());
  EXPECT_EQ(notices.Next(), "STATUS=");
  EXPECT_TRUE(manager.Watchdog().ok());
  EXPECT_EQ(notices.Next(), "WATCHDOG=1");
}

// A status may hold text of a client's.
TEST_F(ServiceManagerTest, ATextCannotBecomeAnAssignment) {
  using std::string_literals::operator""s;
  NoticeSocket notices(Path());
  const ServiceManager manager = Notifying(Path());
  EXPECT_TRUE(manager.Status("a\nSTOPPING=1\r\nb\0c"s).ok());
  EXPECT_EQ(notices.Next(), "STATUS=a STOPPING=1  b c");
}

TEST_F(ServiceManagerTest, RefusesNoticesThatNoManagerAccepts) {
  NoticeSocket notices(Path());
  const ServiceManager manager = Notifying(Path());
  const std::string longest(ServiceManager::kMostNoticeBytes, 'x');
  EXPECT_TRUE(manager.Notify(longest).ok());
  EXPECT_EQ(notices.Next(), longest);
  for (const std::string& wrong :
       {std::string(), longest + "x", std::string("READY=1\0", 8)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(manager.Notify(wrong)));
    EXPECT_EQ(notices.Next(), "none");
  }
}

TEST_F(ServiceManagerTest, ReturnsTheErrorOfAManagerThatIsGone) {
  const ServiceManager early = Notifying(Path());
  EXPECT_EQ(ErrnoOf(early.Ready()), ENOENT);
  { NoticeSocket notices(Path()); }
  const absl::Status refused = early.Ready();
  EXPECT_EQ(ErrnoOf(refused), ECONNREFUSED);
  EXPECT_TRUE(absl::StrContains(refused.message(), Path())) << refused;
}

TEST_F(ServiceManagerTest, DoesNotWaitForAManagerThatDoesNotRead) {
  NoticeSocket notices(Path());
  const ServiceManager manager = Notifying(Path());
  absl::Status status;
  int n_sent = 0;
  // Far more than the queue of a Unix socket or its buffer hold.
  for (; n_sent < 100'000 && status.ok(); ++n_sent) status = manager.Watchdog();
  EXPECT_EQ(ErrnoOf(status), EAGAIN) << status;
  EXPECT_EQ(notices.Next(), "WATCHDOG=1");
  EXPECT_TRUE(manager.Watchdog().ok());
}

TEST_F(ServiceManagerTest, NotifiesAtTheLimitOfFds) {
  NoticeSocket notices(Path());
  const ServiceManager manager = Notifying(Path());
  std::vector<UniqueFd> all;
  while (all.empty() || all.back().valid()) all.emplace_back(dup(0));
  ASSERT_EQ(errno, EMFILE);
  EXPECT_TRUE(manager.Stopping().ok());
  all.clear();
  EXPECT_EQ(notices.Next(), "STOPPING=1");
}

TEST_F(ServiceManagerTest, NotifiesFromEveryThread) {
  constexpr int kThreads = 4;
  constexpr int kEach = 100;
  NoticeSocket notices(Path());
  const ServiceManager manager = Notifying(Path());
  const auto notify = [&manager] {
    for (int i = 0; i < kEach; ++i) {
      // The queue of the manager may be full until the main thread reads.
      while (!manager.Status("busy").ok()) std::this_thread::yield();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(notify);
  int n_received = 0;
  while (n_received < kThreads * kEach) {
    const std::string notice = notices.Next();
    if (notice == "none") continue;
    EXPECT_EQ(notice, "STATUS=busy");
    ++n_received;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(notices.Next(), "none");
}

TEST_F(ServiceManagerTest, NoticesOfAMovedManagerGoOn) {
  NoticeSocket notices(Path());
  ServiceManager first = Notifying(Path());
  const ServiceManager second = std::move(first);
  EXPECT_TRUE(second.Ready().ok());
  EXPECT_EQ(notices.Next(), "READY=1");
}

TEST_F(ServiceManagerTest, IsWatchedHalfOfTheGivenTime) {
  Set("WATCHDOG_USEC", "30000000");
  EXPECT_EQ(ServiceManager::FromEnvironment()->watchdog_interval(),
            absl::Seconds(15));
  Set("WATCHDOG_PID", absl::StrCat(getpid()));
  EXPECT_EQ(ServiceManager::FromEnvironment()->watchdog_interval(),
            absl::Seconds(15));
  Set("WATCHDOG_USEC", "1");
  EXPECT_EQ(ServiceManager::FromEnvironment()->watchdog_interval(),
            absl::Nanoseconds(500));
}

TEST_F(ServiceManagerTest, IsNotWatchedForAnotherProcess) {
  Set("WATCHDOG_USEC", "30000000");
  Set("WATCHDOG_PID", absl::StrCat(getppid()));
  EXPECT_EQ(ServiceManager::FromEnvironment()->watchdog_interval(),
            absl::InfiniteDuration());
  Set("WATCHDOG_PID", absl::StrCat(getpid()));
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(ServiceManager::FromEnvironment()->watchdog_interval(),
            absl::InfiniteDuration());
}

TEST_F(ServiceManagerTest, NamesAMalformedVariableAndItsValue) {
  const std::vector<std::string> not_numbers = {
      "",   "0",  "-1", "+1",  " 1",
      "1 ", "1x", "x",  "1.5", "99999999999999999999"};
  const std::vector<std::string> not_addresses = {"",
                                                  "@",
                                                  "relative",
                                                  "./relative",
                                                  "vsock:2:1",
                                                  "/" + std::string(107, 'x'),
                                                  "@" + std::string(107, 'x')};
  const std::pair<const char*, std::vector<std::string>> kWrong[] = {
      {"NOTIFY_SOCKET", not_addresses}, {"WATCHDOG_USEC", not_numbers},
      {"WATCHDOG_PID", not_numbers},    {"LISTEN_FDS", not_numbers},
      {"LISTEN_PID", not_numbers},
  };
  for (const auto& [name, values] : kWrong) {
    for (const std::string& value : values) {
      Clear();
      Set(name, value);
      const absl::Status status = ServiceManager::FromEnvironment().status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << "=" << value;
      EXPECT_TRUE(absl::StartsWith(
          status.message(), absl::StrCat(name, " is \"", value, "\", must be")))
          << status;
    }
  }
}

TEST_F(ServiceManagerTest, LeavesTheEnvironmentUnlessAsked) {
  for (const char* name : {"WATCHDOG_USEC", "LISTEN_FDS"}) Set(name, "1");
  // Of another process.
  for (const char* name : {"WATCHDOG_PID", "LISTEN_PID"})
    Set(name, absl::StrCat(getppid()));
  Set("LISTEN_FDNAMES", "web");
  Set("NOTIFY_SOCKET", Path());
  ASSERT_TRUE(ServiceManager::FromEnvironment().ok());
  for (const char* name : kManagerVariables) EXPECT_NE(Get(name), "none");
  ASSERT_TRUE(ServiceManager::FromEnvironment(ManagerVariables::kRemove).ok());
  for (const char* name : kManagerVariables) EXPECT_EQ(Get(name), "none");
}

TEST_F(ServiceManagerTest, LeavesTheEnvironmentAfterAnError) {
  Set("NOTIFY_SOCKET", Path());
  Set("LISTEN_FDS", "x");
  EXPECT_FALSE(ServiceManager::FromEnvironment(ManagerVariables::kRemove).ok());
  EXPECT_EQ(Get("NOTIFY_SOCKET"), Path());
  EXPECT_EQ(Get("LISTEN_FDS"), "x");
}

}  // namespace
}  // namespace ringway
