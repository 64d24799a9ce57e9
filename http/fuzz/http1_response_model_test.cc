// SPDX-License-Identifier: Apache-2.0
//
// Some responses, and random changes of them.

#include "ringway/http/fuzz/http1_response_model.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/executor/testing/test_seed.h"

namespace ringway::fuzz {
namespace {

constexpr std::array<std::string_view, 10> kResponses = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello"
    "\r\n1\r\n!\r\n0\r\nSum: 6\r\n\r\n",
    "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nuntil the end",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\nETag: \"x\"\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
    "Upgrade: websocket\r\n\r\n\x81\x05hello",
    "HTTP/1.1 404 \r\nconnection: close\r\ncontent-length:0\r\n\r\n",
    "HTTP/1.1 200\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"
    "\r\n1\r\na\r\n0\r\n\r\n",
};

// With settings before it.
std::string ScriptOf(Rng& rng, const std::string& bytes) {
  std::string script;
  for (int i = 0; i < 8; ++i) script.push_back(static_cast<char>(rng.Next()));
  return script + bytes;
}

std::string AnyBytes(Rng& rng) {
  std::string bytes(kResponses[rng.Below(kResponses.size())]);
  if (rng.Below(2) == 0) bytes += kResponses[rng.Below(kResponses.size())];
  return bytes;
}

// Changes, repeats, removes or inserts a few bytes.
void Mutate(Rng& rng, std::string& bytes) {
  const size_t at = rng.Below(bytes.size() + 1);
  const size_t n = rng.Below(8);
  switch (rng.Below(5)) {
    case 0:
      bytes.erase(at, n);
      break;
    case 1:
      bytes.insert(at, bytes.substr(at, n));
      break;
    case 2:
      bytes.insert(at, 1, "\r\n\t\0 :,;\x0b"[rng.Below(9)]);
      break;
    case 3:
      if (at < bytes.size()) bytes[at] = static_cast<char>(rng.Next());
      break;
    default: {
      const std::string other = AnyBytes(rng);
      bytes.insert(at, other.substr(rng.Below(other.size()), 10 * n));
      break;
    }
  }
}

TEST(Http1ResponseModel, HoldsForResponses) {
  Rng rng(TestSeed());
  size_t n_accepted = 0;
  for (const std::string_view bytes : kResponses) {
    const std::string script = ScriptOf(rng, std::string(bytes));
    n_accepted += CheckHttp1Responses("\x01\x01" + script.substr(2));
    CheckHttp1Responses(script);
  }
  EXPECT_EQ(n_accepted, 10u);
}

TEST(Http1ResponseModel, HoldsForRandomChangesOfThem) {
  const uint64_t seed = TestSeed();
  Rng rng(seed);
  size_t n_accepted = 0;
  for (uint64_t i = ringway::testing::Scaled(40'000); i > 0; --i) {
    std::string bytes = AnyBytes(rng);
    for (uint64_t n = 1 + rng.Below(4); n > 0; --n) Mutate(rng, bytes);
    n_accepted += CheckHttp1Responses(ScriptOf(rng, bytes));
  }
  EXPECT_GT(n_accepted, 0u) << "seed " << seed;
}

}  // namespace
}  // namespace ringway::fuzz
