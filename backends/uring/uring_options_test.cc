// SPDX-License-Identifier: Apache-2.0
//
// Features of io_uring only: restrictions, registered files and memory,
// polled direct transfers, large entries, limits on the kernel's threads.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/backends/uring/kernel_ring.h"
#include "ringway/backends/uring/uring_backend.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/memory/aligned_buffer.h"

namespace ringway::uring {
namespace {

using testing::AsBytes;
using testing::BackendDriver;
using testing::CountedMultishot;
using testing::CountedOperation;
using testing::FdPair;
using testing::MakeFile;
using testing::MakeSocketPair;
using testing::SendAll;

class UringOptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Backend>> backend =
        UringBackend::Create(BackendOptions());
    if (backend.ok()) return;
    GTEST_SKIP() << "the kernel refuses io_uring: " << backend.status();
  }

  static std::unique_ptr<Backend> Make(const BackendOptions& options) {
    absl::StatusOr<std::unique_ptr<Backend>> backend =
        UringBackend::Create(options);
    RINGWAY_CHECK(backend.ok(), "%s", backend.status().ToString().c_str());
    return *std::move(backend);
  }

  // Sends and receives over a pair, closing one end by an operation.
  static void ExpectThatSocketsWork(BackendDriver& driver, FdPair& pair) {
    std::byte received[4];
    CountedOperation send, recv;
    PrepareSend(send, pair.first.get(), AsBytes("ping"));
    EXPECT_EQ(driver.RunToEnd(send), 4);
    PrepareRecv(recv, pair.second.get(), received);
    EXPECT_EQ(driver.RunToEnd(recv), 4);
    EXPECT_EQ(memcmp(received, "ping", 4), 0);
  }
};

KernelRing::Config SmallRing() {
  return {.submission_entries = 8,
          .completion_entries = 16,
          .large_entries = false,
          .polled = false,
          .restricted_to = 0,
          .bounded_workers = 0,
          .unbounded_workers = 0,
          .masked_setup_flags = 0,
          .masked_features = 0,
          .masked_opcodes = 0};
}

// --- Restrictions

TEST_F(UringOptionsTest, ARestrictedRingRefusesOtherOpcodes) {
  KernelRing::Config config = SmallRing();
  config.restricted_to = uint64_t{1} << IORING_OP_NOP;
  absl::StatusOr<std::unique_ptr<KernelRing>> ring = KernelRing::Create(config);
  ASSERT_TRUE(ring.ok()) << ring.status();
  io_uring_prep_fsync((*ring)->NextEntry(), STDIN_FILENO, 0);
  ASSERT_GE((*ring)->Enter(/*block=*/true, nullptr), 0);
  int32_t result = 0;
  (*ring)->Reap([&](const io_uring_cqe& cqe) { result = cqe.res; });
  EXPECT_EQ(result, -EACCES);
}

TEST_F(UringOptionsTest, ARestrictedRingRefusesOtherRegistrations) {
  KernelRing::Config config = SmallRing();
  config.restricted_to = uint64_t{1} << IORING_OP_NOP;
  absl::StatusOr<std::unique_ptr<KernelRing>> ring = KernelRing::Create(config);
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ(io_uring_register_personality((*ring)->get()), -EACCES);
}

TEST_F(UringOptionsTest, ARestrictedBackendDoesItsWork) {
  BackendOptions options;
  options.uring.restricted = true;
  options.uring.registered_files = 64;
  BackendDriver driver(Make(options));
  FdPair pair = MakeSocketPair();
  ASSERT_TRUE(driver->hints().RegisterFd(pair.first.get()).ok());
  ExpectThatSocketsWork(driver, pair);

  CountedMultishot receive;
  PrepareRecvMultishot(receive, pair.first.get());
  driver.Start(receive);
  SendAll(pair.second.get(), "delivered");
  ASSERT_TRUE(driver.RunUntil([&] { return receive.delivery_count > 0; }));
  driver.Cancel(receive);
  ASSERT_TRUE(driver.RunUntil([&] { return receive.ended(); }));
  driver->DropDeliveries(receive);
}

// --- Registered files

TEST_F(UringOptionsTest, OperationsOnARegisteredFdWork) {
  BackendOptions options;
  options.uring.registered_files = 1024;
  BackendDriver driver(Make(options));
  FdPair pair = MakeSocketPair();
  ASSERT_TRUE(driver->hints().RegisterFd(pair.first.get()).ok());
  ASSERT_TRUE(driver->hints().RegisterFd(pair.second.get()).ok());
  ExpectThatSocketsWork(driver, pair);
}

// The kernel's slot keeps the file open: a close that did not clear it would
// send no end of stream.
TEST_F(UringOptionsTest, ClosingARegisteredFdClosesTheFile) {
  BackendOptions options;
  options.uring.registered_files = 1024;
  BackendDriver driver(Make(options));
  FdPair pair = MakeSocketPair();
  ASSERT_TRUE(driver->hints().RegisterFd(pair.first.get()).ok());
  CountedOperation close, recv;
  PrepareClose(close, pair.first.Release());
  EXPECT_EQ(driver.RunToEnd(close), 0);
  std::byte buffer[1];
  PrepareRecv(recv, pair.second.get(), buffer);
  EXPECT_EQ(driver.RunToEnd(recv), 0);
}

TEST_F(UringOptionsTest, AForgottenFdCanBeClosedAndItsNumberUsedAgain) {
  BackendOptions options;
  options.uring.registered_files = 1024;
  BackendDriver driver(Make(options));
  for (int round = 0; round < 100; ++round) {
    FdPair pair = MakeSocketPair();
    ASSERT_TRUE(driver->hints().RegisterFd(pair.first.get()).ok());
    ExpectThatSocketsWork(driver, pair);
    driver->hints().ForgetFd(pair.first.get());
  }
}

TEST_F(UringOptionsTest, AnFdWithoutASlotIsRefusedWithTheOptionsName) {
  BackendOptions options;
  options.uring.registered_files = 1;
  BackendDriver driver(Make(options));
  FdPair pair = MakeSocketPair();
  const absl::Status status = driver->hints().RegisterFd(pair.first.get());
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("registered_files"), std::string::npos);
}

// --- Registered memory

TEST_F(UringOptionsTest, TransfersInRegisteredMemoryWork) {
  BackendDriver driver(Make(BackendOptions()));
  absl::StatusOr<AlignedBuffer> memory = AlignedBuffer::Create(8192, 4096);
  ASSERT_TRUE(memory.ok()) << memory.status();
  const std::span<std::byte> region(memory->data(), memory->size());
  ASSERT_TRUE(driver->hints().RegisterMemory(region).ok());
  UniqueFd file = MakeFile("registered");
  CountedOperation read, write;
  PrepareRead(read, file.get(), region.subspan(100, 10), 0);
  EXPECT_EQ(driver.RunToEnd(read), 10);
  EXPECT_EQ(memcmp(region.data() + 100, "registered", 10), 0);
  PrepareWrite(write, file.get(), region.subspan(102, 4), 0);
  EXPECT_EQ(driver.RunToEnd(write), 4);
  char content[11] = {};
  ASSERT_EQ(pread(file.get(), content, 10, 0), 10);
  EXPECT_STREQ(content, "giststered");

  driver->hints().ForgetMemory(region);
  PrepareRead(read, file.get(), region.first(10), 0);
  EXPECT_EQ(driver.RunToEnd(read), 10);
}

TEST_F(UringOptionsTest, MemoryIsRefusedBeyondTheNumberOfRegions) {
  BackendDriver driver(Make(BackendOptions()));
  absl::StatusOr<AlignedBuffer> memory =
      AlignedBuffer::Create((Registered::kMaxRegions + 1) * 64, 4096);
  ASSERT_TRUE(memory.ok()) << memory.status();
  const std::span<std::byte> all(memory->data(), memory->size());
  for (size_t i = 0; i < Registered::kMaxRegions; ++i)
    ASSERT_TRUE(driver->hints().RegisterMemory(all.subspan(i * 64, 64)).ok());
  const auto last = all.subspan(Registered::kMaxRegions * 64, 64);
  EXPECT_EQ(driver->hints().RegisterMemory(last).code(),
            absl::StatusCode::kResourceExhausted);
  driver->hints().ForgetMemory(all.subspan(64, 64));
  EXPECT_TRUE(driver->hints().RegisterMemory(last).ok());
}

// --- Direct polling

// A file opened with O_DIRECT, or an invalid fd where the file system has none.
// It has blocks on the device, which a hole is read without.
UniqueFd DirectFile(size_t n_bytes) {
  const char* directory = getenv("TEST_TMPDIR");
  const std::string path =
      std::string(directory == nullptr ? "." : directory) + "/direct";
  UniqueFd file(
      open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  RINGWAY_CHECK(file.valid(), "%s: %s", path.c_str(), strerror(errno));
  const std::string content(n_bytes, 'x');
  RINGWAY_CHECK(write(file.get(), content.data(), n_bytes) ==
                        static_cast<ssize_t>(n_bytes) &&
                    fsync(file.get()) == 0,
                "writing %s: %s", path.c_str(), strerror(errno));
  return UniqueFd(open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
}

int32_t ReadDirectly(BackendDriver& driver, int fd, uint32_t more_flags = 0) {
  absl::StatusOr<AlignedBuffer> memory = AlignedBuffer::Create(4096, 4096);
  RINGWAY_CHECK(memory.ok(), "%s", memory.status().ToString().c_str());
  CountedOperation read;
  PrepareRead(read, fd, {memory->data(), 4096}, 0, kDirectIo | more_flags);
  return driver.RunToEnd(read);
}

TEST_F(UringOptionsTest, DirectPollingFallsBackWhereTheDeviceHasNoPollQueues) {
  UniqueFd file = DirectFile(4096);
  if (!file.valid()) GTEST_SKIP() << "no O_DIRECT here: " << strerror(errno);
  BackendOptions options;
  options.uring.direct_polling = DirectPolling::kAuto;
  BackendDriver driver(Make(options));
  EXPECT_TRUE(driver->info().polls_direct_io);
  EXPECT_EQ(ReadDirectly(driver, file.get()), 4096);
  EXPECT_LE(driver->stats().direct_polling_refused, 1u);

  options.uring.direct_polling = DirectPolling::kRequired;
  BackendDriver strict(Make(options));
  const bool has_poll_queues = driver->stats().direct_polling_refused == 0;
  EXPECT_EQ(ReadDirectly(strict, file.get()),
            has_poll_queues ? 4096 : -EOPNOTSUPP);
}

// The ring is made with the first transfer: until then there is no fd of it.
TEST_F(UringOptionsTest, ARingThatPollsIsMadeWithTheFirstDirectTransfer) {
  UniqueFd file = DirectFile(4096);
  if (!file.valid()) GTEST_SKIP() << "no O_DIRECT here: " << strerror(errno);
  BackendOptions options;
  options.uring.direct_polling = DirectPolling::kAuto;
  BackendDriver driver(Make(options));
  const int next = UniqueFd(dup(file.get())).get();
  EXPECT_EQ(UniqueFd(dup(file.get())).get(), next);
  EXPECT_EQ(ReadDirectly(driver, file.get()), 4096);
  EXPECT_GT(UniqueFd(dup(file.get())).get(), next);
}

// Each transfer used to be refused by the device before the other ring did it.
TEST_F(UringOptionsTest, ADeviceThatRefusedIsNotPolledAgain) {
  UniqueFd file = DirectFile(4096);
  if (!file.valid()) GTEST_SKIP() << "no O_DIRECT here: " << strerror(errno);
  BackendOptions options;
  options.uring.direct_polling = DirectPolling::kAuto;
  BackendDriver driver(Make(options));
  EXPECT_EQ(ReadDirectly(driver, file.get()), 4096);
  if (driver->stats().direct_polling_refused == 0)
    GTEST_SKIP() << "the device has poll queues";
  BackendDriver plain(Make(BackendOptions()));
  EXPECT_EQ(ReadDirectly(plain, file.get()), 4096);
  const uint64_t calls = driver->stats().system_calls;
  const uint64_t plain_calls = plain->stats().system_calls;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ReadDirectly(driver, file.get()), 4096);
    EXPECT_EQ(ReadDirectly(plain, file.get()), 4096);
  }
  EXPECT_EQ(driver->stats().direct_polling_refused, 11u);
  EXPECT_EQ(driver->stats().system_calls - calls,
            plain->stats().system_calls - plain_calls);
}

TEST_F(UringOptionsTest, WhatMustBePolledForIsRefusedAndNotForgotten) {
  UniqueFd file = DirectFile(4096);
  if (!file.valid()) GTEST_SKIP() << "no O_DIRECT here: " << strerror(errno);
  BackendOptions options;
  options.uring.direct_polling = DirectPolling::kAuto;
  BackendDriver driver(Make(options));
  const int32_t result = ReadDirectly(driver, file.get(), kMustPoll);
  if (result == 4096) GTEST_SKIP() << "the device has poll queues";
  EXPECT_EQ(result, -EOPNOTSUPP);
  EXPECT_EQ(ReadDirectly(driver, file.get()), 4096);
  EXPECT_EQ(ReadDirectly(driver, file.get(), kMustPoll), -EOPNOTSUPP);
  EXPECT_EQ(driver->stats().direct_polling_refused, 3u);

  EXPECT_EQ(ReadDirectly(driver, file.get(), kNeverPoll), 4096);
  EXPECT_EQ(driver->stats().direct_polling_refused, 3u);

  BackendDriver plain(Make(BackendOptions()));
  EXPECT_FALSE(plain->info().polls_direct_io);
  EXPECT_EQ(ReadDirectly(plain, file.get(), kMustPoll), 4096);
}

// A device without poll queues refuses the read when it is polled, and the
// other ring must then do the read. A read that had been cancelled meanwhile
// was queued for that too, and the destruction of the backend cancelled it
// again and again, although a cancel is handled only once. The teardown
// suites have no direct reads.
TEST_F(UringOptionsTest, BackendEndsWithADirectReadInFlight) {
  UniqueFd file = DirectFile(4096);
  if (!file.valid()) GTEST_SKIP() << "no O_DIRECT here: " << strerror(errno);
  absl::StatusOr<AlignedBuffer> memory = AlignedBuffer::Create(4096, 4096);
  ASSERT_TRUE(memory.ok()) << memory.status();
  for (DirectPolling polling :
       {DirectPolling::kAuto, DirectPolling::kRequired}) {
    EXPECT_EXIT(
        {
          alarm(20);  // far more than it takes: reached only by a hang
          BackendOptions options;
          options.uring.direct_polling = polling;
          BackendDriver driver(Make(options));
          CountedOperation read;
          PrepareRead(read, file.get(), {memory->data(), 4096}, 0, kDirectIo);
          driver.Start(read);
          driver->Submit(driver.pending(), driver.ready());
          driver.DestroyBackend();
          _exit(read.state == OpState::kDone ? 7 : 1);
        },
        ::testing::ExitedWithCode(7), "");
  }
}

TEST_F(UringOptionsTest, WhatIsNotMarkedAsDirectNeverReachesThePolledRing) {
  BackendOptions options;
  options.uring.direct_polling = DirectPolling::kRequired;
  BackendDriver driver(Make(options));
  UniqueFd file = MakeFile("buffered");
  std::byte buffer[8];
  CountedOperation read;
  PrepareRead(read, file.get(), buffer, 0);
  EXPECT_EQ(driver.RunToEnd(read), 8);
}

// --- Large entries

TEST_F(UringOptionsTest, LargeEntriesCarryOrdinaryOperations) {
  BackendOptions options;
  options.uring.large_entries = true;
  options.submission_entries = 4;
  BackendDriver driver(Make(options));
  EXPECT_EQ(driver->info().command_bytes, 80u);
  FdPair pair = MakeSocketPair();
  for (int i = 0; i < 20; ++i) ExpectThatSocketsWork(driver, pair);
}

TEST_F(UringOptionsTest, ArgumentsOfACommandThatDoNotFitAreRefused) {
  BackendDriver driver(Make(BackendOptions()));
  FdPair pair = MakeSocketPair();
  EXPECT_EQ(driver->info().command_bytes, 16u);
  const std::array<std::byte, 17> arguments = {};
  CountedOperation command;
  PrepareUringCommand(command, pair.first.get(), 0, arguments);
  EXPECT_EQ(driver.RunToEnd(command), -EINVAL);
}

// --- Worker threads

TEST_F(UringOptionsTest, TheKernelsThreadsAreLimited) {
  KernelRing::Config config = SmallRing();
  config.bounded_workers = 3;
  config.unbounded_workers = 5;
  absl::StatusOr<std::unique_ptr<KernelRing>> ring = KernelRing::Create(config);
  ASSERT_TRUE(ring.ok()) << ring.status();
  unsigned int limits[2] = {0, 0};  // zeros change nothing and are filled in
  ASSERT_EQ(io_uring_register_iowq_max_workers((*ring)->get(), limits), 0);
  EXPECT_EQ(limits[0], 3u);
  EXPECT_EQ(limits[1], 5u);
}

// --- Masks

TEST_F(UringOptionsTest, AHiddenFeatureOrOpcodeIsAsGoodAsMissing) {
  BackendOptions options;
  options.uring.masked_features = IORING_FEAT_NODROP;
  EXPECT_EQ(UringBackend::Create(options).status().code(),
            absl::StatusCode::kUnimplemented);
  options.uring.masked_features = 0;
  options.uring.masked_opcodes = uint64_t{1} << IORING_OP_SEND;
  EXPECT_EQ(UringBackend::Create(options).status().code(),
            absl::StatusCode::kUnimplemented);
  options.uring.masked_opcodes = uint64_t{1} << IORING_OP_SEND_ZC;
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      UringBackend::Create(options);
  ASSERT_TRUE(backend.ok()) << backend.status();
  EXPECT_EQ((*backend)->support(OpCode::kSendZeroCopy), Support::kEmulated);
}

}  // namespace
}  // namespace ringway::uring
