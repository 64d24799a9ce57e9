// SPDX-License-Identifier: Apache-2.0
//
// ZeroCopySend: one send of shared bytes that the kernel does not copy.
//
// The kernel has accepted the bytes long before it has done with their memory:
// not until the peer has acknowledged them. So the send is an object of the
// loop, which outlives the write, the stream and its fd.
//
//   New() --the stream's turn--> in flight --accepted--> client told
//     |                              |                      |
//     | Discard()                    | error: client told   | acknowledged
//     +------------------------------+----------------------+--> deleted
//
// If the loop ends first, and the kernel does not release the memory within
// its backend's patience, the bytes are kept for as long as the process lives.

#ifndef RINGWAY_NET_WRITING_ZERO_COPY_SEND_H_
#define RINGWAY_NET_WRITING_ZERO_COPY_SEND_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "ringway/backends/operation.h"
#include "ringway/core/memory/frame_allocator.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::net::internal {

class ZeroCopySend final : public Orphan {
 public:
  // Whoever waits until the kernel has accepted the bytes.
  struct Client {
    // `result`: how many bytes, or -errno. Runs once, on the loop's thread; the
    // send is not the client's any more.
    void (*on_accepted)(Client&, int32_t result);
  };

  static constexpr size_t kMaxParts = 8;

  ~ZeroCopySend() override;

  // Null if there is no memory. The loop owns it.
  static ZeroCopySend* New(Loop& loop, Client& client);

  // Adds bytes, at most kMaxParts times.
  void Add(const SharedBytes& part);
  size_t n_parts() const { return n_parts_; }

  // For the stream's turn: what was added, to be sent on `fd`.
  Operation& Prepare(int fd, int flags);

  // Deletes a send that was not started.
  void Discard() { loop_.Bury(*this); }
  bool started() const { return send_.state != OpState::kIdle; }
  // The client is gone.
  void Forget() { client_ = nullptr; }

  // From the worker's slab: the next one finds its memory warm.
  static void* operator new(size_t n_bytes) {
    return FrameAllocator::Allocate(n_bytes);
  }
  static void operator delete(void* p) { FrameAllocator::Free(p); }

 private:
  struct Send : DeliveringOperation {
    explicit Send(ZeroCopySend& o) : DeliveringOperation(&OnNotice), owner(o) {}
    static void OnNotice(Runnable& entry);
    ZeroCopySend& owner;
  };

  ZeroCopySend(Loop& loop, Client& client)
      : Orphan(loop), loop_(loop), client_(&client), send_(*this) {}

  // Not called: the loop deletes what it owns.
  void OnLoopEnd() override {}
  void OnNews();

  Loop& loop_;
  Client* client_;  // null once it has been told, or is gone
  std::array<SharedBytes, kMaxParts> parts_;
  std::array<iovec, kMaxParts> vectors_;
  size_t n_parts_ = 0;
  msghdr message_ = {};
  Send send_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_WRITING_ZERO_COPY_SEND_H_
