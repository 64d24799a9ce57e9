// SPDX-License-Identifier: Apache-2.0
//
// BufferedReader: each read by itself, and random reads of random bytes that
// arrive in random pieces, compared with the bytes that were sent.

#include "ringway/net/buffered_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::Scaled;
using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Peer;
using testing::TurnTimes;
using testing::ValueOf;

static_assert(ByteSource<StreamReader> && ByteSource<TcpStream>);
static_assert(ByteSink<StreamWriter> && ByteSink<TcpStream>);
static_assert(ByteStream<TcpStream> && !ByteStream<StreamReader>);

using Line = std::optional<std::string_view>;

class BufferedReaderTest : public NetTest {
 protected:
  // Runs `test` with a reader of a stream whose far end is `peer_`.
  template <typename Test>
  void WithReader(Test test, size_t limit_bytes = 1 << 20) {
    auto main = [&]() -> Task<void> {
      Connected pair = ConnectedTcp(system());
      stream_ = Adopt(std::move(pair.near_end));
      peer_ = std::move(pair.far_end);
      BufferedReader in(stream_.reader(), limit_bytes);
      co_await test(in);
      stream_ = TcpStream();
      peer_.Close();
    };
    Run(main());
  }

  // In pieces that arrive one after the other.
  Task<void> SendPieces(std::vector<std::string> pieces) {
    for (const std::string& piece : pieces) {
      peer_.Send(piece);
      co_await TurnTimes(3);
    }
  }

  TcpStream stream_;
  Peer peer_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BufferedReaderTest);

using Reader = BufferedReader<StreamReader>;

TEST_P(BufferedReaderTest, ReadsLinesHoweverTheyEnd) {
  WithReader([&](Reader& in) -> Task<void> {
    peer_.Send("one\ntwo\r\n\n\r\n\rlast\n");
    peer_.ShutdownWrite();
    for (const char* expected : {"one", "two", "", "", "\rlast"}) {
      const absl::StatusOr<Line> line = co_await in.ReadLine(100);
      EXPECT_EQ(ValueOf(line), expected);
    }
    EXPECT_EQ(ValueOf(co_await in.ReadLine(100)), std::nullopt);
    EXPECT_EQ(ValueOf(co_await in.ReadLine(100)), std::nullopt);
  });
}

TEST_P(BufferedReaderTest, JoinsWhatArrivesInPieces) {
  WithReader([&](Reader& in) -> Task<void> {
    std::vector<std::string> pieces = {"a",      "b",      "\r",  "\ncd",
                                       "\r\n\r", "\nbody", " and"};
    JoinHandle<void> sent = Spawn(SendPieces(std::move(pieces)));
    EXPECT_EQ(ValueOf(co_await in.ReadUntil("\r\n\r\n", 100)),
              "ab\r\ncd\r\n\r\n");
    std::array<std::byte, 8> body;
    EXPECT_EQ(co_await in.ReadExactly(body), absl::OkStatus());
    EXPECT_EQ(AsString(body), "body and");
    EXPECT_EQ(co_await sent, absl::OkStatus());
  });
}

TEST_P(BufferedReaderTest, GivesAParserWhatItAsksFor) {
  WithReader([&](Reader& in) -> Task<void> {
    std::vector<std::string> pieces = {"\3abc\5d", "efgh\2"};
    JoinHandle<void> sent = Spawn(SendPieces(std::move(pieces)));
    for (const char* expected : {"abc", "defgh"}) {
      const size_t n_bytes =
          static_cast<size_t>(ValueOf(co_await in.Fill(1)).front());
      in.Consume(1);
      const std::span<const std::byte> body =
          ValueOf(co_await in.Fill(n_bytes));
      EXPECT_GE(body.size(), n_bytes);
      EXPECT_EQ(AsString(body.first(n_bytes)), expected);
      in.Consume(n_bytes);
    }
    EXPECT_EQ(co_await sent, absl::OkStatus());
    peer_.ShutdownWrite();
    EXPECT_EQ(ValueOf(co_await in.Fill(3)).size(), 1u);
    EXPECT_EQ(AsString(in.Peek()), "\2");
  });
}

TEST_P(BufferedReaderTest, ALineBeyondTheLimitIsAnErrorAndStays) {
  WithReader([&](Reader& in) -> Task<void> {
    peer_.Send("0123456789\nnext\n");
    for (int i = 0; i < 2; ++i) {
      const absl::StatusOr<Line> line = co_await in.ReadLine(10);
      EXPECT_EQ(line.status().code(), absl::StatusCode::kResourceExhausted);
    }
    EXPECT_EQ(ValueOf(co_await in.ReadLine(11)), "0123456789");
    EXPECT_EQ(ValueOf(co_await in.ReadLine(11)), "next");
    // Without a delimiter, too: it does not wait for one.
    peer_.Send("0123456789");
    EXPECT_EQ((co_await in.ReadLine(10)).status().code(),
              absl::StatusCode::kResourceExhausted);
  });
}

TEST_P(BufferedReaderTest, MoreThanTheReadersLimitIsAnError) {
  auto test = [&](Reader& in) -> Task<void> {
    peer_.Send("0123456789abcdef");
    EXPECT_EQ((co_await in.Fill(9)).status().code(),
              absl::StatusCode::kResourceExhausted);
    EXPECT_EQ((co_await in.ReadUntil("f", 100)).status().code(),
              absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(AsString(ValueOf(co_await in.Fill(8)).first(8)), "01234567");
  };
  WithReader(test, /*limit_bytes=*/8);
}

TEST_P(BufferedReaderTest, AnEndWithinAMessageIsToldAndLosesNothing) {
  WithReader([&](Reader& in) -> Task<void> {
    std::vector<std::string> pieces = {"a line\nhal", "f"};
    co_await SendPieces(std::move(pieces));
    peer_.ShutdownWrite();
    EXPECT_EQ(ValueOf(co_await in.ReadLine(100)), "a line");
    EXPECT_EQ((co_await in.ReadLine(100)).status().code(),
              absl::StatusCode::kOutOfRange);
    std::array<std::byte, 5> five;
    EXPECT_EQ((co_await in.ReadExactly(five)).code(),
              absl::StatusCode::kOutOfRange);
    EXPECT_EQ(in.buffered_bytes(), 4u);
    EXPECT_EQ(AsString(in.Peek()), "half");
    std::array<std::byte, 4> four;
    EXPECT_EQ(co_await in.ReadExactly(four), absl::OkStatus());
    EXPECT_EQ(AsString(four), "half");
  });
}

TEST_P(BufferedReaderTest, AResetIsAnErrorBehindTheBytes) {
  RINGWAY_REQUIRES_KERNEL("resets");
  WithReader([&](Reader& in) -> Task<void> {
    peer_.Send("line\nhalf");
    co_await TurnTimes(3);
    EXPECT_EQ(ValueOf(co_await in.ReadLine(100)), "line");
    peer_.Reset();
    EXPECT_EQ(ErrnoOf((co_await in.ReadLine(100)).status()), ECONNRESET);
  });
}

TEST_P(BufferedReaderTest, ReadsThatTimeOutLoseNothing) {
  WithReader([&](Reader& in) -> Task<void> {
    constexpr absl::Duration kSoon = absl::Milliseconds(1);
    std::array<std::byte, 10> ten;
    peer_.Send("abc");
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        (co_await WithTimeout(kSoon, in.ReadLine(100))).status()));
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        (co_await WithTimeout(kSoon, in.ReadExactly(ten)))));
    peer_.Send("def");
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        (co_await WithTimeout(kSoon, in.ReadExactly(ten)))));
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        (co_await WithTimeout(kSoon, in.Fill(7))).status()));
    peer_.Send("ghi\n");
    EXPECT_EQ(ValueOf(co_await WithTimeout(kPatience, in.ReadLine(100))),
              "abcdefghi");
  });
}

TEST_P(BufferedReaderTest, EmptyRequestsNeedNothing) {
  WithReader([&](Reader& in) -> Task<void> {
    EXPECT_EQ(ValueOf(co_await in.Fill(0)).size(), 0u);
    EXPECT_EQ(co_await in.ReadExactly({}), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await in.Read({})), 0u);
    EXPECT_TRUE(in.Peek().empty());
    in.Consume(0);
  });
}

// A reader that waits in the middle of a message holds no lent buffer.
TEST_P(BufferedReaderTest, HalfAMessageBorrowsNothing) {
  WithReader([&](Reader& in) -> Task<void> {
    peer_.Send("half");
    auto read = [&in]() -> Task<absl::Status> {
      co_return (co_await in.ReadLine(100)).status();
    };
    JoinHandle<absl::Status> line = Spawn(read());
    co_await TurnTimes(10);
    EXPECT_FALSE(line.done());
    EXPECT_EQ(loop().stats().buffers_lent, 0u);
    peer_.Send("\n");
    EXPECT_EQ(co_await line, absl::OkStatus());
  });
}

// What was consumed stayed in front of what was not, byte after byte.
TEST_P(BufferedReaderTest, AWindowThatSlidesNeedsNoMoreMemory) {
  WithReader([&](Reader& in) -> Task<void> {
    peer_.Send("012345678");
    for (int i = 9; i < 20'000; ++i) {
      peer_.Send(std::string(1, static_cast<char>('0' + i % 10)));
      EXPECT_EQ(static_cast<char>(ValueOf(co_await in.Fill(10))[9]),
                '0' + i % 10);
      in.Consume(1);
      if (HasFailure()) co_return;
    }
    EXPECT_LE(in.memory_bytes(), 4'096u);
  });
}

TEST_P(BufferedReaderTest, AfterTheStreamIsClosedReadsSaySo) {
  WithReader([&](Reader& in) -> Task<void> {
    EXPECT_EQ(co_await stream_.Close(), absl::OkStatus());
    EXPECT_EQ((co_await in.ReadLine(100)).status().code(),
              absl::StatusCode::kFailedPrecondition);
    std::array<std::byte, 1> one;
    EXPECT_EQ((co_await in.Read(one)).status().code(),
              absl::StatusCode::kFailedPrecondition);
  });
}

// --- The model

struct Shape {
  std::string name;
  uint32_t buffer_bytes = 0;  // 0: the default
};

class BufferedReaderModel : public NetTest {
 protected:
  BufferedReaderModel() : random_(seed_) {}

  // From `low` to `high`, small numbers more often.
  size_t Draw(size_t low, size_t high) {
    const size_t range = high - low + 1;
    const size_t scale = size_t{1} << (random_() % 16);
    return low + random_() % std::min(range, scale);
  }

  std::string DrawContent() {
    std::string content(Draw(0, 60'000), '\0');
    const uint32_t n_symbols = 2 + random_() % 40;
    for (char& c : content) {
      const uint32_t symbol = random_() % n_symbols;
      c = symbol == 0   ? '\n'
          : symbol == 1 ? '\r'
                        : static_cast<char>('a' + symbol % 26);
    }
    return content;
  }

  Task<void> Send(TcpStream stream, std::string content) {
    const size_t piece = Draw(1, 20'000);
    for (size_t sent = 0; sent < content.size();) {
      const size_t n = std::min(Draw(1, piece), content.size() - sent);
      const absl::Status written =
          co_await stream.Write(Bytes(content).subspan(sent, n));
      EXPECT_EQ(written, absl::OkStatus());
      sent += n;
      if (random_() % 3 == 0) co_await TurnTimes(1 + random_() % 3);
    }
    EXPECT_EQ(co_await stream.ShutdownWrite(), absl::OkStatus());
    // Open until the reader has ended.
    std::array<std::byte, 1> none;
    EXPECT_EQ(ValueOf(co_await stream.Read(none)), 0u);
  }

  // One read of `in`, which is at `position` of `content`. Returns the
  // position after it.
  Task<size_t> Step(Reader& in, std::string_view rest) {
    const size_t n = Draw(0, 4'000);
    switch (random_() % 7) {
      case 0: {
        const auto filled = co_await in.Fill(n);
        const std::string view = AsString(ValueOf(filled));
        EXPECT_GE(view.size(), std::min(n, rest.size()));
        EXPECT_EQ(view, rest.substr(0, view.size()));
        const size_t used = Draw(0, view.size());
        in.Consume(used);
        co_return used;
      }
      case 1: {
        std::vector<std::byte> bytes(n);
        const absl::Status read = co_await in.ReadExactly(bytes);
        EXPECT_EQ(read.ok(), n <= rest.size()) << read;
        if (!read.ok()) co_return 0;
        EXPECT_EQ(AsString(bytes), rest.substr(0, n));
        co_return n;
      }
      case 2: {
        std::vector<std::byte> bytes(n);
        const size_t read = ValueOf(co_await in.Read(bytes));
        EXPECT_EQ(read == 0, n == 0 || rest.empty());
        EXPECT_EQ(AsString(std::span(bytes).first(read)), rest.substr(0, read));
        co_return read;
      }
      case 3: {
        const absl::StatusOr<Line> line = co_await in.ReadLine(n + 1);
        co_return Compare(line.ok() && *line
                              ? std::optional(std::string(**line))
                              : std::nullopt,
                          line.status(), rest, "\n", n + 1);
      }
      case 4: {
        static constexpr std::array<std::string_view, 4> kDelimiters = {
            "\n\n", "\r\n", "a", "\n\r\n"};
        const std::string_view delimiter = kDelimiters[random_() % 4];
        const auto text = co_await in.ReadUntil(delimiter, n + 1);
        co_return Compare(text.ok() && !text->empty()
                              ? std::optional(std::string(*text))
                              : std::nullopt,
                          text.status(), rest, delimiter, n + 1);
      }
      case 5: {
        // Late or not: either way nothing is lost.
        std::vector<std::byte> bytes(n);
        const absl::Status read = co_await WithTimeout(
            absl::Microseconds(random_() % 50), in.ReadExactly(bytes));
        if (!read.ok()) co_return 0;
        EXPECT_EQ(AsString(bytes), rest.substr(0, n));
        co_return n;
      }
      default: {
        const std::string view = AsString(in.Peek());
        EXPECT_LE(view.size(), in.buffered_bytes());
        EXPECT_EQ(view, rest.substr(0, view.size()));
        const size_t used = Draw(0, in.buffered_bytes());
        in.Consume(used);
        co_return used;
      }
    }
  }

  // What reading up to `delimiter` has to give.
  static size_t Compare(const std::optional<std::string>& text,
                        const absl::Status& status, std::string_view rest,
                        std::string_view delimiter, size_t limit) {
    const size_t found = rest.find(delimiter);
    if (found == rest.npos || found + delimiter.size() > limit) {
      EXPECT_FALSE(text.has_value());
      const bool at_end = rest.size() < limit;
      if (rest.empty()) {
        EXPECT_EQ(status, absl::OkStatus());
      } else {
        EXPECT_EQ(status.code(), at_end ? absl::StatusCode::kOutOfRange
                                        : absl::StatusCode::kResourceExhausted)
            << status << ", " << rest.size() << " bytes are left";
      }
      return 0;
    }
    const size_t end = found + delimiter.size();
    std::string expected(rest.substr(0, end));
    if (text.has_value() && text->size() < expected.size()) {
      expected.resize(expected.ends_with("\r\n") ? end - 2 : end - 1);
    }
    EXPECT_EQ(text, expected) << status;
    return end;
  }

  Task<void> Round() {
    std::string content = DrawContent();
    auto pair = ValueOf(StreamPair());
    BufferedReader in(pair.first.reader());
    JoinHandle<void> sent = Spawn(Send(std::move(pair.second), content));
    std::string_view rest = content;
    while (!rest.empty() && !HasFailure())
      rest.remove_prefix(co_await Step(in, rest));
    for (int i = 0; i < 10 && !HasFailure(); ++i) co_await Step(in, rest);
    pair.first = TcpStream();
    if (HasFailure()) co_return;
    EXPECT_EQ(co_await sent, absl::OkStatus());
  }

  const uint32_t seed_ = std::random_device()();
  std::mt19937 random_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BufferedReaderModel);

TEST_P(BufferedReaderModel, RandomReadsGiveTheBytesThatWereSent) {
  auto main = [&]() -> Task<void> {
    for (uint64_t round = Scaled(100); round > 0 && !HasFailure(); --round)
      co_await Round();
  };
  SCOPED_TRACE(absl::StrCat("seed ", seed_));
  Run(main());
}

}  // namespace
}  // namespace ringway::net
