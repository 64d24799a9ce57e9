// SPDX-License-Identifier: Apache-2.0
//
// A forked child of a process with a runtime, a ring's thread, a channel.
//
// Loops and executors detected a child by the calling thread. Calls meant for
// other threads did not check: a message to a worker that does not exist in
// the child was accepted, Shutdown() and Wait() succeeded, and at exit() the
// destructors of the parent's executors ran and aborted with "an intrusive
// list was destroyed".

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/ring/ring_thread.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

bool in_child = false;

using net::testing::ValueOf;

// Destroyed by exit(), like a program's own.
std::unique_ptr<Runtime> global;
std::unique_ptr<RingThread> global_ring;

// The stderr output of a child that runs `fn` and exits, up to the end of the
// last process that has it open. `fn` returns true on success.
std::string OutputOfChild(const std::function<bool()>& fn) {
  testing::FdPair output = testing::MakePipe();
  const pid_t child = fork();
  RINGWAY_CHECK(child >= 0, "fork: errno %d", errno);
  if (child == 0) {
    in_child = true;
    dup2(output.second.get(), STDERR_FILENO);
    output.second.Reset();
    if (!fn()) fprintf(stderr, "something is not well\n");
    exit(0);
  }
  output.second.Reset();
  std::string text;
  std::array<char, 512> buffer;
  ssize_t n;
  while ((n = read(output.first.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<size_t>(n));
  int status = -1;
  RINGWAY_CHECK(waitpid(child, &status, 0) == child, "errno %d", errno);
  EXPECT_EQ(status, 0) << text;
  return text;
}

class ForkTest : public ::testing::Test {
 protected:
  ForkTest() {
    Runtime::Builder builder = OneWorker();
    builder.Workers(2).Listen("127.0.0.1:0", Echo);
    global = ValueOf(builder.Launch());
  }
  ~ForkTest() override {
    UniqueFd client = ConnectTo(global->addresses()[0]);
    EXPECT_EQ(Ask(client.get(), "a"), "a") << "the parent is touched";
    client.Reset();
    global.reset();
  }
};

TEST_F(ForkTest, AChildIsRefusedByItsParentsWorkersByName) {
  const std::string output = OutputOfChild([] {
    const ExecutorHandle worker = global->workers()[1];
    const absl::Status posted = worker.Post([] {});
    RemoteHandle<int> call = SpawnOn(worker, CurrentWorker);
    const bool done = call.done();
    const absl::Status called = call.TakeResult().status();
    fprintf(stderr, "%s\n", std::string(posted.message()).c_str());
    return absl::IsFailedPrecondition(posted) && done &&
           absl::IsFailedPrecondition(called) && worker.forked();
  });
  EXPECT_EQ(output,
            "the loop belongs to the parent process; a forked child must make "
            "its own\n");
}

TEST_F(ForkTest, AChildsSnapshotIsWithoutItsParentsWorkers) {
  EXPECT_EQ(OutputOfChild([] {
              const RuntimeSnapshot snapshot =
                  global->Snapshot(absl::InfiniteDuration());
              return snapshot.workers.size() == 2 &&
                     !snapshot.workers[0].has_value() &&
                     !snapshot.workers[1].has_value() && snapshot.pools.empty();
            }),
            "");
}

TEST_F(ForkTest, AChildLeavesQuietlyByExitAndByDestruction) {
  EXPECT_EQ(OutputOfChild([] { return true; }), "");
  EXPECT_EQ(OutputOfChild([] {
              global.reset();
              return true;
            }),
            "");
}

// daemon(3) forks, and its child continues without the workers.
TEST_F(ForkTest, ADaemonLeavesQuietly) {
  if (kThreadSanitizer) GTEST_SKIP() << kForkedUnderThreadSanitizer;
  const std::string output = OutputOfChild([] {
    Runtime::Builder builder = OneWorker();
    LeakInChild(std::exchange(global, ValueOf(builder.Launch())));
    static_cast<void>(daemon(/*nochdir=*/1, /*noclose=*/1));
    const absl::Status posted = global->workers()[0].Post([] {});
    fprintf(stderr, "leaving\n");
    return absl::IsFailedPrecondition(posted);
  });
  EXPECT_EQ(output, "leaving\n");
}

TEST_F(ForkTest, AChildMayHaveARuntimeOfItsOwn) {
  if (kThreadSanitizer) GTEST_SKIP() << kForkedUnderThreadSanitizer;
  const std::string output = OutputOfChild([] {
    Runtime::Builder builder = OneWorker();
    builder.Listen("127.0.0.1:0", Echo);
    std::unique_ptr<Runtime> own = ValueOf(builder.Launch());
    const bool served =
        Ask(ConnectTo(own->addresses()[0]).get(), "hello") == "hello";
    own->Cut();
    own->Wait();
    return served;
  });
  EXPECT_EQ(output, "");
}

TEST_F(ForkTest, AChildThatAWorkerHasForkedIsOnNoWorker) {
  std::promise<std::string> output;
  ASSERT_TRUE(global->workers()[0]
                  .Post([&] {
                    output.set_value(OutputOfChild([] {
                      return CurrentWorker() == -1 && CurrentWorkers().empty();
                    }));
                  })
                  .ok());
  EXPECT_EQ(output.get_future().get(), "");
}

using ForkDeathTest = ForkTest;

TEST_F(ForkDeathTest, EndingTheParentsRuntimeSaysWhoseItIs) {
  GTEST_FLAG_SET(death_test_style, "fast");  // a fork, and no new program
  constexpr char kWhose[] = "a Runtime belongs to the parent process";
  EXPECT_DEATH(global->Shutdown(), kWhose);
  EXPECT_DEATH(global->Cut(), kWhose);
  EXPECT_DEATH(global->Wait(), kWhose);
}

// --- What a runtime is made of

TEST(Fork, AChannelOfTheParentsIsClosed) {
  SharedChannel<int> channel = MakeSharedChannel<int>(4);
  EXPECT_TRUE(channel.sender.TrySend(1).ok());
  const std::string output = OutputOfChild([&] {
    const absl::Status sent = channel.sender.TrySend(2);
    const absl::Status received = channel.receiver.TryReceive().status();
    channel.sender.Close();
    return absl::IsFailedPrecondition(sent) && absl::IsUnavailable(received) &&
           channel.sender.closed();
  });
  EXPECT_EQ(output, "");
  EXPECT_EQ(*channel.receiver.TryReceive(), 1);
}

class RingForkTest : public ::testing::Test {
 protected:
  RingForkTest() {
    global_ring = std::make_unique<RingThread>(ValueOf(
        SpawnThread(RingOptions(), [](Ring&) { return absl::OkStatus(); })));
  }
  ~RingForkTest() override { global_ring.reset(); }
};

TEST_F(RingForkTest, AChildIsRefusedAndLeavesQuietly) {
  const std::string output = OutputOfChild([] {
    const RingAddress& ring = global_ring->address();
    const absl::Status sent = ring.Send(MessagePayload(uint64_t{1}));
    const absl::Status posted = ring.Post([](Ring&) {});
    fprintf(stderr, "%s\n", std::string(sent.message()).c_str());
    return absl::IsFailedPrecondition(sent) &&
           absl::IsFailedPrecondition(posted);
  });
  EXPECT_EQ(output,
            "the ring belongs to the parent process; a forked child must make "
            "its own\n");
}

using RingForkDeathTest = RingForkTest;

TEST_F(RingForkDeathTest, EndingTheParentsRingSaysWhoseItIs) {
  GTEST_FLAG_SET(death_test_style, "fast");
  constexpr char kWhose[] =
      "the thread of a ring belongs to the parent process";
  EXPECT_DEATH(global_ring->Kill(), kWhose);
  EXPECT_DEATH(global_ring->Join(), kWhose);
}

}  // namespace
}  // namespace ringway

// A child has memory that only threads of its parent refer to. The name is the
// leak checker's. NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" int __lsan_is_turned_off() { return ringway::in_child ? 1 : 0; }
