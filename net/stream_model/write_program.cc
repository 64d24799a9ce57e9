// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/stream_model/content.h"
#include "ringway/net/stream_model/end.h"
#include "ringway/net/stream_model/stop.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net::model {
namespace {

using Bytes = std::vector<std::byte>;

template <typename Stream>
constexpr bool kZeroCopy = requires(Stream& stream, SharedBytes bytes) {
  stream.WriteZeroCopy(std::move(bytes));
};

// Offers the next `n_bytes` of the direction.
Bytes Offer(EndState& end, size_t n_bytes) {
  Bytes bytes(n_bytes);
  Fill(bytes, end.out().key(), end.out().offered());
  end.out().WillSend(n_bytes);
  return bytes;
}

// Handles the end of a write, which the program may have `stopped`. False if
// it was the last one.
bool After(EndState& end, const absl::Status& status, bool stopped) {
  if (status.ok()) {
    end.out().Sent();
    return true;
  }
  if (!IsStopped(status)) {
    end.out().SendFailed(status);
    return false;
  }
  end.out().Interrupt();
  if (stopped) end.CountStop();
  if (!stopped && !end.WasCut(status))
    end.Fail("a write was cancelled, and nobody has");
  return false;
}

template <typename Stream>
Task<absl::Status> WriteOf(End<Stream>& end, std::span<const std::byte> bytes) {
  if (end.gone()) co_return absl::CancelledError();
  co_return co_await end.stream().Write(bytes);
}

template <typename Stream>
Task<bool> Write(End<Stream>& end, size_t n_bytes) {
  const Bytes bytes = Offer(end, n_bytes);
  const absl::Status sent = co_await end.stream().Write(bytes);
  co_return After(end, sent, /*stopped=*/false);
}

// Splits `bytes` into up to `most` parts, with empty ones among them.
std::vector<std::span<const std::byte>> Parts(Random& random,
                                              std::span<const std::byte> bytes,
                                              size_t most) {
  std::vector<std::span<const std::byte>> parts;
  for (size_t i = random.Below(most); i > 0; --i) {
    const size_t n = random.Below(bytes.size() + 1) / (1 + random.Below(i + 1));
    parts.push_back(bytes.first(n));
    bytes = bytes.subspan(n);
  }
  parts.push_back(bytes);
  return parts;
}

template <typename Stream>
Task<bool> Writev(End<Stream>& end, Random& random, size_t n_bytes) {
  const Bytes bytes = Offer(end, n_bytes);
  const auto parts = Parts(random, bytes, 40);
  const absl::Status sent = co_await end.stream().Writev(parts);
  co_return After(end, sent, /*stopped=*/false);
}

// Parts of both kinds; the threshold decides which shared ones are copied.
template <typename Stream>
Task<bool> WriteGather(End<Stream>& end, Random& random, size_t n_bytes) {
  const Bytes bytes = Offer(end, n_bytes);
  std::vector<WritePart> parts;
  for (const std::span<const std::byte> part : Parts(random, bytes, 40)) {
    if (random.OneIn(2)) {
      parts.emplace_back(part);
    } else {
      parts.emplace_back(SharedBytes(Bytes(part.begin(), part.end())));
    }
  }
  end.stream().set_zero_copy_threshold(random.Pick<size_t>({1, 500, 20'000}));
  const absl::Status sent = co_await end.stream().WriteGather(parts);
  co_return After(end, sent, /*stopped=*/false);
}

template <typename Stream>
Task<absl::Status> WriteSharedOf(End<Stream>& end, SharedBytes bytes) {
  if (end.gone()) co_return absl::CancelledError();
  end.stream().set_zero_copy_threshold(1);
  co_return co_await end.stream().WriteZeroCopy(std::move(bytes));
}

template <typename Stream>
Task<bool> WriteZeroCopy(End<Stream>& end, Random& random, size_t n_bytes) {
  SharedBytes bytes(Offer(end, n_bytes));
  const EndPlan& plan = end.plan();
  const bool stop =
      plan.cancelled_writes > 0 && random.OneIn(plan.cancelled_writes);
  absl::Status sent;
  if (stop) {
    sent = co_await StopSometime(random, WriteSharedOf(end, std::move(bytes)));
  } else {
    sent = co_await WriteSharedOf(end, std::move(bytes));
  }
  co_return After(end, sent, stop);
}

template <typename Stream>
Task<bool> WriteAndCancel(End<Stream>& end, Random& random, size_t n_bytes) {
  const Bytes bytes = Offer(end, n_bytes);
  const absl::Status sent = co_await StopSometime(random, WriteOf(end, bytes));
  co_return After(end, sent, /*stopped=*/true);
}

// Several writes by separate tasks, which queue behind each other.
template <typename Stream>
Task<bool> WriteInTurn(End<Stream>& end, Random& random, size_t n_bytes) {
  const Bytes bytes = Offer(end, n_bytes);
  std::vector<Task<absl::Status>> writes;
  for (std::span<const std::byte> part : Parts(random, bytes, 5)) {
    writes.push_back(WriteOf(end, part));
  }
  for (const absl::Status& sent : co_await WhenAll(std::move(writes))) {
    if (sent.ok()) continue;
    co_return After(end, sent, /*stopped=*/false);
  }
  co_return After(end, absl::OkStatus(), /*stopped=*/false);
}

Task<absl::Status> EnqueueOf(BufferedWriter& writer,
                             std::span<const std::byte> bytes) {
  co_return co_await writer.Enqueue(bytes);
}
Task<absl::Status> FlushOf(BufferedWriter& writer) {
  co_return co_await writer.Flush();
}

template <typename Stream>
Task<absl::Status> Enqueue(End<Stream>& end, Random& random,
                           BufferedWriter& writer, size_t n_bytes) {
  const Bytes bytes = Offer(end, n_bytes);
  const bool cancel = end.plan().cancelled_writes > 0 &&
                      random.OneIn(end.plan().cancelled_writes);
  absl::Status queued;
  if (cancel) {
    queued = co_await StopSometime(random, EnqueueOf(writer, bytes));
  } else {
    queued = co_await writer.Enqueue(bytes);
  }
  if (cancel && IsStopped(queued)) {
    end.out().TakeBack(n_bytes);  // a cancelled wait has queued nothing
    queued = absl::OkStatus();
  }
  co_return queued;
}

template <typename Stream>
Task<bool> WriteBuffered(End<Stream>& end, Random& random, size_t n_bytes) {
  end.set_pinned(true);
  BufferedWriter writer(end.stream().writer(),
                        random.Pick<size_t>({1, 1000, 100'000}));
  absl::Status sent;
  while (n_bytes > 0 && sent.ok()) {
    const size_t n = random.Between(1, n_bytes);
    n_bytes -= n;
    sent = co_await Enqueue(end, random, writer, n);
    if (random.OneIn(3)) co_await Pause(random);
  }
  if (sent.ok() && random.OneIn(3)) {
    [[maybe_unused]] const absl::Status stopped =
        co_await StopSometime(random, FlushOf(writer));
  }
  if (sent.ok()) sent = co_await writer.Flush();
  if (sent.ok() && writer.queued_bytes() != 0)
    end.Fail("bytes are queued behind a flush");
  const bool go_on = After(end, sent, /*stopped=*/false);
  end.set_pinned(false);
  co_return go_on;
}

template <typename Stream>
Task<bool> WriteSomehow(End<Stream>& end, Random& random, size_t n_bytes) {
  const EndPlan& plan = end.plan();
  if (plan.cancelled_writes > 0 && random.OneIn(plan.cancelled_writes))
    co_return co_await WriteAndCancel(end, random, n_bytes);
  switch (random.Below(10)) {
    case 0:
    case 1:
      co_return co_await Writev(end, random, n_bytes);
    case 2:
      co_return co_await WriteBuffered(end, random, n_bytes);
    case 3:
      if constexpr (kZeroCopy<Stream>)
        co_return co_await WriteGather(end, random, n_bytes);
      co_return co_await Writev(end, random, n_bytes);
    case 4:
      if constexpr (kZeroCopy<Stream>)
        co_return co_await WriteZeroCopy(end, random, n_bytes);
      co_return co_await Write(end, n_bytes);
    case 5:
      // With a shuffled ready order they would begin in another order.
      if (end.options().loop.shuffle_seed == 0)
        co_return co_await WriteInTurn(end, random, n_bytes);
      [[fallthrough]];
    default:
      co_return co_await Write(end, n_bytes);
  }
}

// The end of the direction.
template <typename Stream>
Task<void> Finish(End<Stream>& end, Random& random) {
  // A TLS stream cannot shut down what was cut off without cutting off the
  // other direction, too.
  if (end.out().interrupted() &&
      !(random.OneIn(4) && std::same_as<Stream, TcpStream>)) {
    const Leave how = random.Pick({Leave::kDrop, Leave::kClose, Leave::kReset});
    co_return co_await end.LeaveNow(how);
  }
  end.out().WillEnd(kShutdown);
  const absl::Status shut = co_await end.stream().ShutdownWrite();
  if (shut.ok() || end.WasCut(shut)) co_return;
  if (IsStopped(shut)) {
    end.Fail("a shutdown was cancelled, and nobody has");
  } else {
    end.out().SendFailed(shut);
  }
}

}  // namespace

template <ByteStream Stream>
Task<void> WriteProgram(End<Stream>& end, Random random) {
  const EndPlan& plan = end.plan();
  bool go_on = true;
  while (go_on && !end.gone() && end.out().offered() < plan.n_bytes) {
    if (end.MayLeave(Role::kWriter)) break;
    if (plan.pauses > 0 && random.OneIn(plan.pauses)) co_await Pause(random);
    if (plan.messages > 0 && random.OneIn(plan.messages))
      co_await end.Tell(Role::kWriter);
    if (end.gone()) break;
    const uint64_t most =
        std::min(plan.largest_write, plan.n_bytes - end.out().offered());
    // Sometimes the largest, mostly less, sometimes nothing.
    const uint64_t n = random.OneIn(3) ? most : random.Below(most + 1);
    go_on = co_await WriteSomehow(end, random, n);
  }
  if (end.MayLeave(Role::kWriter)) {
    co_await end.LeaveNow(plan.leave);
  } else if (!end.gone()) {
    co_await Finish(end, random);
  }
}

template Task<void> WriteProgram(End<TcpStream>& end, Random random);
template Task<void> WriteProgram(End<TlsStream>& end, Random random);

}  // namespace ringway::net::model
