// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/stream/memory_lender.h"

#include <span>
#include <utility>
#include <vector>

#include "ringway/backends/backend.h"
#include "ringway/core/check.h"
#include "ringway/core/time/clock.h"

namespace ringway::net::internal {

// Has no operations.
class LenderBackend final : public Backend {
 public:
  LenderBackend() : Backend(Info()) {}

  MemoryLender::Block Take(size_t n_bytes) {
    size_t i = 0;
    while (i + 1 < kSizes && MemoryLender::kBlockBytes[i] < n_bytes) ++i;
    std::vector<MemoryLender::Block>& free = free_[i];
    if (!free.empty()) {
      MemoryLender::Block block = std::move(free.back());
      free.pop_back();
      return block;
    }
    MemoryLender::Block block;
    block.size = MemoryLender::kBlockBytes[i];
    block.memory.reset(new std::byte[block.size]);
    return block;
  }

  void GiveBack(MemoryLender::Block block) noexcept {
    size_t i = 0;
    while (MemoryLender::kBlockBytes[i] != block.size) ++i;
    // Reserved at first use: never allocates.
    if (free_[i].size() < free_[i].capacity())
      free_[i].push_back(std::move(block));
  }

  // Keeps `block` under a number until ReturnBuffer().
  uint32_t Keep(MemoryLender::Block block) {
    if (unused_.empty()) {
      // One more than is needed now, so that returning allocates nothing.
      unused_.reserve(lent_.size() + 1);
      lent_.emplace_back();
      unused_.push_back(static_cast<uint32_t>(lent_.size() - 1));
    }
    const uint32_t id = unused_.back();
    unused_.pop_back();
    lent_[id] = std::move(block);
    return id;
  }

  size_t lent() const { return lent_.size() - unused_.size(); }

  // --- Backend.

  void ReturnBuffer(uint32_t id) override {
    GiveBack(std::move(lent_[id]));
    unused_.push_back(id);
  }
  void Submit(OperationList& pending, RunnableList& /*done*/) override {
    RINGWAY_CHECK(pending.empty(), "a lender of memory runs no operations");
  }
  void Wait(MonotonicTime /*deadline*/, RunnableList& /*done*/) override {}
  CancelOutcome Cancel(Operation& /*op*/, RunnableList& /*done*/) override {
    return CancelOutcome::kNotFound;
  }
  size_t CancelFd(int /*fd*/, RunnableList& /*done*/) override { return 0; }
  void Quiesce(RunnableList& /*done*/) override {}
  void Notify() override {}
  bool TakeDelivery(DeliveringOperation& /*op*/,
                    Delivery& /*delivery*/) override {
    return false;
  }
  int PollableFd() const override { return -1; }
  BackendStats stats() const override { return {}; }

 private:
  static constexpr size_t kSizes = MemoryLender::kBlockBytes.size();

  static BackendInfo Info() {
    BackendInfo info;
    info.name = "lender";
    info.description = "lends memory";
    info.clock = &Clock::Real();
    return info;
  }

  static std::vector<MemoryLender::Block> Reserved() {
    std::vector<MemoryLender::Block> free;
    free.reserve(MemoryLender::kMostFree);
    return free;
  }

  std::array<std::vector<MemoryLender::Block>, kSizes> free_ = {
      Reserved(), Reserved(), Reserved()};
  std::vector<MemoryLender::Block> lent_;  // by number
  std::vector<uint32_t> unused_;           // numbers
};

MemoryLender::MemoryLender()
    : MemoryLender(std::make_unique<LenderBackend>()) {}

MemoryLender::MemoryLender(std::unique_ptr<LenderBackend> backend)
    : backend_(*backend), loop_(std::move(backend)) {}

MemoryLender::~MemoryLender() = default;

MemoryLender::Block MemoryLender::Take(size_t n_bytes) {
  return backend_.Take(n_bytes);
}

void MemoryLender::GiveBack(Block block) {
  backend_.GiveBack(std::move(block));
}

ReceivedBuffer MemoryLender::Lend(Block block, size_t n_bytes) {
  const std::span<std::byte> bytes(block.memory.get(), n_bytes);
  const uint32_t id = backend_.Keep(std::move(block));
  return {loop_, id, bytes};
}

size_t MemoryLender::blocks_lent() const { return backend_.lent(); }

}  // namespace ringway::net::internal
