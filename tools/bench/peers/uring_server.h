// SPDX-License-Identifier: Apache-2.0
//
// UringServer: what servers by hand on io_uring have in common, by the best
// recipe known: what the kernel gives without a runtime on top.
//
// One ring with SINGLE_ISSUER and DEFER_TASKRUN, one io_uring_enter per turn
// that submits and waits, multishot accept and receive, a few large provided
// buffers that the kernel fills from front to back (incremental, Linux 6.12).
//
//   struct Connection : peer::UringConnection { ... };
//   class Echo final : public peer::UringServer<Echo, Connection> {
//     friend UringServer;
//     // Whether it keeps the bytes: then Unuse() comes later.
//     bool OnBytes(int fd, Connection& connection, Filled bytes);
//     void OnSent(int fd, Connection& connection, int result);
//     static bool IsSending(const Connection& connection);
//   };

#ifndef RINGWAY_TOOLS_BENCH_PEERS_URING_SERVER_H_
#define RINGWAY_TOOLS_BENCH_PEERS_URING_SERVER_H_

#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ringway/tools/bench/peers/peer.h"

namespace peer {

// Bytes that have come.
struct Filled {
  uint16_t buffer;
  unsigned offset;  // in the buffer, of what is not done yet
  unsigned n_bytes;
};

struct UringConnection {
  bool receiving = false;
  bool at_end = false;
};

template <typename Server, typename Connection>
class UringServer {
 public:
  // Until termination. The kernel ends what is in flight with the process.
  void Run() {
    io_uring_prep_poll_add(Entry(kTermination, 0), termination_, POLLIN);
    io_uring_prep_multishot_accept(Entry(kAccept, 0), listener_, nullptr,
                                   nullptr, SOCK_CLOEXEC);
    while (!ended_) {
      if (spin_us_ > 0) {
        Check(io_uring_submit(&ring_), "io_uring_submit");
        Spin();
      }
      if (const int rc = io_uring_submit_and_wait(&ring_, 1);
          rc < 0 && rc != -EINTR)
        Check(rc, "io_uring_submit_and_wait");
      unsigned head;
      unsigned n = 0;
      io_uring_cqe* cqe;
      io_uring_for_each_cqe(&ring_, head, cqe) {
        ++n;
        OnCompletion(*cqe);
      }
      io_uring_cq_advance(&ring_, n);
    }
  }

 private:
  friend Server;
  // Spins for up to `spin_us` before it blocks.
  UringServer(int listener, int termination, int spin_us)
      : listener_(listener), termination_(termination), spin_us_(spin_us) {
    // An accept on a non-blocking socket would end at once with EAGAIN.
    if (fcntl(listener_, F_SETFL, 0) != 0) Die("fcntl");
    io_uring_params params = {};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                   IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                   (spin_us > 0 ? IORING_SETUP_TASKRUN_FLAG : 0u);
    params.cq_entries = 8192;
    Check(io_uring_queue_init_params(2048, &ring_, &params),
          "io_uring_queue_init_params");
    ProvideBuffers();
  }

  ~UringServer() = default;

 protected:
  const char* At(const Filled& filled) const {
    return bytes_ + size_t{filled.buffer} * kBufferBytes + filled.offset;
  }

  void Send(int fd, const char* bytes, size_t n_bytes) {
    io_uring_prep_send(Entry(kSend, fd), fd, bytes, n_bytes,
                       MSG_NOSIGNAL | MSG_WAITALL);
  }

  // Bytes that OnBytes() has kept.
  void Unuse(uint16_t buffer) {
    Buffer& state = states_[buffer];
    if (--state.users == 0 && state.complete) GiveBack(buffer);
  }

  void CloseIfDone(int fd) {
    std::unique_ptr<Connection>& connection =
        connections_[static_cast<size_t>(fd)];
    if (!connection->at_end || connection->receiving ||
        self().IsSending(*connection))
      return;
    connection.reset();
    close(fd);
  }

 private:
  static constexpr unsigned kBuffers = 16;
  static constexpr unsigned kBufferBytes = 256 * 1024;
  // Names that liburing 2.3 does not have: IOU_PBUF_RING_INC, in the field that
  // it calls `pad`, and IORING_CQE_F_BUF_MORE.
  static constexpr uint16_t kIncremental = 2;
  static constexpr unsigned kBufferHasMore = 1u << 4;

  enum Kind : uint64_t { kTermination, kAccept, kReceive, kSend };

  struct Buffer {
    unsigned filled = 0;    // bytes that the kernel has written
    unsigned users = 0;     // parts of it that are not sent yet
    bool complete = false;  // the kernel writes no more
  };

  Server& self() { return static_cast<Server&>(*this); }

  // Until there is a completion, or what makes one when the kernel is entered.
  void Spin() {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end =
        Clock::now() + std::chrono::microseconds(spin_us_);
    while (io_uring_cq_ready(&ring_) == 0 &&
           (__atomic_load_n(ring_.sq.kflags, __ATOMIC_ACQUIRE) &
            IORING_SQ_TASKRUN) == 0 &&
           Clock::now() < end) {
    }
  }

  static void Check(int rc, const char* what) {
    if (rc >= 0) return;
    errno = -rc;
    Die(what);
  }

  // Pages that stay until the end of the process, as the kernel writes to them.
  static void* Pages(size_t n_bytes) {
    void* pages = mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) Die("mmap");
    return pages;
  }

  void ProvideBuffers() {
    buffers_ =
        static_cast<io_uring_buf_ring*>(Pages(kBuffers * sizeof(io_uring_buf)));
    bytes_ = static_cast<char*>(Pages(size_t{kBuffers} * kBufferBytes));
    io_uring_buf_reg registration = {};
    registration.ring_addr = reinterpret_cast<uintptr_t>(buffers_);
    registration.ring_entries = kBuffers;
    registration.pad = kIncremental;
    Check(io_uring_register_buf_ring(&ring_, &registration, 0),
          "io_uring_register_buf_ring with incremental buffers");
    io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < kBuffers; ++i) GiveBack(static_cast<uint16_t>(i));
  }

  void GiveBack(uint16_t buffer) {
    states_[buffer] = Buffer();
    io_uring_buf_ring_add(buffers_, bytes_ + size_t{buffer} * kBufferBytes,
                          kBufferBytes, buffer,
                          io_uring_buf_ring_mask(kBuffers), 0);
    io_uring_buf_ring_advance(buffers_, 1);
    while (!starved_.empty()) {
      const int fd = starved_.back();
      starved_.pop_back();
      Receive(fd);
    }
  }

  io_uring_sqe* Entry(Kind kind, int fd) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) {
      Check(io_uring_submit(&ring_), "io_uring_submit");
      sqe = io_uring_get_sqe(&ring_);
    }
    // The prep functions leave user_data alone.
    sqe->user_data = kind << 32 | static_cast<uint32_t>(fd);
    return sqe;
  }

  void Receive(int fd) {
    io_uring_sqe* sqe = Entry(kReceive, fd);
    io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    connections_[static_cast<size_t>(fd)]->receiving = true;
  }

  void OnCompletion(const io_uring_cqe& cqe) {
    const int fd = static_cast<int>(cqe.user_data & 0xffffffff);
    switch (static_cast<Kind>(cqe.user_data >> 32)) {
      case kTermination:
        ended_ = true;
        return;
      case kAccept:
        return OnAccepted(cqe);
      case kReceive:
        return OnReceived(fd, cqe);
      case kSend:
        return self().OnSent(fd, *connections_[static_cast<size_t>(fd)],
                             cqe.res);
    }
  }

  void OnAccepted(const io_uring_cqe& cqe) {
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) {
      io_uring_prep_multishot_accept(Entry(kAccept, 0), listener_, nullptr,
                                     nullptr, SOCK_CLOEXEC);
    }
    if (cqe.res < 0) return;
    const size_t slot = static_cast<size_t>(cqe.res);
    if (connections_.size() <= slot) connections_.resize(slot * 2 + 1);
    connections_[slot] = std::make_unique<Connection>();
    Receive(cqe.res);
  }

  void OnReceived(int fd, const io_uring_cqe& cqe) {
    Connection& connection = *connections_[static_cast<size_t>(fd)];
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) connection.receiving = false;
    if (cqe.res > 0) {
      const auto buffer =
          static_cast<uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
      const auto n_bytes = static_cast<unsigned>(cqe.res);
      Buffer& state = states_[buffer];
      const Filled filled = {buffer, state.filled, n_bytes};
      state.filled += n_bytes;
      ++state.users;
      state.complete = (cqe.flags & kBufferHasMore) == 0;
      if (!self().OnBytes(fd, connection, filled)) Unuse(buffer);
      if (!connection.receiving) Receive(fd);
    } else if (cqe.res == -ENOBUFS) {
      starved_.push_back(fd);
    } else {
      connection.at_end = true;
      CloseIfDone(fd);
    }
  }

  const int listener_;
  const int termination_;
  const int spin_us_;
  io_uring ring_;
  io_uring_buf_ring* buffers_ = nullptr;
  char* bytes_ = nullptr;
  std::array<Buffer, kBuffers> states_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by fd
  std::vector<int> starved_;  // connections that wait for a buffer
  bool ended_ = false;
};

}  // namespace peer

#endif  // RINGWAY_TOOLS_BENCH_PEERS_URING_SERVER_H_
