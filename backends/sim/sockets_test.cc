// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/sockets.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "gtest/gtest.h"
#include "ringway/backends/sim/fd_table.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"

namespace ringway::sim {
namespace {

class SimulatedSocketsTest : public ::testing::Test {
 protected:
  World world_;
  std::unique_ptr<SimBackend> backend_ = world_.MakeBackend();
  SocketCalls& sockets_ = backend_->sockets();
};

TEST_F(SimulatedSocketsTest, CallsCountAmongTheOperationsThatCanFail) {
  SingleFailure& failure = world_.environment().failure;
  failure.n = 2;
  const int socket = sockets_.Socket(AF_INET, SOCK_STREAM);
  ASSERT_GE(socket, 0);
  EXPECT_EQ(sockets_.Duplicate(socket), -EMFILE);
  EXPECT_TRUE(failure.happened);
  const int duplicate = sockets_.Duplicate(socket);
  EXPECT_GE(duplicate, 0);
  EXPECT_EQ(failure.started, 3u);
  EXPECT_EQ(sockets_.Close(socket), 0);
  EXPECT_EQ(sockets_.Close(duplicate), 0);
  EXPECT_EQ(world_.leaks(), "");
}

TEST_F(SimulatedSocketsTest, AMistakeIsNoFailureByChance) {
  world_.environment().failure.n = 1;
  EXPECT_EQ(sockets_.Duplicate(FdTable::kFirst), -EBADF);
  EXPECT_FALSE(world_.environment().failure.happened);
}

}  // namespace
}  // namespace ringway::sim
