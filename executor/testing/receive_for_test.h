// SPDX-License-Identifier: Apache-2.0
//
// For tests: the smallest awaitable over an Operation, and a pair of sockets.

#ifndef RINGWAY_EXECUTOR_TESTING_RECEIVE_FOR_TEST_H_
#define RINGWAY_EXECUTOR_TESTING_RECEIVE_FOR_TEST_H_

#include <sys/socket.h>
#include <unistd.h>

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/operation_await.h"

namespace ringway {

class [[nodiscard]] ReceiveOp : public OperationAwait {
 public:
  ReceiveOp(int socket, std::span<char> buffer) {
    PrepareRecv(*this, socket, std::as_writable_bytes(buffer));
  }
  absl::StatusOr<std::string> await_resume() const {
    if (result < 0) return ErrnoToStatus(-result, "recv");
    return std::string(static_cast<const char*>(address), result);
  }
};

// Two connected stream sockets.
struct SocketPair {
  SocketPair() {
    int fds[2];
    RINGWAY_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0,
                  "socketpair");
    near_end = UniqueFd(fds[0]);
    far_end = UniqueFd(fds[1]);
  }
  void SendFromFarEnd(std::string_view bytes) {
    const ssize_t n =
        send(far_end.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    RINGWAY_CHECK(n == static_cast<ssize_t>(bytes.size()), "send");
  }

  UniqueFd near_end;
  UniqueFd far_end;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TESTING_RECEIVE_FOR_TEST_H_
