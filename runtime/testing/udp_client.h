// SPDX-License-Identifier: Apache-2.0
//
// For tests of BindUdp(): a blocking client and handlers that echo.

#ifndef RINGWAY_RUNTIME_TESTING_UDP_CLIENT_H_
#define RINGWAY_RUNTIME_TESTING_UDP_CLIENT_H_

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/runtime.h"

namespace ringway::testing {

// A blocking socket that sends to and receives from one address.
class UdpClient {
 public:
  explicit UdpClient(const net::SocketAddress& to)
      : fd_(socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const timeval patience = {.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    RINGWAY_CHECK(connect(fd_.get(), to.data(), to.size()) == 0, "errno %d",
                  errno);
  }

  // False if an earlier datagram was refused.
  bool Send(std::string_view text) {
    return send(fd_.get(), text.data(), text.size(), 0) ==
           static_cast<ssize_t>(text.size());
  }
  // The next datagram; "errno N" without one.
  std::string Receive() {
    std::string text(2048, '\0');
    ssize_t n;
    do {
      n = recv(fd_.get(), text.data(), text.size(), 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return absl::StrCat("errno ", errno);
    text.resize(static_cast<size_t>(n));
    return text;
  }
  std::string Ask(std::string_view text) {
    EXPECT_TRUE(Send(text));
    return Receive();
  }
  // Asks until there is no socket left that could answer.
  bool IsRefused() {
    for (int i = 0; i < 10'000; ++i) {
      if (!Send("x") && errno == ECONNREFUSED) return true;
      usleep(1'000);
    }
    return false;
  }

 private:
  UniqueFd fd_;
};

// One at a time. "fail" and "throw" make it do so.
inline Task<absl::Status> EchoDatagrams(net::UdpSocket& socket) {
  std::array<std::byte, 2048> buffer;
  while (true) {
    absl::StatusOr<net::Datagram> got = co_await socket.ReceiveFrom(buffer);
    if (!got.ok()) co_return got.status();
    const std::span<const std::byte> bytes =
        std::span(buffer).first(got->n_bytes);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                                bytes.size());
    if (text == "fail") co_return absl::DataLossError("no table of names");
    if (text == "throw") throw std::runtime_error("no licence");
    if (text == "end") co_return absl::OkStatus();
    (co_await socket.SendTo(bytes, got->sender)).IgnoreError();
  }
}

// All that have arrived, from where they lie.
inline Task<absl::Status> EchoBatches(net::UdpSocket& socket) {
  std::array<net::LentDatagram, 8> received;
  std::array<net::OutgoingDatagram, 8> replies;
  while (true) {
    absl::StatusOr<size_t> n = co_await socket.ReceiveBatch(received);
    if (!n.ok()) co_return n.status();
    for (size_t i = 0; i < *n; ++i) {
      replies[i].bytes = received[i].bytes.bytes();
      replies[i].receiver = received[i].sender;
    }
    absl::StatusOr<size_t> sent =
        co_await socket.SendBatch(std::span(replies).first(*n));
    if (!sent.ok()) co_return sent.status();
  }
}

inline Runtime::Builder Workers(int n) {
  Runtime::Builder builder;
  builder.Workers(n);
  return builder;
}

}  // namespace ringway::testing

#endif  // RINGWAY_RUNTIME_TESTING_UDP_CLIENT_H_
