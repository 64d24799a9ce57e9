// SPDX-License-Identifier: Apache-2.0
//
// The dependencies work in the configuration they were built in: each is used
// across a library boundary, so a mismatch of compiler options shows up here
// and not in the first test that happens to need it.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "gtest/gtest.h"
#include "liburing.h"
#include "llhttp.h"
#include "nghttp2/nghttp2.h"
#include "openssl/crypto.h"
#include "openssl/ssl.h"
#include "zlib.h"

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

TEST(Dependencies, LlhttpParsesARequestInPieces) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = [](llhttp_t* parser, const char* data, size_t size) {
    static_cast<std::string*>(parser->data)->append(data, size);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t*) { return int{HPE_PAUSED}; };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  std::string url;
  parser.data = &url;

  constexpr std::string_view kStart = "GET /in";
  EXPECT_EQ(llhttp_execute(&parser, kStart.data(), kStart.size()), HPE_OK);
  constexpr std::string_view kRest = "dex HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(llhttp_execute(&parser, kRest.data(), kRest.size()), HPE_PAUSED);
  EXPECT_EQ(llhttp_get_method(&parser), HTTP_GET);
  EXPECT_EQ(url, "/index");
}

TEST(Dependencies, LlhttpRefusesALineThatEndsInLfAlone) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a\n\r\n";
  EXPECT_EQ(llhttp_execute(&parser, kRequest.data(), kRequest.size()),
            HPE_CR_EXPECTED);
}

TEST(Dependencies, Nghttp2IsTheVersionOfItsHeaders) {
  EXPECT_EQ(nghttp2_version(0)->version_num, NGHTTP2_VERSION_NUM);
  EXPECT_STREQ(nghttp2_version(0)->version_str, NGHTTP2_VERSION);
}

// A terminated session ignores its input: that is a state of its reader. If a
// callback had terminated it, the reader left that state when the frame ended,
// and the next malformed frame made an assertion fail (CVE-2026-27135,
// third_party/nghttp2/terminated_session.patch).
TEST(Dependencies, Nghttp2IgnoresWhatFollowsTermination) {
  nghttp2_session_callbacks* callbacks = nullptr;
  ASSERT_EQ(nghttp2_session_callbacks_new(&callbacks), 0);
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks,
      [](nghttp2_session* session, const nghttp2_frame* frame, void*) {
        if (frame->hd.type != NGHTTP2_DATA) return 0;
        return nghttp2_session_terminate_session(session, NGHTTP2_NO_ERROR);
      });
  nghttp2_session* session = nullptr;
  ASSERT_EQ(nghttp2_session_server_new(&session, callbacks, nullptr), 0);
  nghttp2_session_callbacks_del(callbacks);

  constexpr std::string_view kSettings("\0\0\0\4\0\0\0\0\0", 9);
  // POST / of http://a, on stream 1, and a byte of its content.
  constexpr std::string_view kHeaders("\0\0\6\1\4\0\0\0\1\x83\x86\x84\x41\1a",
                                      15);
  constexpr std::string_view kData("\0\0\1\0\0\0\0\0\1x", 10);
  constexpr std::string_view kPingOf7Bytes("\0\0\7\6\0\0\0\0\0", 9);
  const std::string input = absl::StrCat(NGHTTP2_CLIENT_MAGIC, kSettings,
                                         kHeaders, kData, kPingOf7Bytes);
  EXPECT_EQ(nghttp2_session_mem_recv2(
                session, reinterpret_cast<const uint8_t*>(input.data()),
                input.size()),
            static_cast<nghttp2_ssize>(input.size()));
  nghttp2_session_del(session);
}

TEST(Dependencies, ZlibReturnsWhatItCompressed) {
  EXPECT_STREQ(zlibVersion(), ZLIB_VERSION);
  const std::string text(10'000, 'a');
  std::string compressed(compressBound(text.size()), '\0');
  uLongf n_compressed = compressed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(compressed.data()), &n_compressed,
                     reinterpret_cast<const Bytef*>(text.data()), text.size()),
            Z_OK);
  EXPECT_LT(n_compressed, 100u);

  std::string restored(text.size(), '\0');
  uLongf n_restored = restored.size();
  ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(restored.data()), &n_restored,
                       reinterpret_cast<const Bytef*>(compressed.data()),
                       n_compressed),
            Z_OK);
  EXPECT_EQ(restored.substr(0, n_restored), text);
}

}  // namespace
