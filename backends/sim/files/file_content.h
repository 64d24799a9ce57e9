// SPDX-License-Identifier: Apache-2.0
//
// FileContent: the bytes of a simulated file, in blocks; holes have none.
//
// A copy is cheap and shares the blocks until one side writes; the durable
// state on the disk is such a copy.

#ifndef RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_
#define RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>

#include "ringway/backends/sim/environment/buffers.h"

namespace ringway::sim {

// The number of blocks of a disk, and how many of them files use now.
struct DiskSpace {
  uint64_t capacity = std::numeric_limits<uint64_t>::max();
  uint64_t used = 0;
};

class FileContent {
 public:
  static constexpr size_t kBlockBytes = 4096;

  explicit FileContent(DiskSpace& space) : space_(&space) {}
  FileContent(const FileContent&) = delete;
  FileContent& operator=(const FileContent&) = delete;
  ~FileContent() { Truncate(0); }

  uint64_t size() const { return size_; }
  uint64_t n_blocks() const { return blocks_.size(); }

  // Bytes read; 0 at the end.
  size_t Read(Buffers& to, uint64_t offset) const;
  // Bytes written; fewer than asked for when the disk is full.
  size_t Write(Buffers& from, uint64_t offset);
  void Truncate(uint64_t n_bytes);
  // Allocates blocks for the range; false if the disk is full.
  [[nodiscard]] bool Allocate(uint64_t offset, uint64_t n_bytes);
  // Makes the range read as zeros and frees its whole blocks.
  void PunchHole(uint64_t offset, uint64_t n_bytes);

  // Where data, or a hole, begins at or after `offset`, which is below size();
  // size() if there is none.
  uint64_t NextData(uint64_t offset) const;
  uint64_t NextHole(uint64_t offset) const;

  // A state that can be restored.
  struct Snapshot;
  Snapshot Save() const;
  void Restore(const Snapshot& snapshot);

 private:
  using Block = std::array<std::byte, kBlockBytes>;
  using Blocks = std::map<uint64_t, std::shared_ptr<Block>>;

  // The block with this number, for writing; null if the disk is full.
  Block* Writable(uint64_t number);
  void Zero(uint64_t offset, uint64_t n_bytes);
  void Free(Blocks::iterator first, Blocks::iterator last);

  DiskSpace* space_;
  Blocks blocks_;
  uint64_t size_ = 0;
};

struct FileContent::Snapshot {
  Blocks blocks;
  uint64_t size = 0;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_
