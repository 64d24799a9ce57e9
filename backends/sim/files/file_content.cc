// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/file_content.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace ringway::sim {
namespace {

constexpr std::array<std::byte, FileContent::kBlockBytes> kZeros = {};

}  // namespace

size_t FileContent::Read(Buffers& to, uint64_t offset) const {
  size_t n = 0;
  while (offset < size_ && to.left() > 0) {
    const size_t at = offset % kBlockBytes;
    const auto block = blocks_.find(offset / kBlockBytes);
    const Block& bytes = block == blocks_.end() ? kZeros : *block->second;
    const size_t piece = static_cast<size_t>(
        std::min<uint64_t>(kBlockBytes - at, size_ - offset));
    const size_t copied = to.Fill({&bytes[at], piece});
    n += copied;
    offset += copied;
  }
  return n;
}

size_t FileContent::Write(Buffers& from, uint64_t offset) {
  const size_t n = DoWrite(from, offset);
  if (n == 0) return 0;
  Change change{Change::Kind::kWrite, offset, 0, std::vector<std::byte>(n)};
  Buffers copy(change.bytes.data(), n);
  Read(copy, offset);
  unsynced_.push_back(std::move(change));
  return n;
}

size_t FileContent::DoWrite(Buffers& from, uint64_t offset) {
  size_t n = 0;
  while (from.left() > 0) {
    Block* block = Writable(offset / kBlockBytes);
    if (block == nullptr) break;
    const size_t at = offset % kBlockBytes;
    const std::span<std::byte> piece = from.Next(kBlockBytes - at);
    memcpy(&(*block)[at], piece.data(), piece.size());
    n += piece.size();
    offset += piece.size();
  }
  if (n > 0) size_ = std::max(size_, offset);
  return n;
}

void FileContent::Truncate(uint64_t n_bytes) {
  DoTruncate(n_bytes);
  unsynced_.push_back({Change::Kind::kTruncate, n_bytes, 0, {}});
}

void FileContent::DoTruncate(uint64_t n_bytes) {
  if (n_bytes < size_) {
    // Bytes beyond the end in the last block must not reappear.
    Zero(n_bytes, std::min<uint64_t>(size_ - n_bytes,
                                     kBlockBytes - n_bytes % kBlockBytes));
  }
  const uint64_t n_blocks = (n_bytes + kBlockBytes - 1) / kBlockBytes;
  Free(blocks_.lower_bound(n_blocks), blocks_.end());
  size_ = n_bytes;
}

bool FileContent::Allocate(uint64_t offset, uint64_t n_bytes) {
  if (n_bytes == 0) return true;
  const uint64_t last = (offset + n_bytes - 1) / kBlockBytes;
  for (uint64_t number = offset / kBlockBytes; number <= last; ++number) {
    if (Writable(number) == nullptr) return false;
  }
  return true;
}

void FileContent::PunchHole(uint64_t offset, uint64_t n_bytes) {
  DoPunchHole(offset, n_bytes);
  unsynced_.push_back({Change::Kind::kPunchHole, offset, n_bytes, {}});
}

void FileContent::DoPunchHole(uint64_t offset, uint64_t n_bytes) {
  const uint64_t end = std::min(offset + n_bytes, size_);
  if (offset >= end) return;
  const uint64_t first_whole = (offset + kBlockBytes - 1) / kBlockBytes;
  const uint64_t end_whole = end / kBlockBytes;
  if (first_whole > end_whole) return Zero(offset, end - offset);
  Zero(offset, first_whole * kBlockBytes - offset);
  Free(blocks_.lower_bound(first_whole), blocks_.lower_bound(end_whole));
  Zero(end_whole * kBlockBytes, end - end_whole * kBlockBytes);
}

uint64_t FileContent::NextData(uint64_t offset) const {
  const auto block = blocks_.lower_bound(offset / kBlockBytes);
  if (block == blocks_.end()) return size_;
  return std::min(size_, std::max(offset, block->first * kBlockBytes));
}

uint64_t FileContent::NextHole(uint64_t offset) const {
  uint64_t number = offset / kBlockBytes;
  while (blocks_.count(number) > 0) ++number;
  return std::min(size_, std::max(offset, number * kBlockBytes));
}

void FileContent::Sync() {
  durable_blocks_ = blocks_;
  durable_size_ = size_;
  unsynced_.clear();
}

void FileContent::DropUnsynced() {
  space_->used += durable_blocks_.size();
  space_->used -= blocks_.size();
  blocks_ = durable_blocks_;
  size_ = durable_size_;
  unsynced_.clear();
}

void FileContent::KeepSomeUnsynced(Rng& rng) {
  const std::vector<Change> changes = std::move(unsynced_);
  DropUnsynced();
  if (changes.empty()) return;
  // None and all of many would hardly ever be drawn one by one.
  const double share = static_cast<double>(rng.Below(4)) / 3;
  for (const Change& change : changes) KeepSome(change, share, rng);
  Sync();
}

void FileContent::KeepSome(const Change& change, double share, Rng& rng) {
  if (change.kind == Change::Kind::kWrite) {
    KeepSomeSectors(change.bytes, change.offset, share, rng);
    // The size may be there without the bytes, which are zeros then.
    const uint64_t end = change.offset + change.bytes.size();
    if (end > size_ && rng.Chance(share)) DoTruncate(end);
  } else if (rng.Chance(share)) {
    change.kind == Change::Kind::kTruncate
        ? DoTruncate(change.offset)
        : DoPunchHole(change.offset, change.n_bytes);
  }
}

void FileContent::KeepSomeSectors(std::span<const std::byte> bytes,
                                  uint64_t offset, double share, Rng& rng) {
  while (!bytes.empty()) {
    const size_t n =
        std::min(bytes.size(), kSectorBytes - offset % kSectorBytes);
    if (rng.Chance(share)) {
      Buffers from(const_cast<std::byte*>(bytes.data()), n);
      DoWrite(from, offset);
    }
    bytes = bytes.subspan(n);
    offset += n;
  }
}

FileContent::Block* FileContent::Writable(uint64_t number) {
  std::shared_ptr<Block>& block = blocks_[number];
  if (block == nullptr) {
    if (space_->used >= space_->capacity) {
      blocks_.erase(number);
      return nullptr;
    }
    ++space_->used;
    block = std::make_shared<Block>(kZeros);
  } else if (block.use_count() > 1) {
    block = std::make_shared<Block>(*block);
  }
  return block.get();
}

// Zeroes a range within one block, if the block exists.
void FileContent::Zero(uint64_t offset, uint64_t n_bytes) {
  if (n_bytes == 0 || blocks_.count(offset / kBlockBytes) == 0) return;
  Block* block = Writable(offset / kBlockBytes);
  memset(&(*block)[offset % kBlockBytes], 0, n_bytes);
}

void FileContent::Free(Blocks::iterator first, Blocks::iterator last) {
  space_->used -= static_cast<uint64_t>(std::distance(first, last));
  blocks_.erase(first, last);
}

}  // namespace ringway::sim
