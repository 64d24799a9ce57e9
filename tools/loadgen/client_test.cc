// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/loadgen/meter.h"

namespace ringway::loadgen {
namespace {

constexpr size_t kSize = 64;
constexpr size_t kPipeline = 4;
constexpr size_t kBatch = kSize * kPipeline;

// What the server sends for what it has received.
using Reply = std::function<std::string(const std::string& batch)>;

// Answers batches until the client hangs up.
void Serve(int fd, const Reply& reply) {
  std::string batch(kBatch, '\0');
  while (recv(fd, batch.data(), batch.size(), MSG_WAITALL) ==
         static_cast<ssize_t>(kBatch)) {
    const std::string answer = reply(batch);
    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (answer.size() < kBatch) break;  // and hang up
  }
}

Task<absl::Status> RunClient(Client& client, net::TcpStream stream,
                             const bool& stop) {
  co_return co_await client.Run(stream, stop);
}

// Stops the client once that many replies have come.
Task<void> StopAfter(uint64_t requests, const Meter& meter, bool& stop) {
  while (meter.requests() < requests) {
    absl::Status slept = co_await Sleep(absl::ZeroDuration());
    if (!slept.ok()) co_return;
  }
  stop = true;
}

class ClientTest : public ::testing::Test {
 protected:
  // Exchanges batches until an error, or until `requests` were answered.
  absl::Status Exchange(const Reply& reply, uint64_t requests = 1'000'000) {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    std::thread server([&reply, fd = fds[1]] {
      Serve(fd, reply);
      close(fd);
    });
    absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create();
    EXPECT_TRUE(executor.ok()) << executor.status();
    ClientOptions options;
    options.size = kSize;
    options.pipeline = kPipeline;
    Client client(/*index=*/5, options, meter_);
    meter_.Prepare(absl::Seconds(1));
    meter_.Start(Clock::Real().Now());
    bool stop = false;
    JoinHandle<void> stopping =
        (*executor)->Spawn(StopAfter(requests, meter_, stop));
    const absl::Status status = (*executor)->Run(RunClient(
        client, net::TcpStream::Adopt((*executor)->loop(), UniqueFd(fds[0])),
        stop));
    stopping.Detach();
    executor->reset();
    server.join();
    return status;
  }

  Meter meter_;
};

TEST_F(ClientTest, CountsEveryReply) {
  EXPECT_EQ(Exchange([](const std::string& batch) { return batch; },
                     /*requests=*/10 * kPipeline),
            absl::OkStatus());
  EXPECT_GE(meter_.requests(), 10 * kPipeline);
  EXPECT_EQ(meter_.requests() % kPipeline, 0u);
}

TEST_F(ClientTest, FindsAByteThatChanged) {
  const absl::Status status = Exchange([](const std::string& batch) {
    std::string changed = batch;
    changed[2 * kSize + 7] ^= 1;
    return changed;
  });
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(
      status.message().starts_with("byte 7 of the reply to request 2 is 0x"))
      << status;
}

TEST_F(ClientTest, FindsRepliesThatWereSwapped) {
  EXPECT_TRUE(absl::IsDataLoss(Exchange([](const std::string& batch) {
    return batch.substr(kSize) + batch.substr(0, kSize);
  })));
}

TEST_F(ClientTest, FindsAReplyThatWasRepeated) {
  std::string first;
  EXPECT_TRUE(absl::IsDataLoss(Exchange([&](const std::string& batch) {
    if (first.empty()) first = batch;
    return first;
  })));
  EXPECT_EQ(meter_.requests(), kPipeline);
}

TEST_F(ClientTest, FindsAStreamThatWasShifted) {
  EXPECT_TRUE(absl::IsDataLoss(Exchange(
      [](const std::string& batch) { return batch.substr(8) + "12345678"; })));
}

TEST_F(ClientTest, FindsAReplyThatIsShort) {
  const absl::Status status = Exchange(
      [](const std::string& batch) { return batch.substr(0, kBatch - 1); });
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_EQ(status.message(),
            "the server hung up with 1 bytes of replies missing");
}

TEST_F(ClientTest, FindsBytesThatNobodyAskedFor) {
  const absl::Status status =
      Exchange([](const std::string& batch) { return batch + "more"; });
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(status.message(), "the server sent 4 bytes too many");
}

}  // namespace
}  // namespace ringway::loadgen
