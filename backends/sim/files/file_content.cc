// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/file_content.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <set>
#include <span>

namespace ringway::sim {
namespace {

constexpr std::array<std::byte, FileContent::kBlockBytes> kZeros = {};

// How likely the disk is given what a change is about to replace.
constexpr double kWriteBack = 0.5;

}  // namespace

const FileContent::Block& FileContent::At(const Version& version,
                                          uint64_t number) {
  const auto block = version.blocks.find(number);
  return block == version.blocks.end() ? kZeros : *block->second;
}

FileContent::Block& FileContent::Own(BlockPtr& block) {
  if (block == nullptr) {
    block = std::make_shared<Block>(kZeros);
  } else if (block.use_count() > 1) {
    block = std::make_shared<Block>(*block);
  }
  return *block;
}

size_t FileContent::Read(Buffers& to, uint64_t offset) const {
  size_t n = 0;
  while (offset < now_.size && to.left() > 0) {
    const size_t at = offset % kBlockBytes;
    const size_t piece = static_cast<size_t>(
        std::min<uint64_t>(kBlockBytes - at, now_.size - offset));
    const size_t copied = to.Fill({&At(now_, offset / kBlockBytes)[at], piece});
    n += copied;
    offset += copied;
  }
  return n;
}

size_t FileContent::Write(Buffers& from, uint64_t offset) {
  size_t n = 0;
  while (from.left() > 0) {
    const uint64_t number = offset / kBlockBytes;
    Block* block = Writable(number);
    if (block == nullptr) break;
    const size_t at = offset % kBlockBytes;
    const std::span<std::byte> piece = from.Next(kBlockBytes - at);
    MayWriteBack(number, at, at + piece.size());
    memcpy(&(*block)[at], piece.data(), piece.size());
    n += piece.size();
    offset += piece.size();
  }
  if (n > 0 && offset > now_.size) {
    if (disk_->rng.Chance(kWriteBack)) given_.size = now_.size;
    now_.size = offset;
  }
  return n;
}

void FileContent::MayWriteBack(uint64_t number, size_t begin, size_t end) {
  const Block& now = At(now_, number);
  Block& given = Own(given_.blocks[number]);
  for (size_t at = begin - begin % kSectorBytes; at < end; at += kSectorBytes) {
    if (disk_->rng.Chance(kWriteBack))
      memcpy(&given[at], &now[at], kSectorBytes);
  }
}

void FileContent::MayWriteBack() {
  if (disk_->rng.Chance(kWriteBack)) given_ = now_;
}

void FileContent::Truncate(uint64_t n_bytes) {
  MayWriteBack();
  SetSize(n_bytes);
}

void FileContent::SetSize(uint64_t n_bytes) {
  if (n_bytes < now_.size) {
    // Bytes beyond the end in the last block must not reappear.
    Zero(n_bytes, std::min<uint64_t>(now_.size - n_bytes,
                                     kBlockBytes - n_bytes % kBlockBytes));
  }
  const uint64_t n_blocks = (n_bytes + kBlockBytes - 1) / kBlockBytes;
  Free(now_.blocks.lower_bound(n_blocks), now_.blocks.end());
  now_.size = n_bytes;
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
  const uint64_t end = std::min(offset + n_bytes, now_.size);
  if (offset >= end) return;
  MayWriteBack();
  const uint64_t first_whole = (offset + kBlockBytes - 1) / kBlockBytes;
  const uint64_t end_whole = end / kBlockBytes;
  if (first_whole > end_whole) return Zero(offset, end - offset);
  Zero(offset, first_whole * kBlockBytes - offset);
  Free(now_.blocks.lower_bound(first_whole),
       now_.blocks.lower_bound(end_whole));
  Zero(end_whole * kBlockBytes, end - end_whole * kBlockBytes);
}

uint64_t FileContent::NextData(uint64_t offset) const {
  const auto block = now_.blocks.lower_bound(offset / kBlockBytes);
  if (block == now_.blocks.end()) return now_.size;
  return std::min(now_.size, std::max(offset, block->first * kBlockBytes));
}

uint64_t FileContent::NextHole(uint64_t offset) const {
  uint64_t number = offset / kBlockBytes;
  while (now_.blocks.count(number) > 0) ++number;
  return std::min(now_.size, std::max(offset, number * kBlockBytes));
}

void FileContent::Sync() {
  durable_ = now_;
  given_ = now_;
}

void FileContent::DropUnsynced() {
  disk_->used += durable_.blocks.size();
  disk_->used -= now_.blocks.size();
  now_ = durable_;
  given_ = durable_;
}

void FileContent::KeepSomeUnsynced(Rng& rng) {
  // None and all of many would hardly ever be drawn one by one.
  const uint64_t thirds = rng.Below(4);
  if (thirds == 0) return DropUnsynced();
  const double share = static_cast<double>(thirds) / 3;
  std::set<uint64_t> numbers;
  for (const Version* version : {&now_, &given_}) {
    for (const auto& [number, block] : version->blocks) numbers.insert(number);
  }
  // The size may be there without the bytes, which are zeros then. Bytes that
  // a file has lost are there with its old size.
  const bool keeps_size = rng.Chance(share);
  const uint64_t old_from = keeps_size ? ~uint64_t{0} : now_.size;
  uint64_t end = 0;
  for (const uint64_t number : numbers)
    end = std::max(end, KeepSomeSectors(number, old_from, share, rng));
  const uint64_t size =
      keeps_size ? now_.size : std::max(given_.size, std::min(end, now_.size));
  if (!now_.blocks.empty())  // with what is clipped now
    now_.size = (now_.blocks.rbegin()->first + 1) * kBlockBytes;
  SetSize(size);
  Sync();
}

uint64_t FileContent::KeepSomeSectors(uint64_t number, uint64_t old_from,
                                      double share, Rng& rng) {
  const Block& given = At(given_, number);
  uint64_t end = 0;
  for (size_t at = 0; at < kBlockBytes; at += kSectorBytes) {
    if (memcmp(&At(now_, number)[at], &given[at], kSectorBytes) == 0) continue;
    const uint64_t begin = number * kBlockBytes + at;
    const bool keeps = begin < old_from && rng.Chance(share);
    if (keeps) end = begin + kSectorBytes;
    const size_t from =
        !keeps ? 0 : std::min<uint64_t>(old_from - begin, kSectorBytes);
    if (from == kSectorBytes) continue;
    Block* block = Writable(number);
    if (block == nullptr) return end;  // the disk is full of newer bytes
    memcpy(&(*block)[at + from], &given[at + from], kSectorBytes - from);
  }
  return end;
}

FileContent::Block* FileContent::Writable(uint64_t number) {
  const auto [block, is_new] = now_.blocks.try_emplace(number);
  if (is_new && disk_->used >= disk_->capacity) {
    now_.blocks.erase(block);
    return nullptr;
  }
  if (is_new) ++disk_->used;
  return &Own(block->second);
}

// Zeroes a range within one block, if the block exists.
void FileContent::Zero(uint64_t offset, uint64_t n_bytes) {
  if (n_bytes == 0 || now_.blocks.count(offset / kBlockBytes) == 0) return;
  Block* block = Writable(offset / kBlockBytes);
  memset(&(*block)[offset % kBlockBytes], 0, n_bytes);
}

void FileContent::Free(Blocks::iterator first, Blocks::iterator last) {
  disk_->used -= static_cast<uint64_t>(std::distance(first, last));
  now_.blocks.erase(first, last);
}

}  // namespace ringway::sim
