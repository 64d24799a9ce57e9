// SPDX-License-Identifier: Apache-2.0
//
// MemoryLender: lends memory of its own in the form in which a backend lends
// its receive buffers, for what is decrypted.
//
// A ReceivedBuffer returns its memory to the backend of its loop. So a lender
// has a loop of its own, which never turns, over a backend that does nothing
// but take memory back. The rules of lent buffers follow by themselves: they
// are for one thread, and may outlive the lender, whose end takes them back.

#ifndef RINGWAY_NET_TLS_STREAM_MEMORY_LENDER_H_
#define RINGWAY_NET_TLS_STREAM_MEMORY_LENDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "ringway/executor/loop/loop.h"
#include "ringway/net/received_buffer.h"

namespace ringway::net::internal {

class LenderBackend;

// Threads: the one that made it.
class MemoryLender {
 public:
  // Blocks have one of these sizes. A message takes little, and a stream that
  // flows gets several records at once.
  static constexpr std::array<size_t, 3> kBlockBytes = {
      size_t{2} << 10, size_t{16} << 10, size_t{64} << 10};
  // Free blocks of each size that are kept.
  static constexpr size_t kMostFree = 16;

  struct Block {
    std::unique_ptr<std::byte[]> memory;
    size_t size = 0;
  };

  MemoryLender();
  MemoryLender(const MemoryLender&) = delete;
  MemoryLender& operator=(const MemoryLender&) = delete;
  ~MemoryLender();

  // A block of at least `n_bytes`, or of the largest size. Throws
  // std::bad_alloc.
  Block Take(size_t n_bytes);
  void GiveBack(Block block);
  // The first `n_bytes` of `block`, at least 1, which comes back when they are
  // dropped. Throws std::bad_alloc.
  ReceivedBuffer Lend(Block block, size_t n_bytes);

  // Blocks that are lent, and their bytes.
  size_t blocks_lent() const;

 private:
  explicit MemoryLender(std::unique_ptr<LenderBackend> backend);

  LenderBackend& backend_;
  Loop loop_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_MEMORY_LENDER_H_
