// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/scenario.h"

#include <netinet/in.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/core/errno_status.h"

namespace ringway::simulation {
namespace {

constexpr absl::Duration kMoment = absl::Seconds(1);

std::optional<BackendFault> BackendFaultOf(Bug bug) {
  switch (bug) {
    case Bug::kForgottenWrite:
      return BackendFault::kForgottenWrite;
    case Bug::kBlockingAccept:
      return BackendFault::kBlockingAccept;
    case Bug::kLostEnd:
      return BackendFault::kLostEnd;
    default:
      return std::nullopt;
  }
}

}  // namespace

Trial::Trial(const Options& options)
    : bug_(options.bug),
      faults_(options.faults),
      small_(options.small),
      simulation_(options.seed) {
  world().environment().trace.set_writer(options.trace);
  world().environment().failure = options.failure;
  if (faults_) simulation_.TurnEverythingBad();
}

SimulatedHost& Trial::AddHost(uint32_t address) {
  HostOptions options;
  options.address = address;
  if (const std::optional<BackendFault> fault = BackendFaultOf(bug_)) {
    options.decorate = [this, fault](std::unique_ptr<Backend> backend) {
      return std::make_unique<FaultyBackend>(std::move(backend), *fault,
                                             faulty_backends_);
    };
  }
  return simulation_.AddHost(std::move(options));
}

absl::Status Trial::Judge(std::string_view what, const absl::Status& status) {
  if (status.ok() || (may_fail() && !IsMistake(status)))
    return absl::OkStatus();
  return absl::InternalError(absl::StrCat(what, ": ", status.ToString()));
}

void Trial::Report(std::string_view what, const absl::Status& status) {
  const absl::Status judged = Judge(what, status);
  if (!judged.ok()) world().environment().Report(std::string(judged.message()));
}

absl::Status Trial::Finish() {
  // Regardless of its result: open fds are reported below.
  simulation_.RunFor(kMoment, [this] { return world().leaks().empty(); })
      .IgnoreError();
  return simulation_.Check();
}

bool IsMistake(int errnum) {
  switch (errnum) {
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
    case ENOTCONN:
    case EISCONN:
    case EALREADY:
    case EDESTADDRREQ:
    case EMSGSIZE:
    case EOPNOTSUPP:
    case ENOTDIR:
    case EISDIR:
    case ENOENT:
    case EEXIST:
    case ECANCELED:
      return true;
    default:
      return false;
  }
}

bool IsMistake(const absl::Status& status) {
  if (status.ok()) return false;
  // By a deadline that the program has set itself.
  if (absl::IsDeadlineExceeded(status)) return false;
  const int errnum = ErrnoOf(status);
  return errnum == 0 || IsMistake(errnum);
}

net::SocketAddress AddressOf(const SimulatedHost& host, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host.address());
  address.sin_port = htons(port);
  return net::SocketAddress::FromSockaddr(
      reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

}  // namespace ringway::simulation
