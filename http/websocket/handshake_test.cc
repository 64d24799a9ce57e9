// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/handshake.h"

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "ringway/http/websocket/sha1.h"

namespace ringway::http::internal {
namespace {

std::string HexSha1(std::string_view text) {
  const std::array<uint8_t, 20> digest = Sha1(text);
  return absl::BytesToHexString(std::string_view(
      reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// RFC 3174, section 7.3; the lengths around a block are of coreutils' sha1sum.
TEST(Sha1Test, HasTheDigestsOfTheStandard) {
  EXPECT_EQ(HexSha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(HexSha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(HexSha1(std::string(1'000'000, 'a')),
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  EXPECT_EQ(HexSha1(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(HexSha1(std::string(55, 'a')),
            "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  EXPECT_EQ(HexSha1(std::string(56, 'a')),
            "c2db330f6083854c99d4b5bfb6e8f29f201be699");
  EXPECT_EQ(HexSha1(std::string(64, 'a')),
            "0098ba824b5c16427bd7a1122a5a442a25ec644d");
}

// The example of RFC 6455, section 1.3.
TEST(HandshakeTest, AcceptsTheKeyOfTheStandard) {
  EXPECT_EQ(AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

Headers GoodHeaders() {
  Headers headers;
  headers.Set("Upgrade", "websocket");
  headers.Set("Connection", "keep-alive, Upgrade");
  headers.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  headers.Set("Sec-WebSocket-Version", "13");
  return headers;
}

HandshakeFault Check(const Headers& headers,
                     const std::vector<std::string>& origins = {},
                     Method method = Method::kGet, bool is_http11 = true,
                     bool has_body = false, bool is_secure = false) {
  return CheckHandshake(
      {method, is_http11, has_body, is_secure, "example.org:8080", headers},
      origins);
}

HandshakeFault CheckWith(const std::function<void(Headers&)>& change) {
  Headers headers = GoodHeaders();
  change(headers);
  return Check(headers);
}

TEST(HandshakeTest, NeedsAllOfIt) {
  EXPECT_EQ(Check(GoodHeaders()), HandshakeFault::kNone);
  for (const char* name : {"Upgrade", "Connection"}) {
    EXPECT_EQ(CheckWith([&](Headers& h) { h.Remove(name); }),
              HandshakeFault::kNoUpgrade);
    EXPECT_EQ(CheckWith([&](Headers& h) { h.Set(name, "h2c"); }),
              HandshakeFault::kNoUpgrade);
  }
  EXPECT_EQ(CheckWith([](Headers& h) { h.Set("Upgrade", "h2c, WebSocket"); }),
            HandshakeFault::kNone);
  EXPECT_EQ(CheckWith([](Headers& h) { h.Remove("Sec-WebSocket-Key"); }),
            HandshakeFault::kMalformed);
  // Short, long, of other letters, of another number of bytes, and twice.
  for (const char* key :
       {"", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZQ", "a b?!",
        "dGhlIHNhbXBsZSBub25jZWV=", "dGhlIHNhbXBsZSBub25jZQ==AAAA"}) {
    EXPECT_EQ(CheckWith([&](Headers& h) { h.Set("Sec-WebSocket-Key", key); }),
              HandshakeFault::kMalformed)
        << key;
  }
  EXPECT_EQ(CheckWith([](Headers& h) {
              h.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
            }),
            HandshakeFault::kMalformed);
  for (const char* version : {"8", "12", "14", "013", "13, 8"}) {
    EXPECT_EQ(
        CheckWith([&](Headers& h) { h.Set("Sec-WebSocket-Version", version); }),
        HandshakeFault::kBadVersion);
  }
  EXPECT_EQ(CheckWith([](Headers& h) { h.Remove("Sec-WebSocket-Version"); }),
            HandshakeFault::kBadVersion);
  const Headers good = GoodHeaders();
  EXPECT_EQ(Check(good, {}, Method::kPost), HandshakeFault::kMalformed);
  EXPECT_EQ(Check(good, {}, Method::kGet, /*is_http11=*/false),
            HandshakeFault::kMalformed);
  EXPECT_EQ(Check(good, {}, Method::kGet, true, /*has_body=*/true),
            HandshakeFault::kMalformed);
}

HandshakeFault FromOrigin(const char* origin,
                          const std::vector<std::string>& origins = {},
                          bool is_secure = false) {
  Headers headers = GoodHeaders();
  headers.Set("Origin", origin);
  return Check(headers, origins, Method::kGet, true, false, is_secure);
}

// Else any page could use the cookies that a browser has for this server.
TEST(HandshakeTest, PagesOfOtherOriginsMayNotConnect) {
  const auto kNone = HandshakeFault::kNone;
  const auto kWrong = HandshakeFault::kWrongOrigin;
  EXPECT_EQ(FromOrigin("http://example.org:8080"), kNone);
  EXPECT_EQ(FromOrigin("https://EXAMPLE.org:8080"), kNone);
  for (const char* origin :
       {"http://example.org", "http://example.org:8081", "null", "",
        "http://evil.example.org:8080", "http://example.org:8080.evil.org",
        "example.org:8080", "file://example.org:8080"}) {
    EXPECT_EQ(FromOrigin(origin), kWrong) << origin;
  }
  // A page that came without TLS could have been made by anybody.
  EXPECT_EQ(FromOrigin("http://example.org:8080", {}, true), kWrong);
  EXPECT_EQ(FromOrigin("https://example.org:8080", {}, true), kNone);
  EXPECT_EQ(FromOrigin("https://a.org", {"https://b.org", "https://a.org"}),
            kNone);
  EXPECT_EQ(FromOrigin("http://a.org", {"https://a.org"}), kWrong);
  EXPECT_EQ(FromOrigin("http://example.org:8080", {"https://a.org"}), kWrong);
  EXPECT_EQ(FromOrigin("null", {"*"}), kNone);
  Headers headers = GoodHeaders();
  headers.Add("Origin", "http://example.org:8080");
  headers.Add("Origin", "http://evil.org");
  EXPECT_EQ(Check(headers), kWrong);
}

TEST(HandshakeTest, ChoosesTheServersBestProtocol) {
  Headers headers;
  EXPECT_EQ(ChooseProtocol({"a", "b"}, headers), "");
  headers.Add("Sec-WebSocket-Protocol", "c, b");
  headers.Add("Sec-WebSocket-Protocol", "a");
  EXPECT_EQ(ChooseProtocol({"a", "b"}, headers), "a");
  EXPECT_EQ(ChooseProtocol({"x", "b"}, headers), "b");
  EXPECT_EQ(ChooseProtocol({"x"}, headers), "");
  EXPECT_EQ(ChooseProtocol({}, headers), "");
}

}  // namespace
}  // namespace ringway::http::internal
