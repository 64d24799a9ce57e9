// SPDX-License-Identifier: Apache-2.0
//
// FileContent: the bytes of a simulated file, in blocks; holes have none.
//
// It knows what of them is on the disk: the state of the last Sync(), and the
// changes since then, of which a crash leaves any part. The durable state
// shares its blocks with the current one until they are written.

#ifndef RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_
#define RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "ringway/backends/sim/environment/buffers.h"
#include "ringway/core/rng.h"

namespace ringway::sim {

// The number of blocks of a disk, and how many of them files use now.
struct DiskSpace {
  uint64_t capacity = std::numeric_limits<uint64_t>::max();
  uint64_t used = 0;
};

class FileContent {
 public:
  static constexpr size_t kBlockBytes = 4096;
  // What a disk writes whole or not at all.
  static constexpr size_t kSectorBytes = 512;

  explicit FileContent(DiskSpace& space) : space_(&space) {}
  FileContent(const FileContent&) = delete;
  FileContent& operator=(const FileContent&) = delete;
  ~FileContent() { Free(blocks_.begin(), blocks_.end()); }

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

  // Makes the current state durable.
  void Sync();
  // Goes back to the durable state.
  void DropUnsynced();
  // Goes back to the durable state with a part, drawn, of the changes since
  // then: of a write each sector is there or not, and so is the size.
  void KeepSomeUnsynced(Rng& rng);

 private:
  using Block = std::array<std::byte, kBlockBytes>;
  using Blocks = std::map<uint64_t, std::shared_ptr<Block>>;

  struct Change {
    enum class Kind : uint8_t { kWrite, kTruncate, kPunchHole };
    Kind kind;
    uint64_t offset;               // of a truncate: the size
    uint64_t n_bytes = 0;          // of a hole
    std::vector<std::byte> bytes;  // of a write
  };

  size_t DoWrite(Buffers& from, uint64_t offset);
  void DoTruncate(uint64_t n_bytes);
  void DoPunchHole(uint64_t offset, uint64_t n_bytes);
  void KeepSome(const Change& change, double share, Rng& rng);
  void KeepSomeSectors(std::span<const std::byte> bytes, uint64_t offset,
                       double share, Rng& rng);

  // The block with this number, for writing; null if the disk is full.
  Block* Writable(uint64_t number);
  void Zero(uint64_t offset, uint64_t n_bytes);
  void Free(Blocks::iterator first, Blocks::iterator last);

  DiskSpace* space_;
  Blocks blocks_;
  uint64_t size_ = 0;
  Blocks durable_blocks_;
  uint64_t durable_size_ = 0;
  std::vector<Change> unsynced_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_
