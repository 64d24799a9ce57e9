// SPDX-License-Identifier: Apache-2.0
//
// Hints change no results: an operation on a registered fd, or in registered
// memory, ends as without registration, whatever is started or unregistered
// after it.
//
// Entries stay in the submission queue until the turn ends. A later close or
// ForgetFd() cleared the file's slot at once, so the kernel found an empty
// slot when it read the entries: EBADF for a write that had been started
// before the close. Suites that run one operation at a time, or start the
// close after the write has ended, never have both in one batch.

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

// What operations work on.
struct Scene {
  explicit Scene(System& s) : system(s) {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
  }

  System& system;
  TestFdPair sockets = system.SocketPair();
  TestFd file = system.File("content of a file");
  std::array<std::byte, 64> memory = {};
  iovec part = {memory.data(), memory.size()};
  msghdr message = {};
};

// What an operation on the first socket waits for, or that it has the file
// instead, where nothing waits.
enum class Needs { kData, kRoom, kFile };

// When an operation looks its fd up: once, when the kernel gets it, or also
// later, in a second step or on a thread. The latter must have ended before
// their fd is closed, registered or not.
enum class LookUp { kAtOnce, kLater };

struct Kind {
  const char* name;
  Needs needs;
  LookUp look_up;
  void (*prepare)(DeliveringOperation& op, int fd, Scene& scene);
};

using Op = DeliveringOperation;

const Kind kKinds[] = {
    {"read", Needs::kData, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) {
       PrepareRead(op, fd, s.memory, kCurrentPosition);
     }},
    {"readv", Needs::kData, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) {
       PrepareReadv(op, fd, {&s.part, 1}, kCurrentPosition);
     }},
    {"recv", Needs::kData, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) { PrepareRecv(op, fd, s.memory); }},
    {"recvmsg", Needs::kData, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) { PrepareRecvMsg(op, fd, s.message); }},
    {"poll", Needs::kData, LookUp::kAtOnce,
     [](Op& op, int fd, Scene&) { PreparePoll(op, fd, POLLIN); }},
    {"multishot recv", Needs::kData, LookUp::kLater,
     [](Op& op, int fd, Scene&) { PrepareRecvMultishot(op, fd); }},
    {"multishot poll", Needs::kData, LookUp::kAtOnce,
     [](Op& op, int fd, Scene&) { PreparePollMultishot(op, fd, POLLIN); }},
    {"write", Needs::kRoom, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) {
       PrepareWrite(op, fd, s.memory, kCurrentPosition);
     }},
    {"writev", Needs::kRoom, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) {
       PrepareWritev(op, fd, {&s.part, 1}, kCurrentPosition);
     }},
    {"send", Needs::kRoom, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) { PrepareSend(op, fd, s.memory); }},
    {"sendmsg", Needs::kRoom, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) { PrepareSendMsg(op, fd, s.message); }},
    {"zero-copy send", Needs::kRoom, LookUp::kLater,
     [](Op& op, int fd, Scene& s) { PrepareSendZeroCopy(op, fd, s.memory); }},
    {"sendfile", Needs::kRoom, LookUp::kLater,
     [](Op& op, int fd, Scene& s) {
       PrepareSendFile(op, fd, s.file.get(), 0, 8);
     }},
    {"shutdown", Needs::kRoom, LookUp::kLater,
     [](Op& op, int fd, Scene&) { PrepareShutdown(op, fd, SHUT_WR); }},
    {"file read", Needs::kFile, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) { PrepareRead(op, fd, s.memory, 0); }},
    {"file write", Needs::kFile, LookUp::kAtOnce,
     [](Op& op, int fd, Scene& s) { PrepareWrite(op, fd, s.memory, 0); }},
    {"fsync", Needs::kFile, LookUp::kLater,
     [](Op& op, int fd, Scene&) { PrepareFsync(op, fd); }},
    {"truncate", Needs::kFile, LookUp::kLater,
     [](Op& op, int fd, Scene&) { PrepareTruncate(op, fd, 5); }},
};

struct Case {
  bool ready;      // what the operation waits for is there before it starts
  bool in_flight;  // the kernel has it when its fd goes
  bool closed;     // by an operation behind it; else forgotten
};

std::string NameOf(const Kind& kind, const Case& c) {
  return absl::StrCat(kind.name, c.ready ? ", ready" : ", waiting",
                      c.in_flight ? ", in flight" : ", queued",
                      c.closed ? ", closed behind" : ", forgotten behind");
}

class HintConformance : public BackendConformance {
 protected:
  static BackendOptions WithSlots() {
    BackendOptions options = Options();
    options.uring.registered_files = 1024;
    return options;
  }

  // Everything there is to see of an operation: its deliveries and its end.
  std::string Outcome(const Kind& kind, const Case& c, bool registered);

  // A turn that runs nothing: one kind of operation serves for all.
  static void Turn(BackendDriver& driver, absl::Duration patience) {
    driver->Submit(driver.pending(), driver.ready());
    const MonotonicTime now = driver->clock().Now();
    driver->Wait(driver.pending().empty() ? now + patience : now,
                 driver.ready());
    while (Runnable* entry = driver.ready().PopFront())
      static_cast<void>(entry);
  }
  static void FewTurns(BackendDriver& driver) {
    for (int i = 0; i < 8; ++i) Turn(driver, absl::ZeroDuration());
  }
  static void TurnUntil(BackendDriver& driver, absl::FunctionRef<bool()> done) {
    for (int i = 0; i < 3'000 && !done(); ++i) {
      Turn(driver, absl::Milliseconds(10));
    }
    EXPECT_TRUE(done());
  }

 private:
  static void Satisfy(Needs needs, Scene& scene);
  static void Obstruct(Needs needs, Scene& scene);
  static std::string Events(BackendDriver& driver, DeliveringOperation& op);
};

void HintConformance::Satisfy(Needs needs, Scene& scene) {
  System& system = scene.system;
  if (needs == Needs::kData) system.Send(scene.sockets.second.get(), "data");
  if (needs != Needs::kRoom) return;
  while (!system.Receive(scene.sockets.second.get(), 65'536).empty()) {
  }
}

void HintConformance::Obstruct(Needs needs, Scene& scene) {
  if (needs != Needs::kRoom) return;
  const std::string filling(4096, 'f');
  while (scene.system.Send(scene.sockets.first.get(), filling) > 0) {
  }
}

std::string HintConformance::Events(BackendDriver& driver,
                                    DeliveringOperation& op) {
  std::string text;
  for (Delivery delivery; driver->TakeDelivery(op, delivery);) {
    absl::StrAppend(&text, "delivered ", delivery.result, ", ");
    if (LendsBuffers(op.opcode)) driver->ReturnBuffer(delivery.buffer_id);
  }
  return text;
}

std::string HintConformance::Outcome(const Kind& kind, const Case& c,
                                     bool registered) {
  Scene scene(system());
  if (c.ready) {
    Satisfy(kind.needs, scene);
  } else {
    Obstruct(kind.needs, scene);
  }
  BackendDriver driver(MakeForTest(WithSlots()));
  TestFd& subject =
      kind.needs == Needs::kFile ? scene.file : scene.sockets.first;
  const int fd = subject.get();
  if (registered) {
    EXPECT_TRUE(driver->hints().RegisterFd(fd).ok());
  }

  DeliveringOperation op(nullptr);
  CountedOperation close;
  kind.prepare(op, fd, scene);
  driver.Start(op);
  if (c.in_flight) FewTurns(driver);
  if (c.closed) {
    PrepareClose(close, subject.Release());
    driver.Start(close);
  } else {
    driver->Submit(driver.pending(), driver.ready());
    driver->hints().ForgetFd(fd);
  }
  FewTurns(driver);

  // That a closed file becomes ready shows to io_uring alone.
  const bool comes = !c.closed || IsUring();
  if (!c.ready && comes) Satisfy(kind.needs, scene);
  if (comes) {
    TurnUntil(driver, [&] { return !op.active() || op.delivery_count > 0; });
  }
  FewTurns(driver);
  driver.Cancel(op);
  TurnUntil(driver, [&] { return !op.active() && !close.active(); });
  return absl::StrCat(Events(driver, op), "ended with ", op.result,
                      ", closed with ", close.result);
}

TEST_P(HintConformance, RegisteredFdThatGoesChangesNoResult) {
  for (const Kind& kind : kKinds) {
    for (const bool ready : {true, false}) {
      for (const bool in_flight : {true, false}) {
        for (const bool closed : {true, false}) {
          const Case c = {ready, in_flight, closed};
          SCOPED_TRACE(NameOf(kind, c));
          if (closed && kind.look_up == LookUp::kLater) continue;
          // Helper threads of the other backends look up later, too.
          if (closed && kind.needs == Needs::kFile && !IsUring()) continue;
          const std::string expected = Outcome(kind, c, /*registered=*/false);
          EXPECT_EQ(Outcome(kind, c, /*registered=*/true), expected);
          if (ready && (IsUring() || !closed)) {
            EXPECT_EQ(expected.find("ended with -9"), std::string::npos)
                << expected;
          }
        }
      }
    }
  }
}

// The number is reused at once, so no state of the old file may remain.
TEST_P(HintConformance, NumberOfARegisteredFdIsFreeBehindItsClose) {
  BackendDriver driver(MakeForTest(WithSlots()));
  for (int round = 0; round < 32; ++round) {
    TestFdPair sockets = system().SocketPair();
    const int fd = sockets.first.get();
    ASSERT_TRUE(driver->hints().RegisterFd(fd).ok());
    CountedOperation write, close;
    const std::string text = absl::StrCat("round ", round);
    PrepareWrite(write, fd, AsBytes(text), kCurrentPosition);
    PrepareClose(close, sockets.first.Release());
    driver.Start(write);
    driver.Start(close);
    ASSERT_TRUE(driver.RunUntil([&] { return write.done() && close.done(); }));
    EXPECT_EQ(write.result, static_cast<int32_t>(text.size()));
    EXPECT_EQ(system().Receive(sockets.second.get(), 64), text);
    EXPECT_TRUE(system().AtEnd(sockets.second.get()));
  }
}

// Memory that is forgotten behind a transfer which has not left the queue: the
// same mechanism, an empty slot of buffers.
TEST_P(HintConformance, MemoryForgottenBehindAQueuedTransferChangesNoResult) {
  alignas(4096) static std::array<std::byte, 4096> memory;
  BackendDriver driver(MakeForTest(WithSlots()));
  TestFd file = system().File("content of a file");
  ASSERT_TRUE(driver->hints().RegisterMemory(memory).ok());
  CountedOperation read, write;
  PrepareRead(read, file.get(), std::span(memory).first(7), 0);
  PrepareWrite(write, file.get(), std::span(memory).subspan(64, 3), 20);
  driver.Start(read);
  driver.Start(write);
  driver->Submit(driver.pending(), driver.ready());
  driver->hints().ForgetMemory(memory);
  ASSERT_TRUE(driver.RunUntil([&] { return read.done() && write.done(); }));
  EXPECT_EQ(read.result, 7);
  EXPECT_EQ(write.result, 3);
  EXPECT_EQ(AsText(std::span(memory).first(7)), "content");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HintConformance);

}  // namespace
}  // namespace ringway::testing
