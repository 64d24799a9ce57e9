// SPDX-License-Identifier: Apache-2.0
//
// Random operations on both ends of a few connections, checked against a
// model: every byte arrives once and in order, and each waiting operation
// continues as soon as its peer does its part.
//
// Beside the cases that were thought of, an fd has states that come of what
// happens to wait for it at the same time - a receive that was put aside or
// wants a buffer, a write into a full socket, polls, cancels, a number that is
// closed and means another socket within a turn - and operations lose their
// wake-up in combinations of these. RINGWAY_SEED sets the first seed.

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

constexpr int kConnections = 3;
constexpr int kActions = 60;                 // of a round
constexpr size_t kLargestWrite = 24 * 1024;  // more than a small socket holds
constexpr size_t kLargestRead = 4 * 1024;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = getenv(name);
  return value == nullptr ? otherwise : strtoull(value, nullptr, /*base=*/10);
}

using Random = std::mt19937_64;

size_t Below(Random& random, size_t n) { return random() % n; }

// The bytes of one direction, the same from any position whose rest is equal.
char ByteAt(size_t position) {
  return static_cast<char>(position % 251 + position / 4'099 % 7);
}

// One end of a connection and its active operations.
class End {
 public:
  End(Backend& backend, OperationList& pending, TestFd fd)
      : backend_(&backend), pending_(&pending), fd_(std::move(fd)) {
    sent_bytes_.resize(kLargestWrite);
    read_bytes_.resize(kLargestRead);
  }
  ~End() { ReturnHeld(); }

  int fd() const { return fd_.get(); }
  TestFd TakeFd() { return std::move(fd_); }

  bool busy() const { return reads() || writes() || polls(); }
  bool reads() const {
    return Busy(read_) || stream_.active() || stream_.notice.linked();
  }
  bool writes() const { return Busy(write_); }
  bool polls() const { return Busy(poll_); }
  // Waits for something that its peer sends, or for room to send.
  bool waits_to_read() const {
    return Busy(read_) || (polls() && poll_.flags == POLLIN);
  }
  bool waits_to_read_all() const {
    return Busy(read_) && read_.flags == MSG_WAITALL;
  }
  bool waits_to_write() const {
    return writes() || (polls() && poll_.flags == POLLOUT);
  }
  size_t sent() const { return sent_; }
  size_t received() const { return received_; }

  void Write(size_t n_bytes, bool all) {
    for (size_t i = 0; i < n_bytes; ++i) sent_bytes_[i] = ByteAt(sent_ + i);
    PrepareSend(write_, fd(), AsBytes({sent_bytes_.data(), n_bytes}),
                all ? MSG_WAITALL : 0);
    Start(write_);
  }
  void Read(size_t n_bytes, bool all) {
    PrepareRecv(read_, fd(), {read_bytes_.data(), n_bytes},
                all ? MSG_WAITALL : 0);
    Start(read_);
  }
  void ReadAlong() {
    PrepareRecvMultishot(stream_, fd());
    Start(stream_);
  }
  void Poll(uint32_t events) {
    PreparePoll(poll_, fd(), events);
    Start(poll_);
  }

  std::array<Operation*, 4> operations() {
    return {&write_, &read_, &poll_, &stream_};
  }

  // Processes ended operations and deliveries, and compares every byte.
  void Collect() {
    if (write_.done()) sent_ += Outcome(write_);
    if (read_.done()) Check(read_bytes_.data(), Outcome(read_));
    if (poll_.done()) Outcome(poll_);
    Delivery delivery;
    while (backend_->TakeDelivery(stream_, delivery)) {
      Check(delivery.data, static_cast<size_t>(delivery.result));
      held_.push_back(delivery.buffer_id);
    }
  }

  // Gives back some of the buffers that it holds, or all.
  void ReturnHeld(size_t n = SIZE_MAX) {
    for (; n > 0 && !held_.empty(); --n) {
      backend_->ReturnBuffer(held_.front());
      held_.pop_front();
    }
  }

 private:
  // Active, or ended with its function not run yet.
  static bool Busy(const Operation& op) { return op.active() || op.linked(); }

  void Start(Operation& op) {
    op.state = OpState::kQueued;
    pending_->PushBack(op);
  }

  // The result of `op`, which has ended, as a number of bytes.
  static size_t Outcome(CountedOperation& op) {
    EXPECT_EQ(op.completions, 1);
    op.completions = 0;
    if (op.result >= 0) return static_cast<size_t>(op.result);
    EXPECT_EQ(op.result, -ECANCELED) << OpCodeName(op.opcode);
    return 0;
  }

  void Check(const std::byte* bytes, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; ++i) {
      if (static_cast<char>(bytes[i]) == ByteAt(received_ + i)) continue;
      ADD_FAILURE() << "byte " << received_ + i << " of fd " << fd()
                    << " is another one";
      break;
    }
    received_ += n_bytes;
  }

  Backend* backend_;
  OperationList* pending_;
  TestFd fd_;
  std::string sent_bytes_;
  std::vector<std::byte> read_bytes_;
  size_t sent_ = 0;
  size_t received_ = 0;
  std::deque<uint32_t> held_;
  CountedOperation write_, read_, poll_;
  CountedMultishot stream_;
};

struct Connection {
  std::unique_ptr<End> near, far;
};

class DuplexModel : public BackendConformance {
 protected:
  void RunRound(uint64_t seed) {
    random_.seed(seed);
    BackendOptions options = Options();
    options.receive_buffer_bytes = 64;
    options.receive_buffer_count = 8u << Below(random_, 4);
    options.receive_copy_bytes = 0;
    options.receive_own_bytes = Below(random_, 2) == 0 ? 0 : 64;
    options.share_receive_buffers = Below(random_, 2) == 0;
    BackendDriver driver(MakeForTest(options));
    driver_ = &driver;
    for (Connection& c : connections_) Open(c);
    for (int i = 0; i < kActions && !HasFailure(); ++i) Act();
    if (!HasFailure()) ExpectThatEverythingGoesOn();
    for (Connection& c : connections_) Close(c);
  }

 private:
  void Open(Connection& c) {
    TestFdPair sockets = system().SocketPair();
    for (TestFd* fd : {&sockets.first, &sockets.second}) {
      system().Shrink(fd->get());
    }
    c.near = std::make_unique<End>(**driver_, driver_->pending(),
                                   std::move(sockets.first));
    c.far = std::make_unique<End>(**driver_, driver_->pending(),
                                  std::move(sockets.second));
  }

  // Cancels active operations and closes both ends: one by an operation, the
  // other without the backend's knowledge.
  void Close(Connection& c) {
    for (End* end : {c.near.get(), c.far.get()}) {
      for (Operation* op : end->operations()) driver_->Cancel(*op);
      EXPECT_TRUE(driver_->RunUntil([&] {
        CollectAll();
        end->ReturnHeld();
        return !end->busy();
      }));
      end->Collect();
    }
    CountedOperation close;
    PrepareClose(close, c.near->TakeFd().Release());
    EXPECT_EQ(driver_->RunToEnd(close), 0);
    c = {};
  }

  void CollectAll() {
    for (Connection& c : connections_) {
      for (End* end : {c.near.get(), c.far.get()}) {
        if (end != nullptr) end->Collect();
      }
    }
  }

  void Act() {
    CollectAll();  // process ended operations before they are restarted
    Connection& c = connections_[Below(random_, kConnections)];
    End& end = Below(random_, 2) == 0 ? *c.near : *c.far;
    switch (Below(random_, 16)) {
      case 0:
      case 1:
      case 2:
        if (end.writes()) break;
        return end.Write(1 + Below(random_, kLargestWrite),
                         Below(random_, 4) != 0);
      case 3:
      case 4:
        if (end.reads()) break;
        return end.Read(1 + Below(random_, kLargestRead),
                        Below(random_, 4) == 0);
      case 5:
      case 6:
        if (end.reads()) break;
        return end.ReadAlong();
      case 7:
        if (end.polls()) break;
        return end.Poll(Below(random_, 2) == 0 ? POLLIN : POLLOUT);
      case 8:
        driver_->Cancel(*end.operations()[Below(random_, 4)]);
        return;
      case 9:
        return end.ReturnHeld(1 + Below(random_, 4));
      case 10:
        if (Below(random_, 8) != 0) break;
        Close(c);
        return Open(c);
      default:
        break;
    }
    driver_->TurnWithoutBlocking(1 + static_cast<int>(Below(random_, 2)));
    CollectAll();
  }

  // Each end reads until it has all there is, and sends what its peer waits
  // for: whatever waits must end.
  void ExpectThatEverythingGoesOn() {
    EXPECT_TRUE(driver_->RunUntil([&] {
      bool settled = true;
      for (Connection& c : connections_) {
        settled &= GoOn(*c.near, *c.far);
        settled &= GoOn(*c.far, *c.near);
      }
      return settled || HasFailure();
    }));
    if (!HasFailure()) return;
    for (Connection& c : connections_) {
      for (End* end : {c.near.get(), c.far.get()}) {
        ADD_FAILURE() << "fd " << end->fd() << ": sent " << end->sent()
                      << ", received " << end->received() << ", writes "
                      << end->writes() << ", reads " << end->reads()
                      << ", polls " << end->polls();
      }
    }
  }

  // True once no operation of the direction from `from` to `to` waits.
  static bool GoOn(End& from, End& to) {
    from.Collect();
    to.Collect();
    to.ReturnHeld();
    const bool all_here = from.sent() == to.received();
    if (all_here && !from.waits_to_write() && !to.waits_to_read()) return true;
    // As much as a read can want, which may have a part of it already.
    if (!from.writes() && to.waits_to_read() &&
        (all_here || to.waits_to_read_all())) {
      from.Write(kLargestRead, /*all=*/true);
    }
    // What is read at once never shows to what polls.
    if (!to.reads() && !to.waits_to_read())
      to.Read(kLargestRead, /*all=*/false);
    return false;
  }

  Random random_;
  BackendDriver* driver_ = nullptr;
  std::array<Connection, kConnections> connections_;
};

TEST_P(DuplexModel, EveryByteArrivesAndNothingWaitsForEver) {
  const uint64_t rounds = Scaled(1'000);
  const uint64_t first = FromEnvironment("RINGWAY_SEED", 1);
  for (uint64_t seed = first; seed < first + rounds; ++seed) {
    SCOPED_TRACE(::testing::Message() << "RINGWAY_SEED=" << seed);
    RunRound(seed);
    if (HasFailure()) return;
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DuplexModel);

}  // namespace
}  // namespace ringway::testing
