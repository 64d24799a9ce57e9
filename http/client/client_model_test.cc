// SPDX-License-Identifier: Apache-2.0
//
// Random requests of an http::Client, several at a time: on every backend all
// responses are right, and in a network with faults those that are whole.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_fixture.h"
#include "ringway/http/client/testing/random_requests.h"
#include "ringway/http/testing/http_world.h"
#include "ringway/http/testing/random_exchanges.h"

namespace ringway::http {
namespace {

using HttpClientModelTest = testing::ClientTest;
using ringway::testing::Scaled;
using testing::AnswerRandomRequest;
using testing::RandomRequests;
using testing::RunHttpWorld;

TEST_P(HttpClientModelTest, EveryResponseIsRight) {
  Serve(AnswerRandomRequest);
  auto main = [&](bool http2) -> Task<void> {
    const uint64_t n_seeds = std::max<uint64_t>(2, Scaled(20));
    size_t n_whole = 0;
    size_t n_given_up = 0;
    for (uint64_t seed = 1; seed <= n_seeds && !HasFailure(); ++seed) {
      ClientOptions options;
      options.max_connections_per_host = 1 + seed % 4;
      options.http2_prior_knowledge = http2;
      if (http2) {
        // Small, so that streams and connections wait for windows.
        options.http2.max_streams = static_cast<uint32_t>(1 + seed % 7);
        options.http2.stream_window_bytes =
            static_cast<uint32_t>(seed % 3 == 0 ? 1000 : 100'000);
        options.http2.connection_window_bytes = 65535;
      }
      Client client(options);
      std::vector<std::unique_ptr<RandomRequests>> all;
      std::vector<JoinHandle<void>> running;
      for (uint64_t i = 0; i < 5; ++i) {
        all.push_back(std::make_unique<RandomRequests>(
            seed * 100 + i, client, UrlOf(""), /*may_fail=*/false));
        running.push_back(Spawn(all.back()->Run(20)));
      }
      for (JoinHandle<void>& one : running)
        EXPECT_TRUE((co_await one).ok()) << "seed " << seed;
      for (const auto& one : all) {
        n_whole += one->n_whole();
        n_given_up += one->n_given_up();
      }
      EXPECT_LE(client.statistics().idle, options.max_connections_per_host);
    }
    EXPECT_GT(n_whole, n_seeds * 50);
    EXPECT_GT(n_given_up, 0u);
  };
  auto both = [&]() -> Task<void> {
    for (const bool http2 : {false, true}) co_await main(http2);
  };
  Run(both());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientModelTest);

constexpr int kTasks = 3;
constexpr int kRequests = 6;

Task<void> Visit(net::SocketAddress address, uint64_t seed, bool bad,
                 size_t& n_done) {
  ClientOptions options;
  options.http2_prior_knowledge = seed % 2 == 0;
  Client client(options);
  const std::string base = absl::StrCat("http://", address.ToString());
  std::vector<std::unique_ptr<RandomRequests>> all;
  std::vector<JoinHandle<absl::Status>> running;
  for (uint64_t i = 0; i < kTasks; ++i) {
    all.push_back(
        std::make_unique<RandomRequests>(seed * kTasks + i, client, base, bad));
    // A network that loses things may lose a connection's end, too.
    running.push_back(
        Spawn(WithTimeout(absl::Minutes(10), all.back()->Run(kRequests))));
  }
  for (JoinHandle<absl::Status>& one : running) (co_await one).IgnoreError();
  for (const auto& one : all) n_done += one->n_whole() + one->n_given_up();
}

// Returns the number of responses that were whole, or given up.
size_t RunWorld(uint64_t seed, bool bad) {
  size_t n_done = 0;
  RunHttpWorld(seed, bad, Server(AnswerRandomRequest), /*n_clients=*/1,
               [&](net::SocketAddress address, uint64_t /*client*/) {
                 return Visit(std::move(address), seed, bad, n_done);
               });
  return n_done;
}

TEST(HttpClientSimulation, FaultsNeverChangeAResponse) {
  size_t n_whole = 0;
  for (uint64_t seed = 1; seed <= Scaled(200) && !::testing::Test::HasFailure();
       ++seed) {
    n_whole += RunWorld(seed, /*bad=*/true);
  }
  EXPECT_GT(n_whole, 0u);
}

TEST(HttpClientSimulation, WithoutFaultsAllAreWhole) {
  for (uint64_t seed = 1; seed <= 10; ++seed)
    EXPECT_EQ(RunWorld(seed, /*bad=*/false), size_t{kTasks * kRequests})
        << seed;
}

}  // namespace
}  // namespace ringway::http
