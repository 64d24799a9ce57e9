// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/testing/random_exchanges.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/testing/stream_tasks.h"

namespace ringway::http::testing {

namespace {

enum class Way : uint8_t { kWhole, kChunks, kLength, kEcho, kUnread };
constexpr uint64_t kWays = 5;

std::string BytesOf(size_t n) {
  return net::testing::AsString(
      net::testing::Pattern(n, static_cast<uint32_t>(n)));
}

Task<absl::Status> SendInPieces(ResponseWriter& response,
                                const std::string& bytes) {
  absl::Status sent = co_await response.Start(200);
  for (size_t at = 0; sent.ok() && at < bytes.size();) {
    // Pieces of 1, 7, 43, ... bytes.
    const size_t n = std::min(bytes.size() - at, at * 5 + at % 3 + 1);
    sent = co_await response.Write(std::string_view(bytes).substr(at, n));
    at += n;
  }
  co_return sent;
}

}  // namespace

Task<absl::Status> AnswerRandomRequest(Request& request,
                                       ResponseWriter& response) {
  const std::string_view path = request.path();
  int way = 0;
  size_t n = 0;
  const size_t slash = path.find('/', 1);
  if (slash == std::string_view::npos ||
      !absl::SimpleAtoi(path.substr(1, slash - 1), &way) ||
      !absl::SimpleAtoi(path.substr(slash + 1), &n)) {
    co_return absl::NotFoundError("");
  }
  const std::string bytes = BytesOf(n);
  switch (static_cast<Way>(way)) {
    case Way::kWhole:
    case Way::kUnread:
      co_return co_await response.Send(200, bytes);
    case Way::kLength:
      response.headers().Set("Content-Length", absl::StrCat(n));
      [[fallthrough]];
    case Way::kChunks: {
      Task<absl::Status> send = SendInPieces(response, bytes);
      co_return co_await std::move(send);
    }
    case Way::kEcho: {
      Task<absl::StatusOr<std::string>> read = request.ReadAll(1 << 20);
      const absl::StatusOr<std::string> body = co_await std::move(read);
      if (!body.ok()) co_return body.status();
      co_return co_await response.Send(200, *body);
    }
  }
  co_return absl::NotFoundError("");
}

RandomExchanges::RandomExchanges(uint64_t seed, int n) : random_(seed) {
  for (int i = 0; i < n; ++i) planned_.push_back(Plan());
}

RandomExchanges::Planned RandomExchanges::Plan() {
  const auto way = static_cast<Way>(random_.Below(kWays));
  const size_t n =
      random_.Below(random_.Below(4) == 0 ? 40'000 : random_.Between(1, 300));
  const bool has_body = way == Way::kEcho || way == Way::kUnread;
  Planned planned;
  planned.head = !has_body && random_.Below(5) == 0;
  planned.body = way == Way::kEcho || !planned.head ? BytesOf(n) : "";
  planned.request = absl::StrCat(planned.head ? "HEAD"
                                 : has_body   ? "POST"
                                              : "GET",
                                 " /", static_cast<int>(way), "/", n,
                                 " HTTP/1.1\r\nHost: model\r\n");
  for (uint64_t i = random_.Below(4); i > 0; --i) {
    absl::StrAppend(&planned.request,
                    "X-Filler: ", std::string(random_.Below(200), 'f'), "\r\n");
  }
  if (!has_body) {
    planned.request += "\r\n";
  } else if (way == Way::kUnread || random_.Below(2) == 0) {
    // A chunked body that is not read ends the connection.
    absl::StrAppend(&planned.request, "Content-Length: ", n, "\r\n\r\n",
                    BytesOf(n));
  } else {
    planned.request += "Transfer-Encoding: chunked\r\n\r\n";
    const std::string body = BytesOf(n);
    for (size_t at = 0; at < n;) {
      const size_t piece = std::min<size_t>(n - at, random_.Between(1, 9'000));
      absl::StrAppend(&planned.request, absl::Hex(piece),
                      random_.Below(3) == 0 ? ";x=\"y\"" : "", "\r\n",
                      body.substr(at, piece), "\r\n");
      at += piece;
    }
    planned.request += "0\r\n\r\n";
  }
  return planned;
}

Task<void> RandomExchanges::SendAll(RawClient& client) {
  std::string all;
  for (const Planned& planned : planned_) all += planned.request;
  for (size_t at = 0; at < all.size();) {
    const size_t n = std::min<size_t>(
        all.size() - at,
        random_.Below(3) == 0 ? 20'000 : random_.Between(1, 100));
    Task<bool> say = client.Say(all.substr(at, n));
    // What follows would be something else.
    if (!co_await std::move(say)) co_return;
    at += n;
    if (random_.Below(4) == 0)
      (co_await Sleep(absl::Microseconds(random_.Below(300)))).IgnoreError();
  }
}

Task<size_t> RandomExchanges::Run(RawClient& client) {
  JoinHandle<void> sending = Spawn(SendAll(client));
  size_t n_whole = 0;
  for (const Planned& planned : planned_) {
    Task<RawResponse> next = client.Next(planned.head);
    const RawResponse response = co_await std::move(next);
    // A timeout is for what could not be sent.
    if (!response.whole || response.code == 408) break;
    EXPECT_EQ(response.code, 200) << planned.request.substr(0, 60);
    EXPECT_TRUE(response.body == planned.body)
        << planned.request.substr(0, 60) << response.body.size();
    if (response.code != 200 || response.body != planned.body) break;
    ++n_whole;
  }
  sending.Cancel();
  (co_await sending).IgnoreError();
  co_return n_whole;
}

}  // namespace ringway::http::testing
