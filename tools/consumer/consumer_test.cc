// SPDX-License-Identifier: Apache-2.0
//
// A user's program: a server of a few lines, and Ringway's dependencies, with
// no Bazel option except the language version.

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "gtest/gtest.h"
#include "liburing.h"
#include "net/tcp.h"
#include "ringway/net/tcp.h"
#include "ringway/runtime/runtime.h"

namespace {

TEST(Consumer, LinksTheDependenciesRingwayBrings) {
  const absl::string_view message = "asked to stop";
  EXPECT_EQ(absl::CancelledError(message).message(), message);
  io_uring_free_probe(io_uring_get_probe());  // null where io_uring is refused
}

TEST(Consumer, HasHeadersOfItsOwnUnderTheSameNames) {
  EXPECT_EQ(UsersOwnCheck(kUsersOwnPort), 7);
}

ringway::Task<absl::Status> Echo(ringway::net::TcpStream stream) {
  std::array<std::byte, 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

TEST(Consumer, ServesAClient) {
  ringway::Runtime::Builder builder;
  builder.Listen("127.0.0.1:0", Echo);
  absl::StatusOr<std::unique_ptr<ringway::Runtime>> runtime = builder.Launch();
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  const ringway::net::SocketAddress& address = (*runtime)->addresses()[0];
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(connect(fd, address.data(), address.size()), 0);

  ASSERT_EQ(send(fd, "hello", 5, 0), 5);
  std::array<char, 5> echoed = {};
  EXPECT_EQ(recv(fd, echoed.data(), echoed.size(), MSG_WAITALL), 5);

  EXPECT_EQ(absl::string_view(echoed.data(), 5), "hello");
  close(fd);
  (*runtime)->Shutdown();
  EXPECT_TRUE((*runtime)->Wait().drained());
}

}  // namespace
