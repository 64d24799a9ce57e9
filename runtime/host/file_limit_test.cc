// SPDX-License-Identifier: Apache-2.0
//
// In forked processes, whose limits are their own.

#include "ringway/runtime/host/file_limit.h"

#include <sys/resource.h>

#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"
#include "ringway/runtime/host/testing/child.h"

namespace ringway {
namespace {

using testing::ResultOfChild;

void SetLimits(rlim_t soft, rlim_t hard) {
  const rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
  RINGWAY_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

// "STATUS; soft/hard" after asking for `need` under the given limits.
std::string AfterAsking(uint64_t need, rlim_t soft, rlim_t hard) {
  return ResultOfChild([=] {
    SetLimits(soft, hard);
    const absl::Status status = EnsureFileLimit(need);
    rlimit after;
    RINGWAY_CHECK(getrlimit(RLIMIT_NOFILE, &after) == 0, "getrlimit");
    return absl::StrCat(status.ToString(), "; ", after.rlim_cur, "/",
                        after.rlim_max);
  });
}

TEST(EnsureFileLimit, RaisesTheSoftLimitToTheNeed) {
  EXPECT_EQ(AfterAsking(301, 250, 400), "OK; 301/400");
  EXPECT_EQ(AfterAsking(400, 250, 400), "OK; 400/400");
}

TEST(EnsureFileLimit, NeverLowersIt) {
  EXPECT_EQ(AfterAsking(10, 250, 400), "OK; 250/400");
  EXPECT_EQ(AfterAsking(250, 250, 400), "OK; 250/400");
  EXPECT_EQ(AfterAsking(0, 250, 400), "OK; 250/400");
}

// As root, too, whose processes may raise the hard limit.
TEST(EnsureFileLimit, IsRefusedAboveTheHardLimit) {
  EXPECT_EQ(AfterAsking(401, 250, 400),
            "RESOURCE_EXHAUSTED: 401 open files are needed; the soft limit is "
            "250, the hard limit 400: raise it with `ulimit -n 401` as root or "
            "LimitNOFILE=401 in the systemd unit, or configure fewer "
            "connections; 250/400");
}

TEST(EnsureFileLimit, IsRefusedForTheLargestNumber) {
  const std::string result =
      AfterAsking(std::numeric_limits<uint64_t>::max(), 250, 400);
  EXPECT_EQ(result.find("RESOURCE_EXHAUSTED"), 0u) << result;
}

TEST(EnsureFileLimit, MayBeAskedAgain) {
  EXPECT_EQ(ResultOfChild([] {
              SetLimits(250, 400);
              return absl::StrCat(EnsureFileLimit(401).code(), " ",
                                  EnsureFileLimit(300).code(), " ",
                                  EnsureFileLimit(350).code());
            }),
            "8 0 0");
}

}  // namespace
}  // namespace ringway
