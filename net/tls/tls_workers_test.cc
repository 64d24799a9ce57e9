// SPDX-License-Identifier: Apache-2.0
//
// One context on several workers: sessions are resumed on any of them, and a
// reload disturbs none.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/stream_tasks.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_accept.h"
#include "ringway/net/tls/tls_connect.h"

namespace ringway::net {
namespace {

using ringway::testing::Scaled;
using testing::Bytes;
using testing::MakeClient;
using testing::MakeServer;
using testing::TestCertificate;
using testing::TestServerOptions;
using testing::ValueOf;

Task<absl::Status> Greet(TlsContext context, TcpStream connection) {
  Task<absl::StatusOr<TlsStream>> accept =
      AcceptTls(std::move(context), std::move(connection));
  absl::StatusOr<TlsStream> stream = co_await std::move(accept);
  if (!stream.ok()) co_return stream.status();
  absl::Status sent = co_await stream->Write(Bytes("hello"));
  if (!sent.ok()) co_return sent;
  co_return co_await stream->CloseGracefully(absl::Seconds(30));
}

// Connects to itself, `n` times.
Task<void> Worker(TlsContext server, TlsContext client, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i) {
    auto pair = ValueOf(StreamPair());
    JoinHandle<absl::Status> greeting =
        Spawn(Greet(server, std::move(pair.first)));
    Task<absl::StatusOr<TlsStream>> connect =
        ConnectTls(client, std::move(pair.second), testing::kTestHost);
    absl::StatusOr<TlsStream> stream = co_await std::move(connect);
    EXPECT_TRUE(stream.ok()) << stream.status();
    if (stream.ok()) {
      std::string all;
      while (true) {
        const absl::StatusOr<ReceivedBuffer> part = co_await stream->Receive();
        EXPECT_TRUE(part.ok()) << part.status();
        if (!part.ok() || part->empty()) break;
        all += testing::AsString(part->bytes());
      }
      EXPECT_EQ(all, "hello");
      EXPECT_TRUE((co_await stream->Close()).ok());
    }
    const absl::Status greeted = co_await greeting;
    EXPECT_TRUE(greeted.ok()) << greeted;
  }
}

void RunWorkers(const TlsServerOptions& options) {
  constexpr uint64_t kWorkers = 3;
  const uint64_t n = Scaled(200);
  TlsContext server = MakeServer(options);
  const TlsContext client = MakeClient();
  std::atomic<bool> done{false};
  uint64_t n_reloads = 0;
  std::thread reloading([&] {
    while (!done.load()) {
      EXPECT_EQ(server.Reload(), absl::OkStatus());
      ++n_reloads;
    }
  });
  std::vector<std::thread> workers;
  for (uint64_t i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&] {
      auto executor = Executor::Create();
      EXPECT_TRUE(executor.ok());
      EXPECT_TRUE((*executor)->Run(Worker(server, client, n)).ok());
    });
  }
  for (std::thread& worker : workers) worker.join();
  done.store(true);
  reloading.join();
  const TlsStatistics statistics = server.statistics();
  EXPECT_EQ(statistics.handshakes_succeeded, kWorkers * n);
  EXPECT_EQ(statistics.handshakes_failed, 0u);
  // All but the first of each worker, at least; on whichever worker.
  EXPECT_GE(statistics.resumed, kWorkers * (n - 1));
  EXPECT_GT(n_reloads, 0u);
}

TEST(TlsWorkers, ShareSessionsAndReloadsOfTls13) {
  RunWorkers(TestServerOptions());
}

TEST(TlsWorkers, ShareSessionsAndReloadsOfTls12) {
  TlsServerOptions options = TestServerOptions();
  options.max_version = TlsVersion::kTls12;
  RunWorkers(options);
}

TEST(TlsWorkers, SignByRsaOnTheBlockingPool) {
  TlsServerOptions options = TestServerOptions();
  options.certificates = {TestCertificate("server_rsa")};
  RunWorkers(options);
}

}  // namespace
}  // namespace ringway::net
