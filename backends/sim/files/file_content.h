// SPDX-License-Identifier: Apache-2.0
//
// FileContent: the bytes of a simulated file, in blocks; holes have none.
//
// It knows what of them is on the disk: the state of the last Sync(), and of
// each sector that has changed since then one version that the disk may have
// been given before the newest, as drawn. So however often a file is written,
// it has three versions of a block at most. They share what has not changed.

#ifndef RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_
#define RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>

#include "ringway/backends/sim/environment/buffers.h"
#include "ringway/core/rng.h"

namespace ringway::sim {

// What the files of a disk share.
struct SharedDisk {
  uint64_t capacity = std::numeric_limits<uint64_t>::max();  // blocks
  uint64_t used = 0;                                         // of them, now
  Rng rng;  // when the disk is given what
};

class FileContent {
 public:
  static constexpr size_t kBlockBytes = 4096;
  // What a disk writes whole or not at all.
  static constexpr size_t kSectorBytes = 512;

  explicit FileContent(SharedDisk& disk) : disk_(&disk) {}
  FileContent(const FileContent&) = delete;
  FileContent& operator=(const FileContent&) = delete;
  ~FileContent() { Free(now_.blocks.begin(), now_.blocks.end()); }

  uint64_t size() const { return now_.size; }
  uint64_t n_blocks() const { return now_.blocks.size(); }

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
  // then: of each sector an old or the newest version, and so of the size.
  void KeepSomeUnsynced(Rng& rng);

 private:
  using Block = std::array<std::byte, kBlockBytes>;
  using BlockPtr = std::shared_ptr<Block>;
  using Blocks = std::map<uint64_t, BlockPtr>;
  struct Version {
    Blocks blocks;
    uint64_t size = 0;
  };

  static const Block& At(const Version& version, uint64_t number);
  // For writing, which no other version sees.
  static Block& Own(BlockPtr& block);

  // The disk may be given the sectors of a range in a block, as they are now,
  // or all that the file has now.
  void MayWriteBack(uint64_t number, size_t begin, size_t end);
  void MayWriteBack();
  // Some sectors of a block as they were given to the disk. Returns the end of
  // the last new one.
  uint64_t KeepSomeSectors(uint64_t number, uint64_t old_from, double share,
                           Rng& rng);

  // The block with this number, for writing; null if the disk is full.
  Block* Writable(uint64_t number);
  void Zero(uint64_t offset, uint64_t n_bytes);
  void SetSize(uint64_t n_bytes);
  void Free(Blocks::iterator first, Blocks::iterator last);

  SharedDisk* disk_;
  Version now_;
  Version given_;  // to the disk
  Version durable_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_FILE_CONTENT_H_
