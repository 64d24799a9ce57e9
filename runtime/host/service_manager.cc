// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/service_manager.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ringway/backends/common/kernel_sockets.h"
#include "ringway/core/errno_status.h"

namespace ringway {
namespace {

constexpr int kFirstInheritedFd = 3;
constexpr uint64_t kMostInheritedFds = 1u << 16;
constexpr uint64_t kMostProcessId = std::numeric_limits<pid_t>::max();
constexpr uint64_t kMostWatchdogUsec = std::numeric_limits<int64_t>::max();

std::optional<std::string> Variable(const char* name) {
  const char* value = secure_getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

absl::Status BadVariable(std::string_view name, std::string_view value,
                         std::string_view must) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is \"", value, "\", must be ", must));
}

// The number in a variable; nullopt if there is no such variable.
absl::StatusOr<std::optional<uint64_t>> NumberOf(const char* name,
                                                 uint64_t most) {
  const std::optional<std::string> value = Variable(name);
  if (!value.has_value()) return std::optional<uint64_t>();
  uint64_t number = 0;
  const char* const end = value->data() + value->size();
  const auto [rest, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc() || rest != end || number < 1 || number > most)
    return BadVariable(name, *value, absl::StrCat("a number, 1 to ", most));
  return std::optional<uint64_t>(number);
}

// A variable with a process id, as that of this process or of another one.
struct Addressee {
  std::optional<uint64_t> pid;
  bool IsOther() const {
    return pid.has_value() && *pid != static_cast<uint64_t>(getpid());
  }
};

absl::StatusOr<Addressee> AddresseeIn(const char* name) {
  absl::StatusOr<std::optional<uint64_t>> pid = NumberOf(name, kMostProcessId);
  if (!pid.ok()) return pid.status();
  return Addressee{*pid};
}

// The value of an integer option of a socket, or -errno.
int IntOption(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof(value);
  const int rc =
      BlockingSockets().GetOption(fd, SOL_SOCKET, option, &value, length);
  return rc < 0 ? rc : value;
}

// "stream ", "datagram ", ...; empty for any type.
std::string_view TypeName(int type) {
  switch (type) {
    case SOCK_STREAM:
      return "stream ";
    case SOCK_DGRAM:
      return "datagram ";
    case SOCK_SEQPACKET:
      return "packet ";
    default:
      return "";
  }
}

// `text` as a status, in one line, so that nothing in it is taken for a further
// assignment.
std::string StatusLine(std::string_view text) {
  std::string line = absl::StrCat("STATUS=", text);
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
  return line;
}

std::string WithStatusLine(std::string_view assignment, std::string_view text) {
  return text.empty() ? std::string(assignment)
                      : absl::StrCat(assignment, "\n", StatusLine(text));
}

}  // namespace

absl::StatusOr<ServiceManager> ServiceManager::FromEnvironment(
    ManagerVariables variables) {
  ServiceManager manager;
  if (absl::Status s = manager.ReadNotifySocket(); !s.ok()) return s;
  if (absl::Status s = manager.ReadWatchdog(); !s.ok()) return s;
  if (absl::Status s = manager.ReadInherited(); !s.ok()) return s;
  // Nothing fails from here on.
  const bool remove = variables == ManagerVariables::kRemove;
  const size_t n = manager.inherited_.size();
  for (size_t i = 0; i < n; ++i)
    UniqueFd(kFirstInheritedFd + static_cast<int>(i)).Reset();
  if (remove || n > 0) {
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
      unsetenv(name);
  }
  if (remove) {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})
      unsetenv(name);
  }
  return manager;
}

absl::Status ServiceManager::ReadNotifySocket() {
  constexpr char kName[] = "NOTIFY_SOCKET";
  const std::optional<std::string> path = Variable(kName);
  if (!path.has_value()) return absl::OkStatus();
  const bool absolute = path->starts_with('/') || path->starts_with('@');
  absl::StatusOr<net::SocketAddress> address = net::SocketAddress::Unix(*path);
  if (!absolute || !address.ok()) {
    return BadVariable(kName, *path,
                       "the absolute path of a Unix socket, or @ and its name, "
                       "of 107 bytes at most");
  }
  SocketCalls& sockets = NonBlockingSockets();
  SocketFd fd(sockets, sockets.Socket(AF_UNIX, SOCK_DGRAM));
  if (!fd.valid()) {
    return ErrnoToStatus(-fd.get(),
                         absl::StrCat("make a socket for notices to ", kName));
  }
  address_ = *address;
  socket_ = std::move(fd);
  return absl::OkStatus();
}

absl::Status ServiceManager::ReadWatchdog() {
  absl::StatusOr<std::optional<uint64_t>> usec =
      NumberOf("WATCHDOG_USEC", kMostWatchdogUsec);
  if (!usec.ok()) return usec.status();
  absl::StatusOr<Addressee> addressee = AddresseeIn("WATCHDOG_PID");
  if (!addressee.ok()) return addressee.status();
  if (!usec->has_value() || addressee->IsOther()) return absl::OkStatus();
  watchdog_interval_ = absl::Microseconds(static_cast<int64_t>(**usec)) / 2;
  return absl::OkStatus();
}

absl::Status ServiceManager::ReadInherited() {
  absl::StatusOr<std::optional<uint64_t>> n_fds =
      NumberOf("LISTEN_FDS", kMostInheritedFds);
  if (!n_fds.ok()) return n_fds.status();
  absl::StatusOr<Addressee> addressee = AddresseeIn("LISTEN_PID");
  if (!addressee.ok()) return addressee.status();
  if (!n_fds->has_value() || !addressee->pid.has_value()) {
    why_none_inherited_ = absl::StrCat(
        n_fds->has_value() ? "LISTEN_PID" : "LISTEN_FDS", " is not set");
    return absl::OkStatus();
  }
  if (addressee->IsOther()) {
    why_none_inherited_ =
        absl::StrCat("LISTEN_PID is ", *addressee->pid, " and this process is ",
                     getpid(), ": a script that starts it must do so by exec");
    return absl::OkStatus();
  }
  std::vector<std::string> names(**n_fds, "unknown");
  constexpr char kNames[] = "LISTEN_FDNAMES";
  if (const std::optional<std::string> value = Variable(kNames)) {
    names = absl::StrSplit(*value, ':');
    if (names.size() != **n_fds) {
      return BadVariable(kNames, *value,
                         absl::StrCat(**n_fds,
                                      " names (LISTEN_FDS), with "
                                      "colons between them"));
    }
  }
  return DuplicateInherited(names);
}

absl::Status ServiceManager::DuplicateInherited(
    const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const int passed = kFirstInheritedFd + static_cast<int>(inherited_.size());
    const std::string what =
        absl::StrCat("fd ", passed, " (\"", name,
                     "\"), passed by LISTEN_FDS=", names.size());
    InheritedSocket socket;
    socket.name = name;
    socket.type = IntOption(passed, SO_TYPE);
    if (socket.type < 0)
      return absl::InvalidArgumentError(absl::StrCat(
          what, socket.type == -EBADF ? ", is not open" : ", is not a socket"));
    socket.listening = IntOption(passed, SO_ACCEPTCONN) > 0;
    const int fd = BlockingSockets().Duplicate(passed);
    if (fd < 0) return ErrnoToStatus(-fd, absl::StrCat("duplicate ", what));
    socket.fd.Reset(fd);
    inherited_.push_back(std::move(socket));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<InheritedSocket>> ServiceManager::Take(
    std::string_view name, int type) {
  std::vector<InheritedSocket> taken;
  std::vector<InheritedSocket> others;
  std::string names;
  for (InheritedSocket& socket : inherited_) {
    absl::StrAppend(&names, names.empty() ? "there are " : ", ",
                    type == 0 ? "" : TypeName(socket.type), "\"", socket.name,
                    "\"");
    const bool found =
        socket.name == name && (type == 0 || socket.type == type);
    (found ? taken : others).push_back(std::move(socket));
  }
  inherited_ = std::move(others);
  if (taken.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no ", TypeName(type), "socket \"", name,
                     "\" was inherited from the service manager: ",
                     names.empty() ? why_none_inherited_ : names));
  }
  if (inherited_.empty()) why_none_inherited_ = "all have been taken";
  return taken;
}

absl::Status ServiceManager::Notify(std::string_view lines) const {
  if (!wants_notices()) return absl::OkStatus();
  if (lines.empty() || lines.size() > kMostNoticeBytes ||
      lines.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a notice to the service manager of ", lines.size(),
        " bytes, must be 1 to ", kMostNoticeBytes, " without a NUL"));
  }
  iovec part = {const_cast<char*>(lines.data()), lines.size()};
  mmsghdr message = {};
  message.msg_hdr.msg_name = const_cast<sockaddr*>(address_.data());
  message.msg_hdr.msg_namelen = address_.size();
  message.msg_hdr.msg_iov = &part;
  message.msg_hdr.msg_iovlen = 1;
  const int sent = socket_.calls().SendMessages(socket_.get(), &message, 1);
  if (sent >= 0) return absl::OkStatus();
  return ErrnoToStatus(-sent, absl::StrCat("notify the service manager at ",
                                           address_.ToString()));
}

absl::Status ServiceManager::Ready(std::string_view text) const {
  return Notify(WithStatusLine("READY=1", text));
}

absl::Status ServiceManager::Stopping(std::string_view text) const {
  return Notify(WithStatusLine("STOPPING=1", text));
}

absl::Status ServiceManager::Status(std::string_view text) const {
  return Notify(StatusLine(text));
}

absl::Status ServiceManager::Watchdog() const { return Notify("WATCHDOG=1"); }

}  // namespace ringway
