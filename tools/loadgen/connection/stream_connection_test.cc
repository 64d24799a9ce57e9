// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/stream_connection.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/loadgen/connection/echo_protocol.h"
#include "ringway/tools/loadgen/testing/load_fixture.h"
#include "ringway/tools/loadgen/testing/recording_source.h"

namespace ringway::loadgen {
namespace {

using testing::RecordingSource;

constexpr size_t kSize = 64;
constexpr size_t kBatch = 4;

// What the server sends for what it has received.
using Reply = std::function<std::string(const std::string& batch)>;

class StreamConnectionTest : public testing::LoadTest {
 protected:
  // A server that answers batches; after a shorter answer it hangs up.
  void ServeBatches(Reply reply) {
    reply_ = std::move(reply);
    Serve("127.0.0.1:0", [this](net::TcpStream stream) {
      return AnswerBatches(std::move(stream));
    });
    target_.address = address();
  }

  std::unique_ptr<Connection> Connect(size_t size = kSize) {
    auto connection = std::make_unique<StreamConnection<net::TcpStream>>(
        target_, std::make_unique<EchoProtocol>(/*connection=*/5, size,
                                                /*verify=*/true));
    EXPECT_EQ(executor().Run(connection->Open(absl::Seconds(30))),
              absl::OkStatus());
    return connection;
  }

  // Exchanges batches until an error, or until `requests` were answered.
  absl::Status Exchange(uint64_t requests = 1'000'000) {
    source_.emplace(kBatch, requests);
    const std::unique_ptr<Connection> connection = Connect();
    return executor().Run(connection->Run(*source_));
  }

  Target target_;
  std::optional<RecordingSource> source_;

 private:
  Task<absl::Status> AnswerBatches(net::TcpStream stream) {
    std::string batch(kBatch * kSize, '\0');
    while (true) {
      for (size_t at = 0; at < batch.size();) {
        const absl::StatusOr<size_t> n = co_await stream.Read(
            std::as_writable_bytes(std::span(batch)).subspan(at));
        if (!n.ok() || *n == 0) co_return n.status();
        at += *n;
      }
      const std::string answer = reply_(batch);
      absl::Status sent =
          co_await stream.Write(std::as_bytes(std::span(answer)));
      if (!sent.ok() || answer.size() < batch.size()) co_return sent;
    }
  }

  Reply reply_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamConnectionTest);

TEST_P(StreamConnectionTest, InTurnsItCountsEveryReply) {
  ServeBatches([](const std::string& batch) { return batch; });
  EXPECT_EQ(Exchange(10 * kBatch), absl::OkStatus());
  EXPECT_EQ(source_->answered, 10 * kBatch);
  EXPECT_EQ(source_->taken, 10 * kBatch);
}

TEST_P(StreamConnectionTest, FindsAByteThatChanged) {
  ServeBatches([](const std::string& batch) {
    std::string changed = batch;
    changed[2 * kSize + 7] ^= 1;
    return changed;
  });
  const absl::Status status = Exchange();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(
      status.message().starts_with("byte 7 of the reply to request 2 is 0x"))
      << status;
}

TEST_P(StreamConnectionTest, FindsAReplyThatWasRepeated) {
  std::string first;
  ServeBatches([&](const std::string& batch) {
    if (first.empty()) first = batch;
    return first;
  });
  EXPECT_TRUE(absl::IsDataLoss(Exchange()));
  EXPECT_EQ(source_->answered, kBatch);
}

TEST_P(StreamConnectionTest, FindsAStreamThatWasShifted) {
  ServeBatches(
      [](const std::string& batch) { return batch.substr(8) + "12345678"; });
  EXPECT_TRUE(absl::IsDataLoss(Exchange()));
}

TEST_P(StreamConnectionTest, FindsAReplyThatIsShort) {
  ServeBatches([](const std::string& batch) {
    return batch.substr(0, kBatch * kSize - 1);
  });
  const absl::Status status = Exchange();
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_EQ(status.message(),
            "the server hung up with 1 bytes of replies missing");
}

TEST_P(StreamConnectionTest, FindsBytesThatNobodyAskedFor) {
  ServeBatches([](const std::string& batch) { return batch + "more"; });
  const absl::Status status = Exchange();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(status.message(), "the server sent 4 bytes too many");
}

TEST_P(StreamConnectionTest, InTurnsItReadsWhileItWritesALargeBatch) {
  ServeEcho("127.0.0.1:0");
  target_.address = address();
  // More than the sockets' buffers hold.
  const std::unique_ptr<Connection> connection = Connect(size_t{8} << 20);
  RecordingSource source(/*batch=*/2, /*last=*/4);
  EXPECT_EQ(executor().Run(connection->Run(source)), absl::OkStatus());
  EXPECT_EQ(source.answered, 4u);
}

TEST_P(StreamConnectionTest, BothWaysItSendsWhatIsDueAndEnds) {
  ServeEcho("127.0.0.1:0");
  target_.address = address();
  const std::unique_ptr<Connection> connection = Connect();
  RecordingSource source;
  auto main = [&]() -> Task<void> {
    JoinHandle<absl::Status> running = Spawn(connection->Run(source));
    for (uint64_t n = 1; n <= 5; ++n) {
      source.Offer(n);
      while (source.answered < n * (n + 1) / 2)
        static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
    }
    source.Offer(1);
    source.End();  // not before that one is answered
    absl::Status ended = co_await running;
    EXPECT_EQ(ended, absl::OkStatus());
  };
  Run(main());
  EXPECT_EQ(source.answered, 16u);
}

TEST_P(StreamConnectionTest, BothWaysItEndsWhenNothingIsInFlight) {
  ServeEcho("127.0.0.1:0");
  target_.address = address();
  const std::unique_ptr<Connection> connection = Connect();
  RecordingSource source;
  auto main = [&]() -> Task<void> {
    JoinHandle<absl::Status> running = Spawn(connection->Run(source));
    static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
    source.End();
    absl::Status ended = co_await running;
    EXPECT_EQ(ended, absl::OkStatus());
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::loadgen
