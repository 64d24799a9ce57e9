// SPDX-License-Identifier: Apache-2.0
//
// Handles that a program keeps beyond the runtime, and moved-from builders.

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

// A connection in a server's map.
struct Kept {
  net::TcpStream stream;
  net::ReceivedBuffer greeting;
  JoinHandle<absl::Status> reader;
  CancelSource source;
};

Task<absl::Status> ReadAgain(std::shared_ptr<Kept> kept) {
  std::array<std::byte, 16> buffer;
  co_return (co_await kept->stream.Read(buffer)).status();
}

struct Server {
  Task<absl::Status> Keep(net::TcpStream stream) {
    auto entry = std::make_shared<Kept>();
    entry->stream = std::move(stream);
    entry->greeting = net::testing::ValueOf(co_await entry->stream.Receive());
    entry->reader = Spawn(ReadAgain(entry));
    (co_await entry->stream.Write(net::testing::Bytes("kept"))).IgnoreError();
    std::lock_guard<std::mutex> lock(mutex);
    kept.push_back(std::move(entry));
    co_return absl::OkStatus();
  }

  std::mutex mutex;
  std::vector<std::shared_ptr<Kept>> kept;  // of all workers
};

// When the map was destroyed on the main thread after the workers' loops,
// each of its entries used freed memory of a loop.
TEST_F(RuntimeTest, AMapOfConnectionsMayOutliveTheRuntimeAndItsWorkers) {
  Server server;
  Runtime::Builder builder = OneWorker();
  builder.Workers(2)
      .DrainDeadline(absl::ZeroDuration())
      .Listen("127.0.0.1:0",
              [&](net::TcpStream s) { return server.Keep(std::move(s)); });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(ConnectTo(runtime->addresses()[0]));
    EXPECT_EQ(Ask(clients.back().get(), "helo"), "kept");
  }

  runtime.reset();

  EXPECT_EQ(server.kept.size(), 8u);
  for (const std::shared_ptr<Kept>& kept : server.kept) {
    EXPECT_FALSE(kept->stream.valid());
    EXPECT_FALSE(kept->reader.valid());
    kept->source.Cancel();
  }
  for (const UniqueFd& client : clients)
    EXPECT_EQ(net::testing::ReceiveAll(client.get()), "") << "it is closed";
}

struct Call {
  const char* label;
  void (*call)(Runtime::Builder&);
};

void PrintTo(const Call& call, std::ostream* out) { *out << call.label; }

const Call kCalls[] = {
    {"Workers", [](Runtime::Builder& b) { b.Workers(1); }},
    {"Pin", [](Runtime::Builder& b) { b.Pin(0); }},
    {"Options", [](Runtime::Builder& b) { b.Options(ExecutorOptions()); }},
    {"Listen", [](Runtime::Builder& b) { b.Listen("127.0.0.1:0", Echo); }},
    {"OnStart", [](Runtime::Builder& b) { b.OnStart(nullptr); }},
    {"MaxConnections", [](Runtime::Builder& b) { b.MaxConnections(1); }},
    {"DrainDeadline",
     [](Runtime::Builder& b) { b.DrainDeadline(absl::ZeroDuration()); }},
    {"Launch", [](Runtime::Builder& b) { b.Launch().status().IgnoreError(); }},
};

class BuilderDeathTest : public ::testing::TestWithParam<Call> {};

// It was a null pointer.
TEST_P(BuilderDeathTest, NamesTheBuilderThatWasMovedFrom) {
  Runtime::Builder builder = OneWorker();
  Runtime::Builder moved = std::move(builder);
  EXPECT_DEATH(GetParam().call(builder),
               "a Runtime::Builder was used after it was moved from");
}

INSTANTIATE_TEST_SUITE_P(Calls, BuilderDeathTest, ::testing::ValuesIn(kCalls),
                         [](const auto& param) { return param.param.label; });

TEST_F(RuntimeTest, ABuilderLaunchesAsOftenAsItIsAsked) {
  Runtime::Builder builder = OneWorker();
  builder.Listen("127.0.0.1:0", Echo);
  for (int i = 0; i < 2; ++i) {
    std::unique_ptr<Runtime> runtime = Launch(builder);
    UniqueFd client = ConnectTo(runtime->addresses()[0]);
    EXPECT_EQ(Ask(client.get(), "echo"), "echo");
  }
}

}  // namespace
}  // namespace ringway
