// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/stream_model/end.h"
#include "ringway/net/stream_model/stop.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net::model {
namespace {

// Handles a receive without bytes. True if the program continues.
bool AfterNothing(EndState& end, const absl::Status& status, bool stopped) {
  if (IsStopped(status)) {
    if (stopped && !end.WasCut(status)) {
      end.CountStop();
      return true;
    }
    if (!stopped && !end.WasCut(status))
      end.Fail("a receive was cancelled, and nobody has");
  } else if (status.ok()) {
    end.in().ReachedEnd();
  } else {
    end.in().ReceiveFailed(status);
  }
  return false;
}

// Both forms of it, without a draw of the seed.
bool ReadsWithTime(EndState& end) { return end.in().received() % 2 == 1; }

template <typename Stream>
Task<absl::StatusOr<size_t>> ReadOf(End<Stream>& end,
                                    std::span<std::byte> buffer) {
  if (end.gone()) co_return absl::CancelledError();
  if constexpr (requires { end.stream().ReadWithTime(buffer); }) {
    if (ReadsWithTime(end)) {
      const absl::StatusOr<TimedRead> read =
          co_await end.stream().ReadWithTime(buffer);
      if (!read.ok()) co_return read.status();
      co_return read->n_bytes;
    }
  }
  co_return co_await end.stream().Read(buffer);
}

template <typename Stream>
Task<absl::StatusOr<ReceivedBuffer>> ReceiveOf(End<Stream>& end) {
  if (end.gone()) co_return absl::CancelledError();
  co_return co_await end.stream().Receive();
}

// Buffers that are kept for a while, with the positions of their bytes.
class Held {
 public:
  explicit Held(Direction& in) : in_(in) {}
  ~Held() { ReleaseAll(); }

  bool empty() const { return held_.empty(); }

  void Keep(ReceivedBuffer buffer, uint64_t offset) {
    held_.emplace_back(std::move(buffer), offset);
    if (held_.size() > kMost) ReleaseFirst();
  }
  void ReleaseAll() {
    while (!held_.empty()) ReleaseFirst();
  }

 private:
  static constexpr size_t kMost = 6;

  void ReleaseFirst() {
    auto& [buffer, offset] = held_.front();
    in_.CheckStill(buffer.bytes(), offset);
    held_.pop_front();
  }

  Direction& in_;
  std::deque<std::pair<ReceivedBuffer, uint64_t>> held_;
};

template <typename Stream>
class Reader {
 public:
  Reader(End<Stream>& end, Random& random)
      : end_(end), random_(random), held_(end.in()) {}

  // One Read() or Receive(). False if it was the last.
  Task<bool> Step() {
    const EndPlan& plan = end_.plan();
    const bool stop = OneIn(plan.cancelled_reads);
    if (random_.Below(10) < plan.receives) return Receive(stop);
    return Read(stop);
  }

  // Held buffers must be returned while this waits, because others may need
  // them.
  void ReleaseAll() { held_.ReleaseAll(); }

 private:
  bool OneIn(uint32_t n) { return n > 0 && random_.OneIn(n); }

  Task<bool> Read(bool stop) {
    ReleaseAll();
    std::vector<std::byte> buffer(
        random_.Pick<size_t>({0, 1, random_.Between(2, 100), 4096, 16 * 1024,
                              32 * 1024 + 1, 256 * 1024}));
    absl::StatusOr<size_t> n;
    if (stop) {
      n = co_await StopSometime(random_, ReadOf(end_, buffer));
    } else {
      n = co_await ReadOf(end_, buffer);
    }
    if (!n.ok()) co_return AfterNothing(end_, n.status(), stop);
    if (*n > buffer.size()) {
      end_.Fail("a read of more than its buffer holds");
      co_return false;
    }
    if (buffer.empty()) co_return true;
    if (*n == 0) co_return AfterNothing(end_, absl::OkStatus(), stop);
    end_.in().Received(std::span(buffer).first(*n));
    co_return true;
  }

  Task<bool> Receive(bool stop) {
    absl::StatusOr<ReceivedBuffer> buffer;
    if (!held_.empty()) {
      stop = true;
      buffer = co_await WithTimeout(absl::Milliseconds(2), ReceiveOf(end_));
      if (!buffer.ok()) ReleaseAll();
    } else if (stop) {
      buffer = co_await StopSometime(random_, ReceiveOf(end_));
    } else {
      buffer = co_await end_.stream().Receive();
    }
    if (!buffer.ok()) co_return AfterNothing(end_, buffer.status(), stop);
    if (buffer->empty()) co_return AfterNothing(end_, absl::OkStatus(), stop);
    const uint64_t offset = end_.in().received();
    end_.in().Received(buffer->bytes());
    if (OneIn(end_.plan().holds)) held_.Keep(*std::move(buffer), offset);
    co_return true;
  }

  End<Stream>& end_;
  Random& random_;
  Held held_;
};

}  // namespace

template <ByteStream Stream>
Task<void> ReadProgram(End<Stream>& end, Random random) {
  const EndPlan& plan = end.plan();
  Reader<Stream> reader(end, random);
  while (!end.gone()) {
    if (end.MayLeave(Role::kReader))
      co_return co_await end.LeaveNow(plan.leave);
    const bool go_on = co_await reader.Step();
    if (!go_on) break;
    if (plan.pauses > 0 && random.OneIn(plan.pauses)) co_await Pause(random);
    if (plan.messages > 0 && random.OneIn(plan.messages)) {
      if (random.OneIn(2)) {
        co_await end.Tell(Role::kReader);
      } else {
        co_await end.Ask(random.Next());
      }
    }
  }
}

template Task<void> ReadProgram(End<TcpStream>& end, Random random);
template Task<void> ReadProgram(End<TlsStream>& end, Random random);

}  // namespace ringway::net::model
