// SPDX-License-Identifier: Apache-2.0
//
// NetTest: tests of sockets on every backend, the simulated one included. Each
// test has an executor, a limit on how long anything may take, and the
// assertion that every fd is closed at the end.
//
//   using MyTest = testing::NetTest;
//   TEST_P(MyTest, SaysTheBehaviourInWords) {
//     auto main = [&]() -> Task<void> {
//       Connected pair = ConnectedTcp(system());
//       TcpStream stream = Adopt(std::move(pair.near_end));
//       pair.far_end.Send("hello");
//       EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "hello");
//     };
//     Run(main());
//   }
//   RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MyTest);

#ifndef RINGWAY_NET_TESTING_NET_FIXTURE_H_
#define RINGWAY_NET_TESTING_NET_FIXTURE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/backend_fixture.h"  // IWYU pragma: export
#include "ringway/backends/testing/system.h"
#include "ringway/executor/structured/timeout.h"  // IWYU pragma: export
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"  // IWYU pragma: export
#include "ringway/net/tcp.h"
#include "ringway/net/testing/peer.h"          // IWYU pragma: export
#include "ringway/net/testing/stream_tasks.h"  // IWYU pragma: export

namespace ringway::net::testing {

class NetTest : public ringway::testing::BackendConformance {
 protected:
  // Far beyond what any test takes on a loaded machine.
  static constexpr absl::Duration kPatience = absl::Seconds(60);

  // `options`: but for the backend, which is the variant's.
  explicit NetTest(const ExecutorOptions& options = ExecutorOptions());
  ~NetTest() override;
  void SetUp() override;
  void TearDown() override;

  Executor& executor() { return *executor_; }
  Loop& loop() { return executor_->loop(); }

  // Runs `main` to its end, which must come in time.
  void Run(Task<void> main);
  // As at the end of a program that leaves everything as it is.
  void DestroyExecutor() { executor_.reset(); }
  // Another one, after that: for what peers find then.
  void MakeExecutor();

  TcpStream Adopt(ringway::testing::TestFd fd) {
    return TcpStream::Adopt(loop(), UniqueFd(fd.Release()));
  }
  TcpListener ListenOn(std::string_view address,
                       const ListenOptions& options = ListenOptions());
  // The path of `name` in a directory of the test's own, and the address of a
  // Unix socket there.
  std::string PathOf(std::string_view name);
  std::string UnixAddress(std::string_view name);

  // The name that a suite was instantiated as, where it is several times.
  static std::string Instantiation();

  // How many fds there are.
  size_t OpenFds() { return system().OpenFds(); }

 private:
  ExecutorOptions options_;
  std::optional<size_t> fds_before_;  // none: skipped
  std::string directory_;             // made by the first PathOf()
  std::unique_ptr<Executor> executor_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_NET_FIXTURE_H_
