// SPDX-License-Identifier: Apache-2.0
//
// The sockets that ServiceManager takes, in forked processes, whose fds have
// the numbers that a manager gives them.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"
#include "ringway/core/unique_fd.h"
#include "ringway/runtime/host/service_manager.h"
#include "ringway/runtime/host/testing/child.h"

namespace ringway {
namespace {

using testing::ResultOfChild;

// What a manager passes, from fd 3 on.
enum class Passed { kListener, kStream, kDatagram, kFile, kClosed };

UniqueFd MakePassed(Passed what) {
  switch (what) {
    case Passed::kListener:
      return testing::Listen(/*backlog=*/8);
    case Passed::kStream:
      return testing::MakeSocketPair().first;
    case Passed::kDatagram:
      return UniqueFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    case Passed::kFile:
      return testing::MakeFile("not a socket");
    case Passed::kClosed:
      return UniqueFd();
  }
  return UniqueFd();
}

// Puts them there, open in programs that are started, as a manager does.
void Pass(const std::vector<Passed>& all) {
  std::vector<UniqueFd> aside;
  for (const Passed what : all) {
    const UniqueFd made = MakePassed(what);
    aside.emplace_back(fcntl(made.get(), F_DUPFD_CLOEXEC, 100));
  }
  int number = 3;
  for (const UniqueFd& fd : aside) {
    if (fd.valid()) {
      RINGWAY_CHECK(dup2(fd.get(), number) == number, "errno %d", errno);
    }
    ++number;
  }
}

void SetVariables(const std::string& fds, const std::string& names,
                  const std::string& pid = absl::StrCat(getpid())) {
  setenv("LISTEN_PID", pid.c_str(), 1);
  setenv("LISTEN_FDS", fds.c_str(), 1);
  setenv("LISTEN_FDNAMES", names.c_str(), 1);
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

// "NAME TYPE[ listening][ cloexec]" of each.
std::string Describe(const std::vector<InheritedSocket>& sockets) {
  std::string text;
  for (const InheritedSocket& socket : sockets) {
    absl::StrAppend(
        &text, text.empty() ? "" : ", ", socket.name,
        socket.type == SOCK_STREAM ? " stream" : " datagram",
        socket.listening ? " listening" : "",
        (fcntl(socket.fd.get(), F_GETFD) & FD_CLOEXEC) != 0 ? " cloexec" : "");
  }
  return text;
}

// In a child with `passed`: what `fn` makes of the manager.
std::string WithPassed(const std::vector<Passed>& passed,
                       const std::string& names,
                       const std::function<std::string(ServiceManager&)>& fn) {
  return ResultOfChild([&] {
    Pass(passed);
    SetVariables(absl::StrCat(passed.size()), names);
    absl::StatusOr<ServiceManager> manager = ServiceManager::FromEnvironment();
    return manager.ok() ? fn(*manager) : manager.status().ToString();
  });
}

std::string DescribeAll(const ServiceManager& manager) {
  return Describe(manager.inherited());
}

TEST(InheritedSockets, AreTakenInTheirOrder) {
  EXPECT_EQ(WithPassed({Passed::kListener, Passed::kDatagram, Passed::kStream},
                       "web:log:client", &DescribeAll),
            "web stream listening cloexec, log datagram cloexec, client stream "
            "cloexec");
}

TEST(InheritedSockets, AreNeverStandardOnesAndLeaveTheNumbersTheyCameBy) {
  EXPECT_EQ(WithPassed({Passed::kListener, Passed::kListener}, "a:b",
                       [](ServiceManager& manager) {
                         std::string text;
                         for (const InheritedSocket& s : manager.inherited())
                           absl::StrAppend(&text,
                                           s.fd.get() > 4 ? "above " : "");
                         return absl::StrCat(text, IsOpen(3), IsOpen(4));
                       }),
            "above above 00");
}

TEST(InheritedSockets, AcceptConnectionsThatWereQueuedBefore) {
  EXPECT_EQ(
      ResultOfChild([] {
        Pass({Passed::kListener});
        const UniqueFd client = testing::ConnectTo(testing::AddressOf(3));
        SetVariables("1", "web");
        ServiceManager manager = *ServiceManager::FromEnvironment();
        const std::vector<InheritedSocket> web = *manager.Take("web");
        const UniqueFd accepted(accept(web[0].fd.get(), nullptr, nullptr));
        return std::string(accepted.valid() ? "accepted" : "refused");
      }),
      "accepted");
}

TEST(InheritedSockets, WithoutNamesAreUnknown) {
  EXPECT_EQ(ResultOfChild([] {
              Pass({Passed::kListener});
              SetVariables("1", "");
              unsetenv("LISTEN_FDNAMES");
              return Describe(ServiceManager::FromEnvironment()->inherited());
            }),
            "unknown stream listening cloexec");
}

TEST(InheritedSockets, AreMovedOutByName) {
  EXPECT_EQ(WithPassed(
                {Passed::kListener, Passed::kDatagram, Passed::kListener},
                "web:log:web",
                [](ServiceManager& manager) {
                  const std::vector<InheritedSocket> web = *manager.Take("web");
                  return absl::StrCat(Describe(web), "; ",
                                      Describe(manager.inherited()));
                }),
            "web stream listening cloexec, web stream listening cloexec; log "
            "datagram cloexec");
}

// A unit that listens on TCP and UDP has one name for both.
TEST(InheritedSockets, OfOneNameAreMovedOutByType) {
  EXPECT_EQ(WithPassed({Passed::kListener, Passed::kDatagram}, "dns:dns",
                       [](ServiceManager& manager) {
                         const auto taken = manager.Take("dns", SOCK_DGRAM);
                         return absl::StrCat(
                             Describe(*taken), "; ",
                             manager.Take("dns", SOCK_DGRAM).status().message(),
                             "; ", Describe(*manager.Take("dns", SOCK_STREAM)));
                       }),
            "dns datagram cloexec; no datagram socket \"dns\" was inherited "
            "from the service manager: there are stream \"dns\"; dns stream "
            "listening cloexec");
}

TEST(InheritedSockets, OfAnotherNameAreNotFound) {
  const auto take = [](ServiceManager& manager) {
    return manager.Take("http").status().ToString();
  };
  EXPECT_EQ(WithPassed({Passed::kListener, Passed::kListener}, "web:log", take),
            "NOT_FOUND: no socket \"http\" was inherited from the service "
            "manager: there are \"web\", \"log\"");
  EXPECT_EQ(WithPassed({Passed::kListener}, "http",
                       [&](ServiceManager& manager) {
                         manager.Take("http").IgnoreError();
                         return take(manager);
                       }),
            "NOT_FOUND: no socket \"http\" was inherited from the service "
            "manager: all have been taken");
}

TEST(InheritedSockets, AreMissingForAReason) {
  const auto take = [] {
    return std::string(
        ServiceManager::FromEnvironment()->Take("http").status().message());
  };
  const std::string start =
      "no socket \"http\" was inherited from the service manager: ";
  EXPECT_EQ(ResultOfChild([&] {
              unsetenv("LISTEN_FDS");
              return take();
            }),
            start + "LISTEN_FDS is not set");
  EXPECT_EQ(ResultOfChild([&] {
              SetVariables("1", "http");
              unsetenv("LISTEN_PID");
              return take();
            }),
            start + "LISTEN_PID is not set");
  EXPECT_EQ(ServiceManager().Take("http").status().message(),
            start + "the environment was not read");
}

// As where a script starts the server as its child.
TEST(InheritedSockets, OfAnotherProcessAreLeftAlone) {
  EXPECT_EQ(ResultOfChild([] {
              Pass({Passed::kListener});
              SetVariables("1", "web", "1");
              ServiceManager manager = *ServiceManager::FromEnvironment();
              std::string why(manager.Take("web").status().message());
              why.resize(why.find(" and this process"));
              return absl::StrCat(why, "; ", manager.inherited().size(),
                                  IsOpen(3), getenv("LISTEN_FDS"));
            }),
            "no socket \"web\" was inherited from the service manager: "
            "LISTEN_PID is 1; 011");
}

TEST(InheritedSockets, MustBeSockets) {
  EXPECT_EQ(
      WithPassed({Passed::kListener, Passed::kFile}, "web:log", &DescribeAll),
      "INVALID_ARGUMENT: fd 4 (\"log\"), passed by LISTEN_FDS=2, is not "
      "a socket");
  EXPECT_EQ(WithPassed({Passed::kClosed}, "web", &DescribeAll),
            "INVALID_ARGUMENT: fd 3 (\"web\"), passed by LISTEN_FDS=1, is not "
            "open");
}

TEST(InheritedSockets, MustHaveAsManyNames) {
  for (const std::string names : {"", "a", "a:b:c"}) {
    EXPECT_EQ(
        WithPassed({Passed::kListener, Passed::kListener}, names, &DescribeAll),
        absl::StrCat("INVALID_ARGUMENT: LISTEN_FDNAMES is \"", names,
                     "\", must be 2 names (LISTEN_FDS), with colons between "
                     "them"));
  }
  EXPECT_EQ(
      WithPassed({Passed::kListener, Passed::kDatagram}, "a:", &DescribeAll),
      "a stream listening cloexec,  datagram cloexec");
}

// All that was passed, and the variables, for a second attempt.
TEST(InheritedSockets, StayAsTheyAreAfterAnError) {
  EXPECT_EQ(ResultOfChild([] {
              Pass({Passed::kListener, Passed::kFile});
              SetVariables("2", "web:log");
              const size_t n_open = testing::CountOpenFds();
              const bool ok = ServiceManager::FromEnvironment().ok();
              return absl::StrCat(ok, n_open == testing::CountOpenFds(),
                                  IsOpen(3), IsOpen(4), getenv("LISTEN_FDS"));
            }),
            "01112");
}

// Each has one owner.
TEST(InheritedSockets, AreNotTakenTwice) {
  EXPECT_EQ(WithPassed({Passed::kListener}, "web",
                       [](ServiceManager& first) {
                         ServiceManager second =
                             *ServiceManager::FromEnvironment();
                         return absl::StrCat(first.inherited().size(),
                                             second.inherited().size());
                       }),
            "10");
}

TEST(InheritedSockets, AreClosedWithTheManager) {
  EXPECT_EQ(ResultOfChild([] {
              Pass({Passed::kListener});
              SetVariables("1", "web");
              const size_t n_open = testing::CountOpenFds();
              ServiceManager::FromEnvironment().IgnoreError();
              return absl::StrCat(n_open - testing::CountOpenFds());
            }),
            "1");
}

}  // namespace
}  // namespace ringway
