// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/net_fixture.h"

#include <ftw.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "ringway/backends/testing/sockets.h"

namespace ringway::net::testing {

std::vector<std::byte> Pattern(size_t n_bytes, uint32_t seed) {
  std::vector<std::byte> bytes(n_bytes);
  uint32_t state = seed * 2654435761u + 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

ShortDirectory::ShortDirectory() {
  // TEST_TMPDIR alone is often longer than a Unix socket's path may be.
  char name[] = "/tmp/ringway.XXXXXX";
  RINGWAY_CHECK(mkdtemp(name) != nullptr, "mkdtemp: %s", strerror(errno));
  path_ = name;
}

ShortDirectory::~ShortDirectory() {
  nftw(
      path_.c_str(),
      [](const char* path, const struct stat*, int, FTW*) {
        return remove(path);
      },
      /*nopenfd=*/8, FTW_DEPTH | FTW_PHYS);
}

std::string ShortDirectory::PathOf(std::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

Connected ConnectedTcp() {
  UniqueFd listener = ringway::testing::Listen(/*backlog=*/1);
  Connected pair;
  pair.far_end =
      ringway::testing::ConnectTo(ringway::testing::AddressOf(listener.get()));
  pair.near_end =
      UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  RINGWAY_CHECK(pair.near_end.valid(), "accept: %s", strerror(errno));
  return pair;
}

void SetBuffer(int fd, int option, int n_bytes) {
  RINGWAY_CHECK(
      setsockopt(fd, SOL_SOCKET, option, &n_bytes, sizeof(n_bytes)) == 0,
      "setsockopt: %s", strerror(errno));
}

std::string ReceiveAll(int fd, int* errnum) {
  std::string all;
  std::array<char, 64 * 1024> buffer;
  if (errnum != nullptr) *errnum = 0;
  while (true) {
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n > 0) {
      all.append(buffer.data(), static_cast<size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      if (n < 0 && errnum != nullptr) *errnum = errno;
      return all;
    }
  }
}

void ResetOnClose(int fd) {
  const linger discard = {.l_onoff = 1, .l_linger = 0};
  RINGWAY_CHECK(
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &discard, sizeof(discard)) == 0,
      "SO_LINGER: %s", strerror(errno));
}

size_t FillSendBuffer(int fd) {
  static const std::vector<char>& block = *new std::vector<char>(64 * 1024);
  size_t sum = 0;
  while (true) {
    const ssize_t n =
        send(fd, block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      sum += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      return sum;
    }
  }
}

Task<std::string> ReadExactly(TcpStream& stream, size_t n_bytes) {
  std::string all(n_bytes, '\0');
  size_t have = 0;
  while (have < n_bytes) {
    absl::StatusOr<size_t> n = co_await stream.Read(
        std::as_writable_bytes(std::span(all)).subspan(have));
    if (!n.ok() || *n == 0) break;
    have += *n;
  }
  all.resize(have);
  co_return all;
}

Task<absl::Status> WriteAll(TcpStream& stream,
                            std::span<const std::byte> bytes) {
  co_return co_await stream.Write(bytes);
}

Task<absl::StatusOr<size_t>> ReadSome(TcpStream& stream,
                                      std::span<std::byte> buffer) {
  co_return co_await stream.Read(buffer);
}

Task<absl::StatusOr<std::string>> ReceiveSome(TcpStream& stream) {
  absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
  if (!received.ok()) co_return received.status();
  co_return AsString(received->bytes());
}

Task<absl::StatusOr<std::string>> AllOf(TcpStream& stream, bool by_receive) {
  if (by_receive) co_return co_await ReceiveToEnd(stream);
  co_return co_await ReadToEnd(stream);
}

Task<absl::StatusOr<std::string>> ReadToEnd(TcpStream& stream) {
  std::string all;
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *n);
  }
}

Task<absl::StatusOr<std::string>> ReceiveToEnd(TcpStream& stream) {
  std::string all;
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
    if (!received.ok()) co_return received.status();
    if (received->empty()) co_return all;
    all.append(reinterpret_cast<const char*>(received->bytes().data()),
               received->size());
  }
}

Task<absl::Status> Echo(TcpStream stream) {
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

Task<void> TurnTimes(int n) {
  for (int i = 0; i < n; ++i) {
    const absl::Status slept = co_await Sleep(absl::ZeroDuration());
    RINGWAY_CHECK(slept.ok(), "a test gave up waiting");
  }
}

NetTest::NetTest(const ExecutorOptions& options)
    : options_(options), fds_before_(ringway::testing::CountOpenFds()) {}

NetTest::~NetTest() = default;

void NetTest::SetUp() {
  executor_ = ValueOf(Executor::Create(options_));
  RecordProperty("backend", std::string(loop().backend().name()));
}

void NetTest::TearDown() {
  DestroyExecutor();
  EXPECT_EQ(ringway::testing::CountOpenFds(), fds_before_) << "an fd leaked";
}

void NetTest::Run(Task<void> main) {
  Task<absl::Status> limited = WithTimeout(kPatience, std::move(main));
  const absl::Status ended = executor_->Run(std::move(limited));
  EXPECT_TRUE(ended.ok()) << ended;
}

TcpListener NetTest::ListenOn(std::string_view address,
                              const ListenOptions& options) {
  return ValueOf(TcpListener::Listen(
      loop(), ValueOf(SocketAddress::Parse(address)), options));
}

}  // namespace ringway::net::testing
