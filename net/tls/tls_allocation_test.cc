// SPDX-License-Identifier: Apache-2.0
//
// Once a connection has been used, records cost no allocation of ours.
// OpenSSL's own, which go through its hook, are counted apart. What an idle
// stream holds.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "openssl/crypto.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/net/tls/stream/tls_worker.h"
#include "ringway/net/tls/testing/tls_fixture.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {
namespace {

using ringway::testing::CountAllocations;
using ringway::testing::kCountsMalloc;
using testing::Bytes;
using testing::Pattern;
using testing::ReadExactly;
using testing::TlsPair;
using testing::TurnTimes;
using testing::ValueOf;
using testing::WriteAll;

uint64_t openssl_allocations = 0;
size_t openssl_bytes = 0;

// The size is kept before the block.
constexpr size_t kHeader = 16;

void* Allocate(size_t n, const char*, int) {
  ++openssl_allocations;
  auto* block = static_cast<char*>(malloc(n + kHeader));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<size_t*>(block) = n;
  openssl_bytes += n;
  return block + kHeader;
}

void Free(void* p, const char*, int) {
  if (p == nullptr) return;
  char* block = static_cast<char*>(p) - kHeader;
  openssl_bytes -= *reinterpret_cast<size_t*>(block);
  free(block);
}

void* Reallocate(void* p, size_t n, const char* file, int line) {
  if (p == nullptr) return Allocate(n, file, line);
  ++openssl_allocations;
  char* block = static_cast<char*>(p) - kHeader;
  openssl_bytes += n - *reinterpret_cast<size_t*>(block);
  auto* moved = static_cast<char*>(realloc(block, n + kHeader));
  if (moved == nullptr) return nullptr;
  *reinterpret_cast<size_t*>(moved) = n;
  return moved + kHeader;
}

// Before OpenSSL allocates anything.
const bool hooked =
    CRYPTO_set_mem_functions(&Allocate, &Reallocate, &Free) == 1;

uint64_t OurAllocations() {
  return CountAllocations() - (kCountsMalloc ? openssl_allocations : 0);
}

constexpr int kWarmUp = 300;
constexpr int kRequests = 1000;

using TlsAllocationTest = testing::TlsTest;
RINGWAY_INSTANTIATE_TLS(TlsAllocationTest);

Task<absl::Status> EchoByReceive(TlsStream& stream) {
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
    if (!received.ok() || received->empty()) co_return received.status();
    absl::Status sent = co_await stream.Write(received->bytes());
    if (!sent.ok()) co_return sent;
  }
}

TEST_P(TlsAllocationTest, NoneOfOursForAnEcho) {
  ASSERT_TRUE(hooked);
  for (const size_t n_bytes : {size_t{64}, size_t{40'000}}) {
    auto main = [&]() -> Task<void> {
      TlsPair pair = co_await ConnectedTls();
      JoinHandle<absl::Status> server = Spawn(EchoByReceive(pair.server));
      const std::vector<std::byte> request = Pattern(n_bytes, 1);
      std::vector<std::byte> reply(n_bytes);
      uint64_t before = 0;
      for (int i = 0; i < kWarmUp + kRequests; ++i) {
        if (i == kWarmUp) before = OurAllocations();
        const absl::Status sent = co_await pair.client.Write(request);
        EXPECT_TRUE(sent.ok());
        size_t have = 0;
        while (have < n_bytes) {
          const absl::StatusOr<size_t> n =
              co_await pair.client.Read(std::span(reply).subspan(have));
          if (!n.ok() || *n == 0) break;
          have += *n;
        }
        EXPECT_EQ(have, n_bytes);
        if (HasFailure()) co_return;
      }
      EXPECT_EQ(OurAllocations() - before, 0u) << n_bytes;
      EXPECT_TRUE((co_await pair.client.Close()).ok());
      EXPECT_TRUE((co_await server).ok());
    };
    Run(main());
  }
}

TEST_P(TlsAllocationTest, AnIdleStreamHoldsNoBuffers) {
  auto main = [&]() -> Task<void> {
    std::vector<TlsPair> pairs;
    pairs.reserve(40);
    // The first ones make what is shared.
    for (int i = 0; i < 20; ++i) pairs.push_back(co_await ConnectedTls());
    const size_t before = openssl_bytes;
    for (int i = 0; i < 20; ++i) {
      pairs.push_back(co_await ConnectedTls());
      const std::vector<std::byte> bytes = Pattern(100'000, 1);
      JoinHandle<absl::Status> writing =
          Spawn(WriteAll(pairs.back().server, bytes));
      EXPECT_EQ(
          (co_await ReadExactly(pairs.back().client, bytes.size())).size(),
          bytes.size());
      EXPECT_TRUE((co_await writing).ok());
    }
    const size_t of_both = openssl_bytes - before;
    for (TlsPair& pair : pairs) pair.client = TlsStream();
    co_await TurnTimes(10);
    const size_t of_clients = before + of_both - openssl_bytes;
    // Those of the first ones went, too.
    const size_t of_a_server = (of_both - of_clients / 2) / 20;
    RecordProperty("openssl_bytes_of_a_server", static_cast<int>(of_a_server));
    // docs/tls.md has the figure. A buffer for a record would be 16 KiB more.
    EXPECT_LT(of_a_server, 24'000u);
    internal::TlsWorker& worker = internal::TlsWorker::Current();
    EXPECT_EQ(worker.lender.blocks_lent(), 0u);
    EXPECT_LE(worker.output.free_blocks(), internal::OutputPool::kMostFree);
    EXPECT_LT(sizeof(internal::TlsCore<TcpStream>), 1000u);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
