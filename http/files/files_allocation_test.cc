// SPDX-License-Identifier: Apache-2.0
//
// A small file that is kept is sent without an allocation.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/http/files/files.h"
#include "ringway/http/files/testing/files_fixture.h"
#include "ringway/http/server/router.h"

namespace ringway::http {
namespace {

using ringway::testing::CountAllocations;

constexpr size_t kBodyBytes = 1024;

class FilesAllocationTest : public testing::FilesTest {
 protected:
  // Those for 200 requests.
  Task<uint64_t> CountFor(std::string_view path) {
    const std::string request =
        absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: a\r\n\r\n");
    std::array<std::byte, 2 * kBodyBytes> buffer;
    constexpr int kWarmUp = 50;
    uint64_t before = 0;
    for (int i = 0; i < kWarmUp + 200; ++i) {
      if (i == kWarmUp) before = CountAllocations();
      EXPECT_TRUE((co_await client().Write(fs::testing::Bytes(request))).ok());
      size_t n_read = 0;
      while (n_read < kBodyBytes) {  // head and body come together
        const absl::StatusOr<size_t> n =
            co_await client().Read(std::span(buffer).subspan(n_read));
        EXPECT_TRUE(n.ok() && *n > 0);
        if (!n.ok() || *n == 0) co_return 0;
        n_read += *n;
      }
      EXPECT_EQ(buffer[n_read - 1], std::byte{'x'});
    }
    co_return CountAllocations() - before;
  }
};

// Compared with a handler that does nothing but send.
TEST_P(FilesAllocationTest, AKeptFileIsSentWithoutOne) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    const std::string content(kBodyBytes, 'x');
    co_await Put("f.txt", content);
    FilesOptions options;
    options.validity = absl::Hours(1);
    Router router;
    router.Get("/files/*path", Files(PathOf("root"), options));
    router.Get("/fixed/*path", [&content](Request&, ResponseWriter& response) {
      return response.Send(200, content);
    });
    co_await ServeRouter(std::move(router));
    const uint64_t fixed = co_await CountFor("/fixed/f.txt");
    EXPECT_EQ(co_await CountFor("/files/f.txt"), fixed);
    co_await End();
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FilesAllocationTest);

}  // namespace
}  // namespace ringway::http
