// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/stream_model/buffer_probe.h"
#include "ringway/net/stream_model/end.h"
#include "ringway/net/stream_model/secure.h"

namespace ringway::net::model {
namespace {

constexpr size_t kNotesUnderWay = 8;

constexpr std::array<Transport, 3> kListening = {
    Transport::kTcp4, Transport::kTcp6, Transport::kUnix};

std::string AddressFor(const World& world, size_t worker, Transport transport) {
  static std::atomic<uint64_t> names{0};
  switch (transport) {
    case Transport::kTcp4:
      return absl::StrCat(world.workers[worker].ipv4, ":0");
    case Transport::kTcp6:
      return world.has_ipv6 ? "[::1]:0"
                            : AddressFor(world, worker, Transport::kTcp4);
    default:
      return absl::StrCat("unix:@ringway-model-", getpid(), "-", names++);
  }
}

absl::Status Listen(Local& local, Loop& loop) {
  for (Transport transport : kListening) {
    absl::StatusOr<SocketAddress> address =
        SocketAddress::Parse(AddressFor(local.world, local.index, transport));
    if (!address.ok()) return address.status();
    absl::StatusOr<TcpListener> listener = TcpListener::Listen(loop, *address);
    if (!listener.ok()) return listener.status();
    address = listener->LocalAddress();
    if (!address.ok()) return address.status();
    local.world.workers[local.index].addresses[static_cast<size_t>(transport)] =
        *address;
    local.listeners.push_back(*std::move(listener));
  }
  return absl::OkStatus();
}

// Each end starts by sending the number of its pair, so that the accepting
// side can identify it.
using Hello = std::array<std::byte, sizeof(uint32_t)>;

Task<absl::StatusOr<size_t>> ReadHello(TcpStream& stream) {
  Hello hello;
  for (size_t have = 0; have < hello.size();) {
    const absl::StatusOr<size_t> n =
        co_await stream.Read(std::span(hello).subspan(have));
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::InternalError("the end of stream");
    have += *n;
  }
  uint32_t pair;
  memcpy(&pair, hello.data(), sizeof(pair));
  co_return pair;
}

Task<absl::Status> WriteHello(TcpStream& stream, size_t pair) {
  const auto number = static_cast<uint32_t>(pair);
  Hello hello;
  memcpy(hello.data(), &number, sizeof(number));
  co_return co_await stream.Write(hello);
}

void SetSmallSendBuffer(const TcpStream& stream) {
  const int n_bytes = 4096;
  Executor::Current()->loop().backend().sockets().SetOption(
      stream.fd(), SOL_SOCKET, SO_SNDBUF, &n_bytes, sizeof(n_bytes));
}

void OnEnded(Local& local) {
  ++local.world.ledger.progress;
  if (--local.ends_left == 0) local.all_ended.Set();
}

void FailUnlessCut(Local& local, std::string_view what,
                   const absl::Status& status) {
  if (!local.world.cut_short())
    local.world.Fail(absl::StrCat(what, ": ", status.ToString()));
}

template <ByteStream Stream>
Task<void> RunPrograms(Local& local, size_t pair, size_t side, Stream stream) {
  End<Stream> end(local, pair, side, std::move(stream));
  Task<void> reads = ReadProgram(end, end.Fork());
  Task<void> writes = WriteProgram(end, end.Fork());
  co_await WhenAll(std::move(reads), std::move(writes));
  if (!end.gone())
    co_await end.LeaveNow(end.plan().seed % 2 == 0 ? Leave::kDrop
                                                   : Leave::kClose);
}

// A handshake fails if the peer, whose own is over, has already left.
void OnNoHandshake(Local& local, size_t pair, size_t side,
                   const absl::Status& status) {
  Pair& directions = *local.world.pairs[pair];
  Direction& in = directions.directions[1 - side];
  in.ReceiveFailed(status);
  in.WillLeave();
  directions.directions[side].WillEnd(kClosed);
}

Task<void> RunEnd(Local& local, size_t pair, size_t side, TcpStream stream) {
  const PairPlan& plan = local.world.plan.pairs[pair];
  if (plan.small_send_buffer) SetSmallSendBuffer(stream);
  if (plan.security == Security::kNone) {
    co_await RunPrograms(local, pair, side, std::move(stream));
  } else {
    absl::StatusOr<TlsStream> secured =
        co_await Secure(plan.security, side, std::move(stream));
    if (secured.ok()) {
      co_await RunPrograms(local, pair, side, *std::move(secured));
    } else {
      OnNoHandshake(local, pair, side, secured.status());
    }
  }
  OnEnded(local);
}

Task<void> GreetAccepted(Local& local, TcpStream stream) {
  const absl::StatusOr<size_t> pair = co_await ReadHello(stream);
  if (!pair.ok()) {
    FailUnlessCut(local, "no hello", pair.status());
    co_return;
  }
  co_await RunEnd(local, *pair, 1, std::move(stream));
}

Task<void> AcceptAll(Local& local, Transport transport, size_t n) {
  TcpListener& listener = local.listeners[static_cast<size_t>(transport)];
  for (; n > 0; --n) {
    absl::StatusOr<TcpStream> stream = co_await listener.Accept();
    ++local.world.ledger.progress;
    if (!stream.ok()) {
      FailUnlessCut(local, "an accept failed", stream.status());
      co_return;
    }
    Spawn(GreetAccepted(local, *std::move(stream)), "an accepted end").Detach();
  }
}

Task<void> ConnectEnd(Local& local, size_t pair) {
  World& world = local.world;
  const PairPlan& plan = world.plan.pairs[pair];
  const SocketAddress& address =
      world.workers[plan.workers[1]]
          .addresses[static_cast<size_t>(plan.transport)];
  absl::StatusOr<TcpStream> stream = co_await Connect(address);
  absl::Status greeted = stream.status();
  if (stream.ok()) greeted = co_await WriteHello(*stream, pair);
  if (!greeted.ok()) {
    FailUnlessCut(local, "a connect failed", greeted);
    co_return;
  }
  co_await RunEnd(local, pair, 0, *std::move(stream));
}

void StartEnds(Local& local, Loop& loop) {
  World& world = local.world;
  std::array<size_t, kListening.size()> to_accept = {};
  for (size_t i = 0; i < world.plan.pairs.size(); ++i) {
    const PairPlan& pair = world.plan.pairs[i];
    const bool adopted = pair.transport == Transport::kAdopted;
    for (size_t side = 0; side < 2; ++side) {
      if (pair.workers[side] != local.index) continue;
      ++local.ends_left;
      if (adopted) {
        const int fd = world.pairs[i]->adopted[side].Release();
        TcpStream stream = TcpStream::Adopt(loop, UniqueFd(fd));
        Spawn(RunEnd(local, i, side, std::move(stream)), "an adopted end")
            .Detach();
      } else if (side == 0) {
        Spawn(ConnectEnd(local, i), "a connecting end").Detach();
      } else {
        ++to_accept[static_cast<size_t>(pair.transport)];
      }
    }
  }
  for (Transport transport : kListening) {
    Spawn(
        AcceptAll(local, transport, to_accept[static_cast<size_t>(transport)]),
        "accepts")
        .Detach();
  }
}

// Receives the notes of other workers, each sender's in order.
Task<void> Hear(Local& local, SharedReceiver<Note> in) {
  World& world = local.world;
  while (true) {
    const absl::StatusOr<Note> note = co_await in.Receive();
    if (!note.ok()) co_return;  // all senders have ended
    ++world.ledger.progress;
    if (note->number != ++world.heard[note->teller])
      world.Fail(absl::StrCat("note ", note->number, " of teller ",
                              note->teller, " came as number ",
                              world.heard[note->teller].load()));
  }
}

Task<void> SleepAMoment() {
  (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
}

// Turns the loop until nothing is left of the round; the watchdog aborts if
// something remains.
void Settle(WorkerPart& part) {
  part.CloseListeners();
  while (!part.settled()) part.executor().Run(SleepAMoment()).IgnoreError();
  const absl::Status probed = part.executor().Run(part.Probe());
  if (!probed.ok()) part.Fail(probed);
}

}  // namespace

std::vector<Mailboxes> MakeMailboxes(size_t n_workers) {
  std::vector<SharedSender<Note>> to;
  std::vector<Mailboxes> mailboxes;
  for (size_t i = 0; i < n_workers; ++i) {
    auto channel = MakeSharedChannel<Note>(kNotesUnderWay);
    to.push_back(std::move(channel.sender));
    mailboxes.push_back(Mailboxes{std::move(channel.receiver), {}});
  }
  for (Mailboxes& mailbox : mailboxes) mailbox.out = to;
  return mailboxes;
}

WorkerPart::WorkerPart(World& world, size_t index, Mailboxes mailboxes)
    : local_(world, index), in_(std::move(mailboxes.in)) {
  local_.to_others = std::move(mailboxes.out);
}

ExecutorOptions WorkerPart::Options() {
  ExecutorOptions options = local_.world.plan.options;
  options.on_detached_exception =
      [&world = local_.world](const std::exception_ptr&) {
        world.Fail("a task has thrown");
      };
  return options;
}

absl::Status WorkerPart::Start(Executor& executor) {
  executor_ = &executor;
  World::Worker& worker = local_.world.workers[local_.index];
  worker.executor = &executor;
  worker.handle = ExecutorHandle(executor);
  worker.thread = gettid();
  return Listen(local_, executor.loop());
}

Task<void> WorkerPart::Main() {
  JoinHandle<void> hears = Spawn(Hear(local_, std::move(in_)), "hears notes");
  StartEnds(local_, executor_->loop());
  const absl::Duration cut_after = local_.world.plan.cut_after;
  if (cut_after > absl::ZeroDuration()) {
    // One after the other, so that ends see their peers end.
    (co_await Sleep(cut_after * (1 + local_.index))).IgnoreError();
    local_.world.ledger.cut_short = true;
    hears.Detach();
    co_return;
  }
  if (local_.ends_left > 0) (co_await local_.all_ended.Wait()).IgnoreError();
  local_.to_others.clear();
  (co_await hears).IgnoreError();
}

// Frames freed by another worker are returned later.
bool WorkerPart::settled() const {
  const ExecutorStats stats = executor_->stats();
  return stats.tasks_alive == 0 && stats.loop.backend.in_flight == 0 &&
         stats.frames.live == 0;
}

Task<absl::Status> WorkerPart::Probe() {
  return ProbeBuffers(executor_->loop(), local_.world.plan.options);
}

void WorkerPart::Fail(const absl::Status& status) {
  local_.world.Fail(status.ToString());
}

void RunWorker(World& world, size_t index, Mailboxes mailboxes,
               std::barrier<>& step) {
  WorkerPart part(world, index, std::move(mailboxes));
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(part.Options());
  absl::Status started = executor.status();
  if (started.ok()) started = part.Start(**executor);
  if (!started.ok()) {
    world.Fail(absl::StrCat("a worker does not start: ", started.ToString()));
    world.failed_to_start = true;
  }
  step.arrive_and_wait();
  if (!world.failed_to_start) {
    const absl::Status ended = (*executor)->Run(part.Main());
    if (!ended.ok()) part.Fail(ended);
    if (!world.cut_short()) Settle(part);
  }
  part.CloseListeners();
  if (executor.ok()) executor->reset();
  step.arrive_and_wait();
}

}  // namespace ringway::net::model
