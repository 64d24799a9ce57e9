// SPDX-License-Identifier: Apache-2.0
//
// TcpStream::SendFile(): content, order among writes, files that end, and
// peers that are slow or gone.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::PeerInput;
using testing::TurnTimes;
using testing::ValueOf;

using SendFileTest = NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SendFileTest);

Task<absl::StatusOr<uint64_t>> SendFileAll(TcpStream& stream, int file,
                                           int64_t offset, uint64_t n_bytes) {
  co_return co_await stream.SendFile(file, offset, n_bytes);
}

TEST_P(SendFileTest, SendsEveryByteToASlowPeer) {
  const std::string content = AsString(Pattern(12'000'001, 1));
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const TestFd file = system().File(content);
    JoinHandle<absl::StatusOr<uint64_t>> sent =
        Spawn(SendFileAll(stream, file.get(), 0, content.size()));
    co_await TurnTimes(20);
    EXPECT_FALSE(sent.done()) << "it does not fit";
    const std::string received = co_await pair.far_end.Receive(content.size());
    EXPECT_TRUE(received == content);
    EXPECT_EQ(ValueOf(co_await sent), content.size());
  };
  Run(main());
}

TEST_P(SendFileTest, KeepsItsPlaceAmongWrites) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const TestFd file = system().File("0123456789");
    JoinHandle<absl::StatusOr<uint64_t>> middle =
        Spawn(SendFileAll(stream, file.get(), 3, 4));
    co_await TurnTimes(1);
    EXPECT_EQ(co_await stream.Write(Bytes("tail")), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await middle), 4u);
    EXPECT_EQ(co_await pair.far_end.Receive(8), "3456tail");
  };
  Run(main());
}

TEST_P(SendFileTest, IsShortOnlyWhereTheFileEnds) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const TestFd file = system().File("0123456789");
    EXPECT_EQ(ValueOf(co_await stream.SendFile(file.get(), 7, 100)), 3u);
    EXPECT_EQ(ValueOf(co_await stream.SendFile(file.get(), 10, 100)), 0u);
    EXPECT_EQ(ValueOf(co_await stream.SendFile(file.get(), 99, 1)), 0u);
    EXPECT_EQ(ValueOf(co_await stream.SendFile(file.get(), 0, 0)), 0u);
    EXPECT_EQ(co_await stream.Write(Bytes(".")), absl::OkStatus());
    EXPECT_EQ(co_await pair.far_end.Receive(4), "789.");
  };
  Run(main());
}

TEST_P(SendFileTest, APeerThatIsGoneIsAnError) {
  RINGWAY_REQUIRES_KERNEL("resets");
  const std::string content = AsString(Pattern(12'000'000, 2));
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const TestFd file = system().File(content);
    JoinHandle<absl::StatusOr<uint64_t>> sent =
        Spawn(SendFileAll(stream, file.get(), 0, content.size()));
    co_await TurnTimes(5);
    pair.far_end.Reset();
    const int errnum = ErrnoOf((co_await sent).status());
    EXPECT_TRUE(errnum == ECONNRESET || errnum == EPIPE) << errnum;
  };
  Run(main());
}

TEST_P(SendFileTest, CancellingEndsIt) {
  const std::string content = AsString(Pattern(12'000'000, 3));
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const TestFd file = system().File(content);
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        (co_await WithTimeout(absl::Milliseconds(5),
                              stream.SendFile(file.get(), 0, content.size())))
            .status()));
    stream.Reset();
  };
  Run(main());
}

TEST_P(SendFileTest, NoFileAndNoStreamAreErrors) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_EQ(ErrnoOf((co_await stream.SendFile(-1, 0, 7)).status()), EBADF);
    EXPECT_EQ(co_await stream.Close(), absl::OkStatus());
    EXPECT_EQ((co_await stream.SendFile(-1, 0, 7)).status().code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
