// SPDX-License-Identifier: Apache-2.0
//
// NetTest: for tests of sockets on every backend, including the simulated
// one. Gives each test an executor and a time limit, and asserts that every
// fd is closed at the end.
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
  // Far longer than any test takes, even on a loaded machine.
  static constexpr absl::Duration kPatience = absl::Seconds(60);

  // The backend in `options` is replaced by that of the variant.
  explicit NetTest(const ExecutorOptions& options = ExecutorOptions());
  ~NetTest() override;
  void SetUp() override;
  void TearDown() override;

  Executor& executor() { return *executor_; }
  Loop& loop() { return executor_->loop(); }

  // Runs `main` to its end within the time limit.
  void Run(Task<void> main);
  // As at the end of a program without clean-up.
  void DestroyExecutor() { executor_.reset(); }
  // Makes another one afterwards, to check what peers see then.
  void MakeExecutor();

  TcpStream Adopt(ringway::testing::TestFd fd) {
    return TcpStream::Adopt(loop(), UniqueFd(fd.Release()));
  }
  TcpListener ListenOn(std::string_view address,
                       const ListenOptions& options = ListenOptions());
  // The path of `name` in the test's own directory, and the address of a Unix
  // socket there.
  std::string PathOf(std::string_view name);
  std::string UnixAddress(std::string_view name);

  // The instantiation name of a suite that is instantiated several times.
  static std::string Instantiation();

  // The number of open fds.
  size_t OpenFds() { return system().OpenFds(); }

 private:
  ExecutorOptions options_;
  std::optional<size_t> fds_before_;  // none: skipped
  std::string directory_;             // created by the first PathOf()
  std::unique_ptr<Executor> executor_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_NET_FIXTURE_H_
