// SPDX-License-Identifier: Apache-2.0
//
// The dependencies work in the configuration they were built in: each is used
// across a library boundary, so a mismatch of compiler options shows up here
// and not in the first test that happens to need it.

#include <cerrno>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "gtest/gtest.h"
#include "liburing.h"
#include "openssl/crypto.h"
#include "openssl/ssl.h"

namespace {

TEST(Dependencies, AbseilStatusKeepsItsCodeAndMessage) {
  const absl::StatusOr<int> result =
      absl::UnavailableError(absl::StrCat("peer ", 7, " is gone"));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(result.status().message(), "peer 7 is gone");
}

TEST(Dependencies, AbseilDurationFormats) {
  EXPECT_EQ(absl::FormatDuration(absl::Milliseconds(1500)), "1.5s");
}

TEST(Dependencies, BenchmarkRegistersByName) {
  benchmark::internal::Benchmark* registered =
      benchmark::RegisterBenchmark("nothing", [](benchmark::State& state) {
        for (auto _ : state) {
        }
      });
  EXPECT_NE(registered, nullptr);
}

TEST(Dependencies, OpensslIsTheVersionOfItsHeaders) {
  // Within a major version later libraries serve programs of earlier headers.
  EXPECT_EQ(OPENSSL_version_major(), unsigned{OPENSSL_VERSION_MAJOR});
  EXPECT_GE(OpenSSL_version_num(), uint64_t{OPENSSL_VERSION_NUMBER});
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  EXPECT_NE(context, nullptr);
  SSL_CTX_free(context);
}

TEST(Dependencies, LiburingCompletesANop) {
  io_uring ring;
  const int initialised = io_uring_queue_init(4, &ring, 0);
  if (initialised == -EPERM || initialised == -ENOSYS) {
    GTEST_SKIP() << "io_uring is refused here: errno " << -initialised;
  }
  ASSERT_EQ(initialised, 0);

  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  ASSERT_NE(sqe, nullptr);
  io_uring_prep_nop(sqe);
  io_uring_sqe_set_data64(sqe, 42);
  ASSERT_EQ(io_uring_submit(&ring), 1);

  io_uring_cqe* cqe = nullptr;
  ASSERT_EQ(io_uring_wait_cqe(&ring, &cqe), 0);
  EXPECT_EQ(cqe->user_data, 42u);
  EXPECT_EQ(cqe->res, 0);
  io_uring_cqe_seen(&ring, cqe);
  io_uring_queue_exit(&ring);
}

}  // namespace
