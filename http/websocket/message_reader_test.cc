// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/message_reader.h"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/http/websocket/testing/frames.h"

namespace ringway::http::internal {
namespace {

using Event = MessageReader::Event;
using testing::BytesOf;
using testing::ClosePayload;
using testing::Frame;
using testing::kBinary;
using testing::kClose;
using testing::kContinuation;
using testing::kPing;
using testing::kPong;
using testing::kText;
using std::string_view_literals::operator""sv;

struct Seen {
  Event event;
  std::string text;
  bool is_text = false;
  int code = 0;

  bool operator==(const Seen&) const = default;
};

// Feeds `bytes` in pieces of at most `most` bytes up to the end or a fault.
std::vector<Seen> EventsOf(std::string_view bytes, size_t most = SIZE_MAX,
                           size_t limit = 1 << 20, bool masked = true) {
  MessageReader reader(masked, limit);
  std::vector<Seen> seen;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, most);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      size_t n_used = 0;
      const Event event = reader.Read(std::as_bytes(std::span(piece)), n_used);
      if (event == Event::kNone) EXPECT_EQ(n_used, piece.size());
      piece.remove_prefix(n_used);
      if (event == Event::kMessage) {
        seen.push_back(
            {event, std::string(reader.message()), reader.is_text()});
        reader.Forget(0);
        EXPECT_LE(reader.memory_bytes(), 64u);
      } else if (event != Event::kNone) {
        const bool has_code = event == Event::kClose || event == Event::kFailed;
        seen.push_back({event, std::string(reader.control()), false,
                        has_code ? static_cast<int>(reader.close_code()) : 0});
      }
      if (event == Event::kFailed) return seen;
    }
  }
  return seen;
}

// The close code of the fault that ends them; 0 if there is none.
int FaultOf(std::string_view bytes, size_t limit = 1 << 20) {
  int code = -1;
  for (const size_t most : {SIZE_MAX, size_t{1}, size_t{3}}) {
    const std::vector<Seen> seen = EventsOf(bytes, most, limit);
    const int now = !seen.empty() && seen.back().event == Event::kFailed
                        ? seen.back().code
                        : 0;
    EXPECT_TRUE(code == -1 || code == now);
    code = now;
  }
  return code;
}

TEST(MessageReaderTest, PutsFragmentsTogetherAroundControlFrames) {
  const std::string bytes =
      BytesOf({.opcode = kText, .payload = "Hel", .fin = false}) +
      BytesOf({.opcode = kPing, .payload = "p"}) +
      BytesOf({.opcode = kContinuation, .payload = "", .fin = false}) +
      BytesOf({.opcode = kPong, .payload = ""}) +
      BytesOf({.opcode = kContinuation, .payload = "lo"}) +
      BytesOf({.opcode = kBinary, .payload = "\xff"}) +
      BytesOf({.opcode = kText, .payload = ""}) +
      BytesOf({.opcode = kClose, .payload = ClosePayload(1000, "bye")});
  const std::vector<Seen> expected = {
      {Event::kPing, "p"},
      {Event::kPong, ""},
      {Event::kMessage, "Hello", true},
      {Event::kMessage, "\xff", false},
      {Event::kMessage, "", true},
      {Event::kClose, "bye", false, 1000},
  };
  for (size_t most = 1; most < 20; ++most)
    EXPECT_EQ(EventsOf(bytes, most), expected);
  EXPECT_EQ(EventsOf(bytes), expected);
}

TEST(MessageReaderTest, RefusesWhatTheStandardForbids) {
  const Frame begun = {.opcode = kText, .payload = "a", .fin = false};
  EXPECT_EQ(FaultOf(BytesOf({.payload = "a", .mask = std::nullopt})), 1002);
  EXPECT_EQ(FaultOf(BytesOf({.payload = "a", .reserved = 4})), 1002);
  EXPECT_EQ(FaultOf(BytesOf({.opcode = 3})), 1002);
  EXPECT_EQ(FaultOf(BytesOf({.opcode = kContinuation})), 1002);
  EXPECT_EQ(FaultOf(BytesOf(begun) + BytesOf(Frame{.payload = "b"})), 1002);
  EXPECT_EQ(FaultOf(BytesOf({.payload = "a"}) +
                    BytesOf({.opcode = kContinuation, .payload = "b"})),
            1002);
  EXPECT_EQ(FaultOf(BytesOf({.opcode = kPing, .fin = false})), 1002);
  EXPECT_EQ(
      FaultOf(BytesOf({.opcode = kPing, .payload = std::string(126, 'a')})),
      1002);
  EXPECT_EQ(FaultOf(BytesOf({.payload = "a"}, 2)), 1002);
  EXPECT_EQ(FaultOf(BytesOf({.payload = "a"}, 8)), 1002);
  EXPECT_EQ(
      FaultOf(BytesOf({.opcode = kPing, .payload = std::string(125, 'a')})), 0);
}

TEST(MessageReaderTest, ChecksTextAcrossFragments) {
  const auto text = [](std::string payload, bool fin = true) {
    return BytesOf(
        {.opcode = kText, .payload = std::move(payload), .fin = fin});
  };
  const auto more = [](std::string payload, bool fin = true) {
    return BytesOf(
        {.opcode = kContinuation, .payload = std::move(payload), .fin = fin});
  };
  EXPECT_EQ(FaultOf(text("\xe2\x82\xac")), 0);
  EXPECT_EQ(FaultOf(text("\xe2", false) + more("\x82", false) + more("\xac")),
            0);
  EXPECT_EQ(FaultOf(text("\xe2", false) + more("a", false)), 1007);
  EXPECT_EQ(FaultOf(text("\xe2\x82")), 1007);
  EXPECT_EQ(FaultOf(text("\xe2", false) + more("")), 1007);
  // The next one begins anew.
  EXPECT_EQ(FaultOf(text("a") + text("\x82")), 1007);
  // At the byte that shows it, not at the end of the frame.
  EXPECT_EQ(FaultOf(text("\xed\xa0" + std::string(100, 'a')).substr(0, 8)),
            1007);
  EXPECT_EQ(FaultOf(BytesOf({.opcode = kBinary, .payload = "\xe2"})), 0);
}

TEST(MessageReaderTest, ChecksWhatAClosesSays) {
  const auto close = [](std::string payload) {
    return BytesOf({.opcode = kClose, .payload = std::move(payload)});
  };
  EXPECT_EQ(EventsOf(close("")),
            (std::vector<Seen>{{Event::kClose, "", false, 1005}}));
  EXPECT_EQ(FaultOf(close("\x03")), 1002);
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
                         1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    EXPECT_EQ(FaultOf(close(ClosePayload(code))), 0) << code;
  }
  for (const int code :
       {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    EXPECT_EQ(FaultOf(close(ClosePayload(code))), 1002) << code;
  }
  EXPECT_EQ(FaultOf(close(ClosePayload(1000, "\xe2\x82\xac"))), 0);
  EXPECT_EQ(FaultOf(close(ClosePayload(1000, "\xe2\x82"))), 1007);
  EXPECT_EQ(FaultOf(close(ClosePayload(1000, std::string(123, 'a')))), 0);
}

TEST(MessageReaderTest, LimitsMessagesByWhatIsAnnounced) {
  EXPECT_EQ(FaultOf(BytesOf({.payload = std::string(10, 'a')}), 10), 0);
  // Before anything of it has come.
  EXPECT_EQ(
      FaultOf(BytesOf({.payload = std::string(11, 'a')}).substr(0, 6), 10),
      1009);
  const std::string half =
      BytesOf({.payload = std::string(6, 'a'), .fin = false});
  const auto rest = [](size_t n) {
    return BytesOf({.opcode = kContinuation, .payload = std::string(n, 'b')});
  };
  EXPECT_EQ(FaultOf(half + rest(4), 10), 0);
  EXPECT_EQ(FaultOf(half + rest(5), 10), 1009);
  std::string huge = BytesOf({.opcode = kBinary, .payload = ""}, 8);
  huge[2] = '\x7f';  // the first byte of the length
  EXPECT_EQ(FaultOf(huge, SIZE_MAX / 4), 1009);
}

TEST(MessageReaderTest, ServersDoNotMask) {
  const std::string masked = BytesOf({.payload = "a"});
  const std::string plain = BytesOf({.payload = "a", .mask = std::nullopt});
  EXPECT_EQ(EventsOf(plain, SIZE_MAX, 100, /*masked=*/false),
            (std::vector<Seen>{{Event::kMessage, "a", true}}));
  EXPECT_EQ(EventsOf(masked, SIZE_MAX, 100, /*masked=*/false)[0].event,
            Event::kFailed);
}

// Random messages in random frames and pieces, with control frames anywhere.
TEST(MessageReaderTest, RandomMessagesArriveAsTheyWereSent) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](size_t n) {
      return std::uniform_int_distribution<size_t>(0, n - 1)(random);
    };
    std::string bytes;
    std::vector<Seen> expected;
    const auto mask = [&] {
      std::string four;
      for (int i = 0; i < 4; ++i) four += static_cast<char>(below(256));
      return four;
    };
    for (size_t m = 0; m < 20; ++m) {
      const bool is_text = below(2) == 0;
      static constexpr std::array<size_t, 6> kSizes = {1,   4,    127,
                                                       300, 5000, 70000};
      const size_t n = below(kSizes[below(kSizes.size())]);
      std::string payload;
      while (payload.size() < n)
        payload += is_text
                       ? std::string("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")
                       : std::string(1, static_cast<char>(below(256)));
      const size_t n_frames = 1 + below(3);
      size_t at = 0;
      for (size_t f = 0; f < n_frames; ++f) {
        const bool last = f + 1 == n_frames;
        const size_t size =
            last ? payload.size() - at : below(payload.size() - at + 1);
        bytes += BytesOf({.opcode = f > 0     ? kContinuation
                                    : is_text ? kText
                                              : kBinary,
                          .payload = payload.substr(at, size),
                          .fin = last,
                          .mask = mask()});
        at += size;
        if (!last && below(2) == 0) {
          const std::string ping(below(126), 'p');
          bytes += BytesOf({.opcode = kPing, .payload = ping, .mask = mask()});
          expected.push_back({Event::kPing, ping});
        }
      }
      expected.push_back({Event::kMessage, payload, is_text});
    }
    const size_t most = 1 + below(seed % 3 == 0 ? 10 : 20000);
    ASSERT_EQ(EventsOf(bytes, most), expected) << "seed " << seed;
  }
}

// Whatever comes, the reader takes it or says what is wrong.
TEST(MessageReaderTest, RandomBytesNeverConfuseIt) {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    std::mt19937 random(seed);
    std::string bytes;
    const size_t n = random() % 400;
    for (size_t i = 0; i < n; ++i) {
      // Heads are likely, so that some frames are well-formed.
      static constexpr std::string_view kHeads =
          "\x81\x82\x01\x00\x80\x89\x88"
          "\x84\x80\x85\xfe"sv;
      bytes += random() % 3 == 0 ? kHeads[random() % kHeads.size()]
                                 : static_cast<char>(random());
    }
    ASSERT_EQ(EventsOf(bytes), EventsOf(bytes, 1)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ringway::http::internal
