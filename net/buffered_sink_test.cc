// SPDX-License-Identifier: Apache-2.0
//
// BufferedWriter on sinks that are no sockets: order, room, errors, and what
// becomes of the task that writes.

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/file_sink.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::TurnTimes;

// What a sink is given, and what it does about it.
struct Script {
  std::vector<std::string> writes;
  absl::Status answer;
  bool throws = false;
  Event* gate = nullptr;  // a write waits for it
  int living = 0;         // sinks

  std::string All() const {
    std::string all;
    for (const std::string& write : writes) all += write;
    return all;
  }
};

class ScriptedSink {
 public:
  explicit ScriptedSink(Script& script) : script_(&script) {
    ++script_->living;
  }
  ScriptedSink(ScriptedSink&& other) noexcept : ScriptedSink(*other.script_) {}
  ~ScriptedSink() { --script_->living; }

  Task<absl::Status> Write(std::span<const std::byte> bytes) {
    script_->writes.push_back(AsString(bytes));
    if (script_->throws) throw std::runtime_error("as scripted");
    if (script_->gate != nullptr) {
      const absl::Status opened = co_await script_->gate->Wait();
      if (!opened.ok()) co_return opened;
    }
    co_return script_->answer;
  }
  Task<absl::Status> Writev(std::span<const std::span<const std::byte>> parts) {
    for (const std::span<const std::byte> part : parts) {
      const absl::Status written = co_await Write(part);
      if (!written.ok()) co_return written;
    }
    co_return absl::OkStatus();
  }
  Task<absl::Status> ShutdownWrite() { co_return absl::OkStatus(); }

 private:
  Script* script_;
};
static_assert(ByteSink<ScriptedSink>);

// A stream by way of tasks, as an encrypted one would be.
class StreamByTasks {
 public:
  explicit StreamByTasks(StreamWriter writer) : writer_(std::move(writer)) {}
  Task<absl::Status> Write(std::span<const std::byte> bytes) {
    co_return co_await writer_.Write(bytes);
  }
  Task<absl::Status> Writev(std::span<const std::span<const std::byte>> parts) {
    co_return co_await writer_.Writev(parts);
  }
  Task<absl::Status> ShutdownWrite() {
    co_return co_await writer_.ShutdownWrite();
  }

 private:
  StreamWriter writer_;
};

class BufferedSinkTest : public NetTest {
 protected:
  // False if there was none.
  bool CancelWrites() {
    bool any = false;
    for (const auto& task : executor().Tasks()) {
      if (task.name == "buffered write") any |= executor().Cancel(task.id);
    }
    return any;
  }

  Script script_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BufferedSinkTest);

TEST_P(BufferedSinkTest, WhatIsEnqueuedInOneTurnIsOneWrite) {
  auto main = [&]() -> Task<void> {
    BufferedWriter writer{ScriptedSink(script_)};
    for (const char* text : {"a", "b", "c"})
      EXPECT_EQ(co_await writer.Enqueue(Bytes(text)), absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(writer.queued_bytes(), 0u);
    EXPECT_EQ(writer.TryEnqueue(Bytes("d")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(script_.writes, (std::vector<std::string>{"abc", "d"}));
  };
  Run(main());
  EXPECT_EQ(script_.living, 0);
}

TEST_P(BufferedSinkTest, WritersWaitForRoomInOrder) {
  Event gate;
  script_.gate = &gate;
  auto main = [&]() -> Task<void> {
    BufferedWriter writer(ScriptedSink(script_), /*limit_bytes=*/8);
    EXPECT_EQ(co_await writer.Enqueue(Bytes("12345678")), absl::OkStatus());
    std::vector<JoinHandle<absl::Status>> waiting;
    auto enqueue = [&](std::string text) -> Task<absl::Status> {
      co_return co_await writer.Enqueue(Bytes(text));
    };
    for (const char* text : {"abcd", "efgh", "i"})
      waiting.push_back(Spawn(enqueue(text)));
    co_await TurnTimes(5);
    EXPECT_FALSE(waiting[0].done()) << "there is no room";
    EXPECT_EQ(writer.TryEnqueue(Bytes("x")).code(),
              absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(writer.queued_bytes(), 8u);
    gate.Set();
    for (JoinHandle<absl::Status>& wait : waiting)
      EXPECT_EQ(co_await wait, absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(script_.All(), "12345678abcdefghi");
    EXPECT_LE(writer.high_water_bytes(), 8u);
  };
  Run(main());
}

TEST_P(BufferedSinkTest, ACorkHoldsBackUntilSomebodyWaits) {
  auto main = [&]() -> Task<void> {
    BufferedWriter writer{ScriptedSink(script_)};
    writer.Cork();
    EXPECT_EQ(writer.TryEnqueue(Bytes("head")), absl::OkStatus());
    co_await TurnTimes(5);
    EXPECT_TRUE(script_.writes.empty());
    EXPECT_EQ(writer.TryEnqueue(Bytes("body")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(script_.writes, std::vector<std::string>{"headbody"});
  };
  Run(main());
}

TEST_P(BufferedSinkTest, AnErrorOfTheSinkStays) {
  script_.answer = absl::DataLossError("torn");
  auto main = [&]() -> Task<void> {
    BufferedWriter writer{ScriptedSink(script_)};
    EXPECT_EQ(co_await writer.Enqueue(Bytes("x")), absl::OkStatus());
    EXPECT_EQ(co_await writer.Flush(), script_.answer);
    EXPECT_EQ(co_await writer.Enqueue(Bytes("y")), script_.answer);
    EXPECT_EQ(writer.TryEnqueue(Bytes("z")), script_.answer);
    EXPECT_EQ(script_.writes.size(), 1u);
  };
  Run(main());
}

TEST_P(BufferedSinkTest, ASinkThatThrowsEndsTheWaits) {
  script_.throws = true;
  auto main = [&]() -> Task<void> {
    BufferedWriter writer{ScriptedSink(script_)};
    EXPECT_EQ(co_await writer.Enqueue(Bytes("x")), absl::OkStatus());
    EXPECT_EQ((co_await writer.Flush()).code(), absl::StatusCode::kInternal);
  };
  Run(main());
  EXPECT_EQ(script_.living, 0);
}

TEST_P(BufferedSinkTest, DroppedWhileItWritesItCancelsTheWrite) {
  Event gate;  // never set
  script_.gate = &gate;
  auto main = [&]() -> Task<void> {
    for (const int turns : {0, 1, 5}) {
      {
        BufferedWriter writer{ScriptedSink(script_)};
        EXPECT_EQ(co_await writer.Enqueue(Bytes("x")), absl::OkStatus());
        co_await TurnTimes(turns);
        EXPECT_EQ(script_.living, 1);
      }
      co_await TurnTimes(5);
      EXPECT_EQ(script_.living, 0) << turns;
    }
  };
  Run(main());
}

// The task that writes may be cancelled before its first turn.
TEST_P(BufferedSinkTest, AWriteCancelledByOthersEndsTheWaits) {
  Event gate;  // never set
  script_.gate = &gate;
  auto main = [&]() -> Task<void> {
    for (const int turns : {0, 1, 5}) {
      BufferedWriter writer{ScriptedSink(script_)};
      EXPECT_EQ(co_await writer.Enqueue(Bytes("x")), absl::OkStatus());
      co_await TurnTimes(turns);
      EXPECT_TRUE(CancelWrites());
      EXPECT_EQ((co_await writer.Flush()).code(), absl::StatusCode::kCancelled)
          << turns;
    }
  };
  Run(main());
}

// A worker whose connections have ended cancels all of its tasks. What was
// enqueued before would be lost to the Flush() that comes then; the writes of a
// socket, which are no tasks, never were.
TEST_P(BufferedSinkTest, WhatCancelsAllTasksLosesNoBytes) {
  Event gate;
  script_.gate = &gate;
  auto main = [&]() -> Task<void> {
    for (const int turns : {0, 1, 5}) {
      gate.Reset();
      BufferedWriter writer{ScriptedSink(script_)};
      EXPECT_EQ(co_await writer.Enqueue(Bytes("x")), absl::OkStatus());
      co_await TurnTimes(turns);
      executor().CancelAll();
      EXPECT_EQ(co_await writer.Enqueue(Bytes("y")), absl::OkStatus());
      gate.Set();
      EXPECT_EQ(co_await writer.Flush(), absl::OkStatus()) << turns;
    }
    EXPECT_EQ(script_.All(), "xyxyxy");
  };
  // Not by Run(), of whose tasks one gives up in time.
  EXPECT_EQ(executor().Run(main()), absl::OkStatus());
}

TEST_P(BufferedSinkTest, EndsWithItsExecutor) {
  Event gate;  // never set
  script_.gate = &gate;
  for (const int turns : {0, 1, 5}) {
    std::unique_ptr<BufferedWriter> outside;
    auto main = [&]() -> Task<void> {
      outside = std::make_unique<BufferedWriter>(ScriptedSink(script_));
      EXPECT_EQ(co_await outside->Enqueue(Bytes("x")), absl::OkStatus());
      co_await TurnTimes(turns);
    };
    Run(main());
    DestroyExecutor();
    EXPECT_EQ(outside->TryEnqueue(Bytes("y")).code(),
              absl::StatusCode::kFailedPrecondition);
    outside.reset();
    EXPECT_EQ(script_.living, 0);
    MakeExecutor();
  }
}

TEST_P(BufferedSinkTest, AFileIsASink) {
  auto main = [&]() -> Task<void> {
    const TestFd file = system().File("");
    BufferedWriter writer(FileSink(file.get()), /*limit_bytes=*/1000);
    size_t n_bytes = 0;
    for (int i = 0; i < 300; ++i) {
      const std::vector<std::byte> line = Pattern(17, i);
      EXPECT_EQ(co_await writer.Enqueue(line), absl::OkStatus());
      n_bytes += line.size();
    }
    EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
    EXPECT_EQ(n_bytes, 5100u);
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_EQ(*(co_await stream.SendFile(file.get(), 0, 1 << 20)), n_bytes);
    const std::string content = co_await pair.far_end.Receive(n_bytes);
    for (int i = 0; i < 300; ++i)
      EXPECT_EQ(content.substr(i * 17, 17), AsString(Pattern(17, i)));
  };
  Run(main());
}

TEST_P(BufferedSinkTest, EightMebibytesReachASlowReaderByTasks) {
  const std::string payload = AsString(Pattern(8 << 20, 3));
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    auto send = [&]() -> Task<absl::Status> {
      BufferedWriter writer(StreamByTasks(stream.writer()), 64 * 1024);
      std::string_view rest = payload;
      while (!rest.empty()) {
        const std::string_view part = rest.substr(0, 50'021);
        rest.remove_prefix(part.size());
        const absl::Status queued = co_await writer.Enqueue(Bytes(part));
        if (!queued.ok()) co_return queued;
      }
      EXPECT_LE(writer.high_water_bytes(), size_t{64 * 1024});
      co_return co_await writer.Flush();
    };
    JoinHandle<absl::Status> sent = Spawn(send());
    EXPECT_TRUE(co_await pair.far_end.Receive(payload.size()) == payload);
    EXPECT_EQ(co_await sent, absl::OkStatus());
  };
  Run(main());
}

// No task can be made to write.
class BufferedSinkLimitTest : public NetTest {
 protected:
  BufferedSinkLimitTest() : NetTest(Options()) {}
  static ExecutorOptions Options() {
    ExecutorOptions options;
    options.max_tasks = 2;  // the test, and its time limit
    return options;
  }
  Script script_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BufferedSinkLimitTest);

TEST_P(BufferedSinkLimitTest, TooManyTasksIsAnErrorNotAHang) {
  auto main = [&]() -> Task<void> {
    BufferedWriter writer{ScriptedSink(script_)};
    EXPECT_EQ(co_await writer.Enqueue(Bytes("x")), absl::OkStatus());
    EXPECT_EQ((co_await writer.Flush()).code(),
              absl::StatusCode::kResourceExhausted);
    BufferedWriter corked{ScriptedSink(script_)};
    corked.Cork();
    EXPECT_EQ(co_await corked.Enqueue(Bytes("x")), absl::OkStatus());
    EXPECT_EQ((co_await corked.Flush()).code(),
              absl::StatusCode::kResourceExhausted);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
