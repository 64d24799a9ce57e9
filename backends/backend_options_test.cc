// SPDX-License-Identifier: Apache-2.0
//
// Every option has a range, and values outside it are refused with the
// option's name: tests below, at and above each limit. One table lists all
// options, because previously those without a check had no test either: an
// enum made by a cast, buffers of 512 GiB in total (each receive then
// failed), more kernel threads than the kernel accepts (which counted as a
// refusal of io_uring).

#include "ringway/backends/backend_options.h"

#include <cstdint>
#include <limits>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

constexpr uint32_t kHuge = std::numeric_limits<uint32_t>::max();

struct Case {
  const char* option;
  const char* value;
  void (*set)(BackendOptions& options);
  bool valid;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.option << " = " << c.value;
}

#define CASE(member, value, valid)                                       \
  {                                                                      \
#member, #value, [](BackendOptions & o) { o.member = value; }, valid \
  }

const Case kCases[] = {
    CASE(kind, BackendKind::kAuto, true),
    CASE(kind, BackendKind::kEpoll, true),
    CASE(kind, static_cast<BackendKind>(3), false),
    CASE(kind, static_cast<BackendKind>(255), false),
    CASE(submission_entries, 0, false),
    CASE(submission_entries, 1, true),
    CASE(submission_entries, 4096, true),
    CASE(submission_entries, 32'769, false),
    CASE(submission_entries, kHuge, false),
    CASE(completion_entries, 0, false),
    CASE(completion_entries, 511, false),
    CASE(completion_entries, 512, true),
    CASE(completion_entries, 65'536, true),
    CASE(completion_entries, 65'537, false),
    CASE(receive_memory_bytes, 0, false),
    CASE(receive_memory_bytes, 127, false),
    CASE(receive_memory_bytes, 331'775, false),
    CASE(receive_memory_bytes, 331'776, true),  // a buffer of each kind
    CASE(receive_memory_bytes, kMostReceiveBytes, true),
    CASE(receive_memory_bytes, kMostReceiveBytes + 1, false),
    CASE(receive_buffer_count, 0, true),
    CASE(receive_buffer_count, 1, true),
    CASE(receive_buffer_count, 240, true),
    CASE(receive_buffer_count, 241, false),
    CASE(receive_buffer_count, 32'769, false),
    CASE(receive_buffer_count, kHuge, false),
    CASE(receive_buffer_bytes, 63, false),
    CASE(receive_buffer_bytes, 64, true),
    CASE(receive_buffer_bytes, 62'930'944, true),  // one beside datagrams
    CASE(receive_buffer_bytes, 62'930'945, false),
    CASE(receive_buffer_bytes, kHuge, false),
    CASE(receive_low_water, 240, true),
    CASE(receive_low_water, 241, false),
    CASE(receive_copy_bytes, 0, true),
    CASE(receive_copy_bytes, kMostReceiveBytes, true),
    CASE(receive_copy_bytes, kMostReceiveBytes + 1, false),
    CASE(receive_own_bytes, 0, true),
    CASE(receive_own_bytes, 1 << 20, true),
    CASE(receive_own_bytes, (1 << 20) + 1, false),
    CASE(share_receive_buffers, false, true),
    CASE(offload_threads, 0, false),
    CASE(offload_threads, 1, true),
    CASE(offload_threads, 256, true),
    CASE(offload_threads, 257, false),
    CASE(pollable, true, true),
    CASE(uring.restricted, true, true),
    CASE(uring.large_entries, true, true),
    CASE(uring.registered_files, 0, true),
    CASE(uring.registered_files, 32'768, true),
    CASE(uring.registered_files, 32'769, false),
    CASE(uring.bounded_workers, 0, true),
    CASE(uring.bounded_workers, kMostKernelWorkers, true),
    CASE(uring.bounded_workers, kMostKernelWorkers + 1, false),
    CASE(uring.unbounded_workers, 0, true),
    CASE(uring.unbounded_workers, kMostKernelWorkers, true),
    CASE(uring.unbounded_workers, kHuge, false),
    CASE(uring.direct_polling, DirectPolling::kOff, true),
    CASE(uring.direct_polling, DirectPolling::kRequired, true),
    CASE(uring.direct_polling, static_cast<DirectPolling>(3), false),
};

#undef CASE

class BackendOptionsTest : public ::testing::TestWithParam<Case> {};

TEST_P(BackendOptionsTest, AreRefusedOutOfRangeByName) {
  BackendOptions options;
  GetParam().set(options);

  const absl::Status status = CheckBackendOptions(options);

  EXPECT_EQ(status.ok(), GetParam().valid) << status;
  if (GetParam().valid) return;
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find(GetParam().option), std::string::npos)
      << status;
  EXPECT_NE(status.message().find("must be"), std::string::npos) << status;
}

INSTANTIATE_TEST_SUITE_P(Limits, BackendOptionsTest,
                         ::testing::ValuesIn(kCases));

// Each value is in range; together they are not.
TEST(BackendOptions, BoundTheReceiveBuffersTogether) {
  BackendOptions options;
  options.receive_buffer_count = 300;
  options.receive_memory_bytes = 300 * 256 * 1024 + 64 * 68 * 1024;
  EXPECT_TRUE(CheckBackendOptions(options).ok());
  --options.receive_memory_bytes;

  const absl::Status status = CheckBackendOptions(options);

  EXPECT_EQ(status.message(),
            "BackendOptions::receive_memory_bytes is 83099647, must be at "
            "least 83099648 for 300 buffers (receive_buffer_count, or one) of "
            "262144 bytes (receive_buffer_bytes) and 64 of 69632 for "
            "datagrams");
}

// Whatever the numbers, all buffers fit.
TEST(BackendOptions, BuffersFollowFromTheirMemory) {
  const auto counts = [](size_t memory, uint32_t n_bytes, uint32_t most) {
    BackendOptions options;
    options.receive_memory_bytes = memory;
    options.receive_buffer_bytes = n_bytes;
    options.receive_buffer_count = most;
    EXPECT_TRUE(CheckBackendOptions(options).ok()) << memory << ", " << n_bytes;
    const ReceiveBufferCount count = ReceiveBufferCounts(options);
    EXPECT_LE(uint64_t{count.streams} * n_bytes +
                  uint64_t{count.datagrams} * DatagramBufferBytes(options),
              memory);
    return std::to_string(count.streams) + " + " +
           std::to_string(count.datagrams);
  };
  EXPECT_EQ(counts(64 << 20, 256 * 1024, 0), "240 + 60");
  EXPECT_EQ(counts(128 << 20, 256 * 1024, 0), "495 + 64");
  EXPECT_EQ(counts(64 << 20, 256 * 1024, 3), "3 + 3");
  EXPECT_EQ(counts(1 << 20, 256 * 1024, 0), "3 + 1");
  EXPECT_EQ(counts(128, 64, 0), "1 + 1");
  EXPECT_EQ(counts(200, 64, 0), "2 + 1");
  EXPECT_EQ(counts(64 << 20, 64, 0), "32768 + 64");
  EXPECT_EQ(counts(64 << 20, 64, 32'768), "32768 + 64");
}

}  // namespace
}  // namespace ringway
