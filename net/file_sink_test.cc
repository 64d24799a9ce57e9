// SPDX-License-Identifier: Apache-2.0
//
// FileSink: what streams forward to files, where it lands, and errors.

#include "ringway/net/file_sink.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/forward.h"
#include "ringway/net/stream_concepts.h"
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
using testing::Peer;
using testing::ValueOf;

static_assert(ByteSink<FileSink>);

struct FileReadOp : OperationAwait {
  FileReadOp(int file, std::span<std::byte> buffer) {
    PrepareRead(*this, file, buffer, 0);
  }
  int32_t await_resume() const { return result; }
};

Task<std::string> ContentOf(int file) {
  std::vector<std::byte> content(4'000'000);
  const int32_t n = co_await FileReadOp(file, content);
  co_return AsString(std::span(content).first(static_cast<size_t>(n)));
}

Task<void> SendAndEnd(Peer& peer, const std::vector<std::byte>& bytes) {
  co_await peer.SendAll(bytes);
  peer.ShutdownWrite();
}

class FileSinkTest : public NetTest {
 protected:
  template <typename Test>
  void RunConnected(Test test) {
    auto main = [&]() -> Task<void> {
      Connected pair = ConnectedTcp(system());
      stream_ = Adopt(std::move(pair.near_end));
      peer_ = std::move(pair.far_end);
      co_await test();
      stream_ = TcpStream();
      peer_.Close();
    };
    Run(main());
  }

  TcpStream stream_;
  Peer peer_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FileSinkTest);

TEST_P(FileSinkTest, AStreamIsForwardedToTheEnd) {
  const std::vector<std::byte> sent = Pattern(3'000'001, 1);
  RunConnected([&]() -> Task<void> {
    const TestFd file = system().File("");
    JoinHandle<void> sending = Spawn(SendAndEnd(peer_, sent));
    EXPECT_EQ(ValueOf(co_await Forward(stream_.reader(), FileSink(file.get()))),
              sent.size());
    EXPECT_EQ(co_await sending, absl::OkStatus());
    EXPECT_TRUE(co_await ContentOf(file.get()) == AsString(sent));
  });
}

TEST_P(FileSinkTest, ABodyGoesWhereItShouldAndTheRestStays) {
  RunConnected([&]() -> Task<void> {
    const TestFd file = system().File("0123456789");
    peer_.Send("bodynext");
    BufferedReader in(stream_.reader());
    EXPECT_EQ(ValueOf(co_await ForwardExactly(in, FileSink(file.get(), 3), 4)),
              4u);
    EXPECT_EQ(co_await ContentOf(file.get()), "012body789");
    EXPECT_EQ(AsString(ValueOf(co_await in.Fill(4))), "next");
  });
}

TEST_P(FileSinkTest, AStreamThatEndsEarlyGivesAShortCount) {
  RunConnected([&]() -> Task<void> {
    const TestFd file = system().File("");
    peer_.Send("half");
    peer_.ShutdownWrite();
    BufferedReader in(stream_.reader());
    EXPECT_EQ(ValueOf(co_await ForwardExactly(in, FileSink(file.get()), 8)),
              4u);
    EXPECT_EQ(co_await ContentOf(file.get()), "half");
  });
}

TEST_P(FileSinkTest, PartsFollowEachOtherAndTheOffsetMovesOn) {
  auto main = [&]() -> Task<void> {
    const TestFd file = system().File("");
    FileSink sink(file.get(), 1);
    const std::array<std::span<const std::byte>, 4> parts = {
        Bytes("ab"), Bytes(""), Bytes("cde"), Bytes("")};
    EXPECT_EQ(co_await sink.Writev(parts), absl::OkStatus());
    EXPECT_EQ(sink.offset(), 6);
    EXPECT_EQ(co_await sink.Write(Bytes("f")), absl::OkStatus());
    EXPECT_EQ(co_await sink.Write({}), absl::OkStatus());
    EXPECT_EQ(co_await sink.Writev({}), absl::OkStatus());
    EXPECT_EQ(co_await sink.ShutdownWrite(), absl::OkStatus());
    EXPECT_EQ(sink.offset(), 7);
    EXPECT_EQ(co_await ContentOf(file.get()), std::string("\0abcdef", 7));
  };
  Run(main());
}

TEST_P(FileSinkTest, ErrorsNameTheFileAndTheOffset) {
  auto main = [&]() -> Task<void> {
    FileSink sink(-1, 77);
    const absl::Status written = co_await sink.Write(Bytes("x"));
    EXPECT_EQ(ErrnoOf(written), EBADF);
    EXPECT_NE(written.message().find("fd -1, at offset 77"),
              std::string_view::npos)
        << written;
  };
  Run(main());
}

TEST_P(FileSinkTest, WhatCannotBeWrittenStaysInTheReader) {
  RunConnected([&]() -> Task<void> {
    peer_.Send("kept");
    BufferedReader in(stream_.reader());
    EXPECT_EQ(ErrnoOf((co_await ForwardExactly(in, FileSink(-1), 4)).status()),
              EBADF);
    EXPECT_EQ(AsString(ValueOf(co_await in.Fill(4))), "kept");
  });
}

TEST_P(FileSinkTest, ACancelledTaskWritesNothing) {
  auto main = [&]() -> Task<void> {
    const TestFd file = system().File("");
    FileSink sink(file.get());
    auto write = [&]() -> Task<absl::Status> {
      co_return co_await sink.Write(Bytes("x"));
    };
    JoinHandle<absl::Status> handle = Spawn(write());
    handle.Cancel();
    EXPECT_EQ((co_await handle).code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(co_await ContentOf(file.get()), "");
    EXPECT_EQ(sink.offset(), 0);
  };
  Run(main());
}

TEST(FileSinkDeathTest, ANegativeOffsetAborts) {
  EXPECT_DEATH(FileSink(0, -1), "a FileSink at offset -1");
}

}  // namespace
}  // namespace ringway::net
