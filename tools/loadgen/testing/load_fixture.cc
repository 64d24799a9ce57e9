// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/testing/load_fixture.h"

#include <cstddef>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/task/executor.h"

namespace ringway::loadgen::testing {

using net::testing::ValueOf;

void LoadTest::Serve(std::string_view address, Handler handler) {
  handler_ = std::move(handler);
  net::TcpListener listener = ListenOn(address);
  address_ = ValueOf(listener.LocalAddress());
  executor().Spawn(AcceptAll(std::move(listener))).Detach();
}

net::SocketAddress LoadTest::NoServer() {
  return ValueOf(ListenOn("127.0.0.1:0").LocalAddress());
}

Task<absl::Status> LoadTest::Echo(net::TcpStream stream,
                                  const BeforeEcho* before_echo) {
  while (true) {
    absl::StatusOr<net::ReceivedBuffer> received = co_await stream.Receive();
    if (!received.ok() || received->empty()) co_return received.status();
    if (*before_echo) {
      absl::Status status = co_await (*before_echo)(received->bytes().size());
      if (!status.ok()) co_return status;
    }
    absl::Status sent = co_await stream.Write(received->bytes());
    if (!sent.ok()) co_return sent;
  }
}

void LoadTest::ServeEcho(std::string_view address, BeforeEcho before_echo) {
  before_echo_ = std::move(before_echo);
  Serve(address, [this](net::TcpStream stream) {
    return Echo(std::move(stream), &before_echo_);
  });
}

Task<void> LoadTest::AcceptAll(net::TcpListener listener) {
  while (true) {
    absl::StatusOr<net::TcpStream> stream = co_await listener.Accept();
    if (!stream.ok()) co_return;
    ++accepted_;
    Spawn(handler_(*std::move(stream))).Detach();
  }
}

void LoadTest::ServeDatagrams(DatagramHandler handler) {
  datagram_handler_ = std::move(handler);
  datagrams_.emplace(ValueOf(net::UdpSocket::Bind(
      loop(), ValueOf(net::SocketAddress::Parse("127.0.0.1:0")))));
  address_ = ValueOf(datagrams_->LocalAddress());
  executor().Spawn(AnswerAll()).Detach();
}

Task<void> LoadTest::AnswerAll() {
  while (true) {
    absl::StatusOr<net::LentDatagram> got = co_await datagrams_->ReceiveLent();
    if (!got.ok()) co_return;
    const std::span<const std::byte> bytes = got->bytes.bytes();
    for (DatagramReply& reply : datagram_handler_(std::string(
             reinterpret_cast<const char*>(bytes.data()), bytes.size()))) {
      Spawn(SendLater(std::move(reply), got->sender)).Detach();
    }
  }
}

Task<void> LoadTest::SendLater(DatagramReply reply,
                               net::SocketAddress receiver) {
  if (reply.delay > absl::ZeroDuration())
    static_cast<void>(co_await Sleep(reply.delay));
  static_cast<void>(co_await datagrams_->SendTo(
      std::as_bytes(std::span(reply.bytes)), receiver));
}

}  // namespace ringway::loadgen::testing
