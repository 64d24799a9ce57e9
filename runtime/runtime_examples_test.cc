// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/runtime.md, but for those of its section about signals
// (runtime/signals/signals_examples_test.cc, which compares).

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"
#include "ringway/runtime/testing/udp_client.h"

namespace ringway {

int ServeBoth(ConnectionHandler web, ConnectionHandler local) {
  ListenerOptions named;
  named.name = "local";
  Runtime::Builder builder;
  builder.PinToCores()
      .Listen("[::]:7878", std::move(web))
      .Listen("unix:/run/example.sock", std::move(local), named)
      .MaxConnections(20'000, WhenFull::kWait)
      .LameDuck(absl::Seconds(5))
      .DrainDeadline(absl::Seconds(30))
      .Metrics("127.0.0.1:9090");
  return RunUntilSignal(builder);
}

Task<absl::Status> AnswerDatagrams(net::UdpSocket& socket) {
  std::array<std::byte, 1500> buffer;
  while (true) {
    auto got = co_await socket.ReceiveFrom(buffer);
    if (!got.ok()) co_return got.status();
    auto answer = std::span(buffer).first(got->n_bytes);
    // Not to be sent to one peer is no reason to stop.
    (co_await socket.SendTo(answer, got->sender)).IgnoreError();
  }
}

int ServeDatagrams() {
  Runtime::Builder builder;
  builder.BindUdp("[::]:7878", AnswerDatagrams);
  return RunUntilSignal(builder);
}

Task<absl::Status> AnswerLines(net::TcpStream stream) {
  net::BufferedReader in(stream.reader());
  CancelToken drain;  // the first request is answered in any case
  while (true) {
    auto line = co_await WithToken(drain, in.ReadLine(/*limit=*/8192));
    if (drain.cancelled() && !line.ok())
      co_return co_await stream.CloseGracefully(absl::Seconds(5));
    if (!line.ok() || !line->has_value()) co_return line.status();
    absl::Status sent = co_await stream.Write(net::testing::Bytes("ok\n"));
    if (!sent.ok()) co_return sent;
    drain = DrainToken();
  }
}

void LogConnections(Runtime::Builder& builder) {
  builder.OnConnectionEnd([](const ConnectionEnd& end) {
    printf("%s %s %llu %llu %s %s\n", std::string(end.listener).c_str(),
           end.peer.c_str(),
           static_cast<unsigned long long>(end.bytes_received),
           static_cast<unsigned long long>(end.bytes_sent),
           absl::FormatDuration(end.duration).c_str(),
           end.status.ToString().c_str());
  });
}

// What each worker has for itself.
struct Cache {
  int hits = 0;
};

void CountHits(Runtime::Builder& builder) {
  builder
      .OnTick(absl::Minutes(1),
              [] { printf("%d hits so far\n", Local<Cache>().hits); })
      .OnStop([]() -> Task<absl::Status> {
        printf("%d hits\n", Local<Cache>().hits);
        co_return absl::OkStatus();
      });
}

// From any thread but a worker's.
void PrintConnections(const Runtime& runtime) {
  const RuntimeSnapshot snapshot = runtime.Snapshot();
  for (size_t i = 0; i < snapshot.workers.size(); ++i) {
    const std::optional<WorkerSnapshot>& worker = snapshot.workers[i];
    if (worker.has_value()) {
      printf("worker %zu: %llu connections\n", i,
             static_cast<unsigned long long>(worker->counters.connections_now));
    } else {
      printf("worker %zu has ended, or is too busy to answer\n", i);
    }
  }
}

absl::Status ServeHere(Executor& executor, net::TcpListener listener,
                       ConnectionHandler handler) {
  Server server(executor);
  absl::Status listens = server.Listen(std::move(listener), std::move(handler));
  if (!listens.ok()) return listens;
  return executor.Run(server.Run());  // until Shutdown()
}

namespace {

using RuntimeExamples = RuntimeTest;

TEST_F(RuntimeExamples, LinesAreAnsweredUntilTheDrain) {
  Runtime::Builder builder = OneWorker();
  LogConnections(builder);
  CountHits(builder);
  builder.Listen("127.0.0.1:0", AnswerLines);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  testing::SendAll(client.get(), "a\nb\n");
  std::array<char, 6> answers{};
  ASSERT_EQ(recv(client.get(), answers.data(), answers.size(), MSG_WAITALL), 6);
  EXPECT_EQ(std::string(answers.data(), answers.size()), "ok\nok\n");
  runtime->Shutdown();
  EXPECT_EQ(net::testing::ReceiveAll(client.get()), "");
  client = UniqueFd();
  EXPECT_TRUE(runtime->Wait().drained());
}

TEST_F(RuntimeExamples, ConnectionsArePrintedByWorker) {
  Runtime::Builder builder;
  builder.Workers(2).Listen("127.0.0.1:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  const auto print = [&runtime] {
    ::testing::internal::CaptureStdout();
    PrintConnections(*runtime);
    return ::testing::internal::GetCapturedStdout();
  };
  EXPECT_EQ(print(), "worker 0: 0 connections\nworker 1: 0 connections\n");
  runtime->Shutdown();
  runtime->Wait();
  EXPECT_EQ(print(),
            "worker 0 has ended, or is too busy to answer\n"
            "worker 1 has ended, or is too busy to answer\n");
}

TEST_F(RuntimeExamples, DatagramsAreAnswered) {
  static_cast<void>(&ServeDatagrams);  // it would serve until a signal
  Runtime::Builder builder = OneWorker();
  builder.BindUdp("[::]:0", AnswerDatagrams);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  testing::UdpClient client(
      *net::SocketAddress::Ip("127.0.0.1", runtime->udp_addresses()[0].port()));
  EXPECT_EQ(client.Ask("hello"), "hello");
}

TEST_F(RuntimeExamples, AServerRunsOnAnExecutorOfTheProgramsOwn) {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create();
  ASSERT_TRUE(executor.ok());
  absl::StatusOr<net::SocketAddress> address =
      net::SocketAddress::Parse("127.0.0.1:0");
  absl::StatusOr<net::TcpListener> listener =
      net::TcpListener::Listen((*executor)->loop(), *address);
  ASSERT_TRUE(listener.ok());
  const net::SocketAddress bound = *listener->LocalAddress();
  std::thread client([bound] {
    UniqueFd fd = ConnectTo(bound);
    testing::SendAll(fd.get(), "x");
    EXPECT_EQ(net::testing::ReceiveAll(fd.get()), "bye");
  });
  // Its first connection ends it.
  Server* running = nullptr;
  Server server(**executor);
  running = &server;
  ASSERT_TRUE(
      server
          .Listen(*std::move(listener),
                  [&](net::TcpStream stream) -> Task<absl::Status> {
                    running->Shutdown();
                    absl::Status sent =
                        co_await stream.Write(net::testing::Bytes("bye"));
                    if (!sent.ok()) co_return sent;
                    co_return co_await stream.CloseGracefully(absl::Seconds(5));
                  })
          .ok());
  EXPECT_TRUE((*executor)->Run(server.Run()).ok());
  client.join();
  EXPECT_EQ(server.counts().accepted, 1u);
}

}  // namespace
}  // namespace ringway
