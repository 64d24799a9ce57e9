// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/pipe.h"

#include <limits.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace ringway::sim {
namespace {

constexpr size_t kCapacity = 64 * 1024;

}  // namespace

struct PipeEnd::State {
  size_t room() const { return kCapacity - bytes.size(); }

  ByteQueue bytes;
};

std::pair<std::shared_ptr<PipeEnd>, std::shared_ptr<PipeEnd>> PipeEnd::MakePair(
    Environment& environment) {
  auto state = std::make_shared<State>();
  auto reader = std::make_shared<PipeEnd>(environment, state, /*reads=*/true);
  auto writer = std::make_shared<PipeEnd>(environment, state, /*reads=*/false);
  reader->other_ = writer;
  writer->other_ = reader;
  return {std::move(reader), std::move(writer)};
}

PipeEnd::PipeEnd(Environment& environment, std::shared_ptr<State> state,
                 bool reads)
    : Description(environment), state_(std::move(state)), reads_(reads) {}

PipeEnd::~PipeEnd() { TellOther(POLLIN | POLLOUT | POLLHUP | POLLERR); }

std::string_view PipeEnd::kind() const {
  return reads_ ? "pipe's read end" : "pipe's write end";
}

uint32_t PipeEnd::Ready() {
  if (reads_) {
    return (state_->bytes.empty() ? 0 : POLLIN) |
           (other_is_open() ? 0 : POLLHUP);
  }
  return (state_->room() >= PIPE_BUF ? POLLOUT : 0) |
         (other_is_open() ? 0 : POLLERR);
}

int64_t PipeEnd::Read(Buffers& to, int64_t) {
  if (!reads_) return -EBADF;
  size_t n = 0;
  while (!state_->bytes.empty() && to.left() > 0) {
    const size_t copied = to.Fill(state_->bytes.Piece());
    state_->bytes.Drop(copied);
    n += copied;
  }
  if (n > 0) {
    TellOther(POLLOUT);
    return static_cast<int64_t>(n);
  }
  return other_is_open() && to.left() > 0 ? kBlocked : 0;
}

int64_t PipeEnd::Write(Buffers& from, int64_t) {
  if (reads_) return -EBADF;
  if (!other_is_open()) return -EPIPE;
  // Writes of up to PIPE_BUF bytes are atomic.
  const size_t wanted = from.left();
  if (state_->room() < std::min<size_t>(wanted, PIPE_BUF)) return kBlocked;
  size_t n = 0;
  for (size_t left = std::min(wanted, state_->room()); left > 0;) {
    const std::span<std::byte> piece = from.Next(left);
    state_->bytes.Append(piece);
    n += piece.size();
    left -= piece.size();
  }
  if (n > 0) TellOther(POLLIN);
  return static_cast<int64_t>(n);
}

size_t PipeEnd::Room() { return state_->room(); }

void PipeEnd::TellOther(uint32_t events) {
  if (auto other = other_.lock()) other->Changed(events);
}

}  // namespace ringway::sim
