// SPDX-License-Identifier: Apache-2.0
//
// The tasks of connections are named by their peers, and pay nothing for it:
// the name is made when a dump is.

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/task/event.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::testing::ShortDirectory;
using net::testing::ValueOf;
using ringway::testing::CountAllocations;
using ringway::testing::KernelSockets;
using ::testing::Contains;
using ::testing::Not;

std::vector<std::string> NamesOfTasks() {
  std::vector<std::string> names;
  for (const TaskInfo& task : CurrentExecutor().Tasks())
    names.push_back(task.name);
  return names;
}

std::vector<std::string> NamesOn(const ExecutorHandle& worker) {
  RemoteHandle<std::vector<std::string>> names = SpawnOn(worker, NamesOfTasks);
  while (!names.done()) std::this_thread::yield();
  return ValueOf(names.TakeResult());
}

std::string OwnAddress(const UniqueFd& socket) {
  return ValueOf(SocketAddress::LocalOf(KernelSockets(), socket.get()))
      .ToString();
}

TEST_F(RuntimeTest, ConnectionsAreNamedByTheirPeers) {
  ShortDirectory directory;
  const std::string path = absl::StrCat("unix:", directory.PathOf("s"));
  Runtime::Builder builder = OneWorker();
  builder.Listen("127.0.0.1:0", Echo)
      .Listen(path, Echo)
      .Listen("[::1]:0", Echo);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::vector<UniqueFd> clients;
  for (const SocketAddress& address : runtime->addresses()) {
    clients.push_back(ConnectTo(address));
    EXPECT_EQ(Ask(clients.back().get(), "hello"), "hello");
  }

  const std::vector<std::string> names = NamesOn(runtime->workers()[0]);

  EXPECT_THAT(names, Contains("connection " + OwnAddress(clients[0])));
  EXPECT_THAT(names, Contains("connection " + path));
  EXPECT_THAT(names, Contains("connection " + OwnAddress(clients[2])));
}

TEST_F(RuntimeTest, AConnectionThatHasClosedItsStreamHasNoPeer) {
  Event* end = nullptr;
  std::atomic<bool> closed{false};
  auto serve = [&](net::TcpStream stream) -> Task<absl::Status> {
    Event over;
    end = &over;
    (co_await stream.Close()).IgnoreError();
    closed = true;
    co_return co_await over.Wait();
  };
  Runtime::Builder builder = OneWorker();
  builder.Listen("127.0.0.1:0", serve);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  const UniqueFd client = ConnectTo(runtime->addresses()[0]);
  while (!closed) std::this_thread::yield();

  const std::vector<std::string> names = NamesOn(runtime->workers()[0]);
  RemoteHandle<void> ended =
      SpawnOn(runtime->workers()[0], [&] { end->Set(); });
  while (!ended.done()) std::this_thread::yield();

  EXPECT_THAT(names, Contains("connection"));
  EXPECT_THAT(names, Not(Contains("connection " + OwnAddress(client))));
}

// A frame that fits into the worker's own memory.
Task<absl::Status> EchoOnce(net::TcpStream stream) {
  std::array<std::byte, 64> buffer;
  const absl::StatusOr<size_t> n = co_await stream.Read(buffer);
  if (!n.ok()) co_return n.status();
  co_return co_await stream.Write(std::span(buffer).first(*n));
}

TEST_F(RuntimeTest, ANewConnectionAllocatesNothing) {
  Runtime::Builder builder = OneWorker();
  builder.Listen("127.0.0.1:0", EchoOnce);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  uint64_t before = 0;
  for (int i = 0; i < 200; ++i) {
    if (i == 100) before = CountAllocations();
    const UniqueFd client = ConnectTo(runtime->addresses()[0]);
    EXPECT_EQ(Ask(client.get(), "hello"), "hello");
  }
  EXPECT_EQ(CountAllocations() - before, 0u);
}

}  // namespace
}  // namespace ringway
