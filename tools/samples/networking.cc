// SPDX-License-Identifier: Apache-2.0
//
// The servers of docs/networking.md, one at a time:
//
//   networking --serve=lines --listen=127.0.0.1:7878
//
// They end at SIGINT or SIGTERM.

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/net/address_prefix.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/forward.h"
#include "ringway/net/tcp.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/runtime.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/samples/server_flags.h"

namespace {

using ringway::SharedBytes;
using ringway::Task;
using ringway::WithTimeout;
using ringway::net::AddressPrefix;
using ringway::net::BufferedReader;
using ringway::net::Datagram;
using ringway::net::LentDatagram;
using ringway::net::SocketAddress;
using ringway::net::TcpStream;
using ringway::net::UdpSocket;
using ringway::net::WritePart;

std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

Task<absl::Status> ServeLines(TcpStream stream) {
  BufferedReader in(stream.reader());
  while (true) {
    auto line = co_await WithTimeout(absl::Seconds(30),
                                     in.ReadLine(/*limit_bytes=*/8192));
    if (absl::IsDeadlineExceeded(line.status()))
      co_return co_await stream.CloseGracefully(absl::Seconds(1));
    if (!line.ok()) co_return line.status();
    if (!*line) co_return absl::OkStatus();
    const std::string reply = absl::StrCat((*line)->size(), " ", **line, "\n");
    absl::Status sent = co_await stream.Write(AsBytes(reply));
    if (!sent.ok()) co_return sent;
  }
}

Task<absl::Status> ServeFrames(TcpStream stream) {
  BufferedReader in(stream.reader(), /*limit_bytes=*/1 << 20);
  while (true) {
    auto header = co_await in.Fill(4);
    if (!header.ok()) co_return header.status();
    if (header->empty()) co_return absl::OkStatus();
    if (header->size() < 4) co_return absl::DataLossError("half a header");
    size_t n_bytes = 0;
    for (std::byte b : header->first(4))
      n_bytes = n_bytes << 8 | static_cast<size_t>(b);

    auto frame = co_await in.Fill(4 + n_bytes);
    if (!frame.ok()) co_return frame.status();
    if (frame->size() < 4 + n_bytes)
      co_return absl::DataLossError("half a frame");
    absl::Status sent = co_await stream.Write(frame->first(4 + n_bytes));
    if (!sent.ok()) co_return sent;
    in.Consume(4 + n_bytes);
  }
}

Task<absl::Status> Proxy(TcpStream client, SocketAddress upstream) {
  auto server =
      co_await WithTimeout(absl::Seconds(1), ringway::net::Connect(upstream));
  if (!server.ok()) co_return server.status();
  auto bytes = co_await ringway::net::ForwardBoth(client, *server);
  co_return bytes.status();
}

Task<absl::Status> ServeHttp(TcpStream stream) {
  BufferedReader in(stream.reader());
  while (true) {
    auto head = co_await in.ReadUntil("\r\n\r\n", /*limit_bytes=*/16 * 1024);
    if (!head.ok()) co_return head.status();
    if (head->empty()) co_return absl::OkStatus();
    const bool last = !head->starts_with("GET ");  // its body is not read
    const std::string answer =
        absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n",
                     last ? "Connection: close\r\n" : "", "\r\nHello\n");
    absl::Status sent = co_await stream.Write(AsBytes(answer));
    if (!sent.ok()) co_return sent;
    if (last) co_return co_await stream.CloseGracefully(absl::Seconds(5));
  }
}

Task<absl::Status> SendPage(TcpStream& stream, SharedBytes page) {
  const std::string head = absl::StrCat(
      "HTTP/1.1 200 OK\r\nContent-Length: ", page.size(), "\r\n\r\n");
  const std::array<WritePart, 2> parts = {AsBytes(head), std::move(page)};
  co_return co_await stream.WriteGather(parts);
}

// The same page for every request, which has no body.
Task<absl::Status> ServePage(TcpStream stream, SharedBytes page) {
  BufferedReader in(stream.reader());
  while (true) {
    auto head = co_await in.ReadUntil("\r\n\r\n", /*limit_bytes=*/16 * 1024);
    if (!head.ok()) co_return head.status();
    if (head->empty()) co_return absl::OkStatus();
    absl::Status sent = co_await SendPage(stream, page);
    if (!sent.ok()) co_return sent;
  }
}

Task<absl::Status> ServeAllowed(TcpStream stream,
                                std::vector<AddressPrefix> allowed) {
  const absl::StatusOr<SocketAddress> peer = stream.PeerAddress();
  if (!peer.ok()) co_return peer.status();
  for (const AddressPrefix& prefix : allowed) {
    if (prefix.Contains(*peer))
      co_return co_await ServeLines(std::move(stream));
  }
  stream.Reset();
  co_return absl::PermissionDeniedError(peer->ToString());
}

Task<absl::Status> ServeDatagrams(SocketAddress address) {
  absl::StatusOr<UdpSocket> socket = UdpSocket::Bind(address);
  if (!socket.ok()) co_return socket.status();
  std::array<std::byte, 2048> buffer;
  while (true) {
    absl::StatusOr<Datagram> request = co_await socket->ReceiveFrom(buffer);
    if (!request.ok()) co_return request.status();
    if (request->truncated) continue;
    auto reply = std::span(buffer).first(request->n_bytes);
    absl::Status sent = co_await socket->SendTo(reply, request->sender);
    if (!sent.ok() && !absl::IsUnavailable(sent)) co_return sent;
  }
}

// The answer to a DNS query (RFC 1035, 4.1): 127.0.0.1 for every name, nothing
// for other types than A. Empty for what is no query.
std::vector<std::byte> AnswerName(std::span<const std::byte> query) {
  constexpr size_t kHeaderBytes = 12;
  const auto at = [&](size_t i) { return std::to_integer<size_t>(query[i]); };
  if (query.size() < kHeaderBytes || (at(2) & 0x80) != 0) return {};
  size_t end = kHeaderBytes;  // of the first question
  while (end < query.size() && at(end) != 0) end += 1 + at(end);
  end += 5;  // the empty label, type and class
  if (end > query.size()) return {};
  const bool is_a = at(end - 4) == 0 && at(end - 3) == 1;

  std::vector<std::byte> answer(query.begin(), query.begin() + end);
  const auto set = [&](size_t i, size_t value) {
    answer[i] = static_cast<std::byte>(value);
  };
  set(2, 0x84 | (at(2) & 0x01));  // a response, with authority
  set(3, 0);                      // no error
  set(4, 0), set(5, 1);           // a question
  set(6, 0), set(7, is_a ? 1 : 0);
  for (size_t i = 8; i < kHeaderBytes; ++i) set(i, 0);
  constexpr std::string_view kAddress(
      "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", 16);
  if (is_a) {
    const std::span<const std::byte> address = AsBytes(kAddress);
    answer.insert(answer.end(), address.begin(), address.end());
  }
  return answer;
}

Task<absl::Status> ServeNames(SocketAddress address) {
  absl::StatusOr<UdpSocket> socket = UdpSocket::Bind(address);
  if (!socket.ok()) co_return socket.status();
  while (true) {
    absl::StatusOr<LentDatagram> query = co_await socket->ReceiveLent();
    if (!query.ok()) co_return query.status();
    const std::vector<std::byte> answer = AnswerName(query->bytes.bytes());
    if (answer.empty()) continue;
    absl::Status sent = co_await socket->SendTo(answer, query->sender);
    if (!sent.ok() && !absl::IsUnavailable(sent)) co_return sent;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string serve = "lines";
  std::string listen = "127.0.0.1:7878";
  std::string upstream = "127.0.0.1:7879";
  std::string allow = "127.0.0.0/8,::1";
  ringway::CommandLine flags("networking", "the servers of docs/networking.md");
  flags.Add("serve",
            "lines, frames, proxy, http, page, allowed, datagrams or names",
            &serve);
  flags.Add("listen", "address to listen on", &listen);
  flags.Add("upstream", "of the proxy", &upstream);
  flags.Add("allow", "prefixes of the clients of `allowed`, with commas",
            &allow);
  ringway::ServerFlags server_flags(flags);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;

  const absl::StatusOr<SocketAddress> address = SocketAddress::Parse(listen);
  if (!address.ok()) return flags.Complain(address.status().message());
  const absl::StatusOr<SocketAddress> server = SocketAddress::Parse(upstream);
  if (!server.ok()) return flags.Complain(server.status().message());
  std::vector<AddressPrefix> allowed;
  for (std::string_view text : absl::StrSplit(allow, ',')) {
    const absl::StatusOr<AddressPrefix> prefix = AddressPrefix::Parse(text);
    if (!prefix.ok()) return flags.Complain(prefix.status().message());
    allowed.push_back(*prefix);
  }

  ringway::Runtime::Builder builder;
  const absl::Status applied = server_flags.ApplyTo(builder);
  if (!applied.ok()) return flags.Complain(applied.message());
  const std::map<std::string, ringway::Runtime::ConnectionHandler> handlers = {
      {"lines", ServeLines},
      {"frames", ServeFrames},
      {"http", ServeHttp},
      {"page",
       [page = SharedBytes(std::string(1'000'000, 'x'))](TcpStream stream) {
         return ServePage(std::move(stream), page);
       }},
      {"proxy",
       [server](TcpStream client) {
         return Proxy(std::move(client), *server);
       }},
      {"allowed",
       [allowed](TcpStream client) {
         return ServeAllowed(std::move(client), allowed);
       }},
  };
  const auto handler = handlers.find(serve);
  if (handler != handlers.end()) {
    builder.Listen(listen, handler->second);
  } else if (serve == "datagrams") {
    builder.OnStart([address] { return ServeDatagrams(*address); });
  } else if (serve == "names") {
    builder.OnStart([address] { return ServeNames(*address); });
  } else {
    return flags.Complain(absl::StrCat("there is no --serve=", serve));
  }
  return ringway::RunUntilSignal(builder);
}
