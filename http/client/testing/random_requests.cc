// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/testing/random_requests.h"

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/testing/stream_tasks.h"

namespace ringway::http::testing {

namespace {

// Those of random_exchanges.cc.
constexpr int kEcho = 3;
constexpr uint64_t kWays = 5;

std::string BytesOf(size_t n) {
  return net::testing::AsString(
      net::testing::Pattern(n, static_cast<uint32_t>(n)));
}

// Writes `bytes` in random pieces, with pauses.
BodyFunction InPieces(std::string bytes, uint64_t seed) {
  return [bytes = std::move(bytes),
          seed](BodyWriter& body) -> Task<absl::Status> {
    Rng random(seed);
    for (size_t at = 0; at < bytes.size();) {
      const size_t n = std::min<size_t>(
          bytes.size() - at,
          random.Between(1, random.Below(3) == 0 ? 9'000 : 300));
      absl::Status sent =
          co_await body.Write(std::string_view(bytes).substr(at, n));
      if (!sent.ok()) co_return sent;
      at += n;
      if (random.Below(20) == 0)
        (co_await Sleep(absl::Microseconds(random.Below(300)))).IgnoreError();
    }
    co_return absl::OkStatus();
  };
}

}  // namespace

RandomRequests::Planned RandomRequests::Plan() {
  const auto way = static_cast<int>(random_.Below(kWays));
  const size_t n =
      random_.Below(random_.Below(4) == 0 ? 200'000 : random_.Between(1, 300));
  const bool has_body = way >= kEcho;
  const bool is_head = !has_body && random_.Below(5) == 0;
  Planned planned;
  planned.request.url = absl::StrCat(base_, "/", way, "/", n);
  planned.request.method = is_head    ? Method::kHead
                           : has_body ? Method::kPut
                                      : Method::kGet;
  if (!is_head) planned.body = BytesOf(n);
  for (uint64_t i = random_.Below(4); i > 0; --i)
    planned.request.headers.Add("X-Filler",
                                std::string(random_.Below(200), 'f'));
  if (has_body) {
    switch (random_.Below(3)) {
      case 0:
        planned.request.body = BytesOf(n);
        break;
      case 1:
        planned.request.content_length = n;
        [[fallthrough]];
      default:
        planned.request.write_body = InPieces(BytesOf(n), random_.Next());
        break;
    }
    // What the handler does not read, it does not ask for.
    planned.request.expect_continue = way == kEcho && random_.Below(4) == 0;
  }
  return planned;
}

Task<void> RandomRequests::SendAndCompare(Planned planned) {
  const std::string url = planned.request.url;
  Task<absl::StatusOr<Response>> send =
      client_.Send(std::move(planned.request));
  absl::StatusOr<Response> response = co_await std::move(send);
  if (!response.ok()) {
    EXPECT_TRUE(may_fail_ || absl::IsCancelled(response.status()))
        << url << response.status();
    co_return;
  }
  if (may_fail_ && response->status_code() != 200) co_return;  // a timeout
  EXPECT_EQ(response->status_code(), 200) << url;
  const size_t room = random_.Below(2) == 0 ? random_.Between(1, 100) : 16384;
  std::vector<std::byte> buffer(std::max(room, planned.body.size() / 100));
  // Some are not read to their end.
  const size_t n_wanted = random_.Below(10) == 0
                              ? random_.Below(planned.body.size() + 1)
                              : SIZE_MAX;
  std::string body;
  while (body.size() < n_wanted) {
    Task<absl::StatusOr<size_t>> read = response->Read(buffer);
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) {
      EXPECT_TRUE(may_fail_ || absl::IsCancelled(n.status()))
          << url << n.status();
      co_return;
    }
    if (*n == 0) {
      EXPECT_TRUE(body == planned.body) << url << ": " << body.size();
      ++n_whole_;
      co_return;
    }
    body.append(reinterpret_cast<const char*>(buffer.data()), *n);
    EXPECT_LE(body.size(), planned.body.size()) << url;
    EXPECT_EQ(planned.body.compare(0, body.size(), body), 0) << url;
    if (::testing::Test::HasFailure()) co_return;
  }
  ++n_given_up_;
}

Task<void> RandomRequests::Run(int n) {
  for (int i = 0; i < n && !::testing::Test::HasFailure(); ++i) {
    Task<void> send = SendAndCompare(Plan());
    if (random_.Below(10) > 0) {
      co_await std::move(send);
      continue;
    }
    // Most are faster than that.
    const absl::Status ended = co_await WithTimeout(
        absl::Microseconds(random_.Below(2'000)), std::move(send));
    if (!ended.ok()) ++n_given_up_;
  }
}

}  // namespace ringway::http::testing
