// SPDX-License-Identifier: Apache-2.0
//
// StreamCore: one connected socket with its reader, its queue of writers and
// its lent receive buffers. net::TcpStream and its halves point to it, and
// net::SeqPacketSocket.

#ifndef RINGWAY_NET_SOCKET_STREAM_CORE_H_
#define RINGWAY_NET_SOCKET_STREAM_CORE_H_

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "ringway/backends/operation.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/memory/frame_allocator.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/socket/receiver.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {

// What a stream has transferred, in bytes of its user.
struct StreamTraffic {
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;  // accepted by the kernel
};

namespace internal {

class StreamCore;
class StreamWatch;

struct StreamKind {
  // What messages call a handle, and its socket.
  const char* handle;  // "a TcpStream"
  const char* socket;  // "stream"
};

inline constexpr StreamKind kTcpStream = {.handle = "a TcpStream",
                                          .socket = "stream"};

// A half's reference to its stream; null once the stream has been closed or
// dropped. For the loop's thread only (checked), until the loop has ended.
class StreamHalf : private ListNode {
 public:
  explicit StreamHalf(StreamCore* core) { Link(core); }
  StreamHalf(const StreamHalf& other) { Link(other.core_); }
  StreamHalf& operator=(const StreamHalf& other) {
    if (this != &other) {
      Unlink();
      Link(other.core_);
    }
    return *this;
  }
  ~StreamHalf() { Unlink(); }

  StreamCore* core() const { return core_; }

 private:
  friend class StreamCore;
  friend class IntrusiveList<StreamHalf>;

  void Link(StreamCore* core);
  void Unlink();

  StreamCore* core_ = nullptr;
};

class StreamCore final : public SocketCore {
 public:
  // Below this, a copy is cheaper than to pin memory and hear of its release.
  static constexpr uint32_t kZeroCopyBytes = uint32_t{16} << 10;

  StreamCore(Loop& loop, SocketFd fd, const StreamKind& kind = kTcpStream)
      : SocketCore(loop, std::move(fd)), kind_(kind) {}
  ~StreamCore() override {
    CutOffHalves();
    StreamCore::OnClosed();
  }

  // Allocated from the worker's slab, like frames: one per connection.
  static void* operator new(size_t n_bytes) {
    return FrameAllocator::Allocate(n_bytes);
  }
  static void operator delete(void* p) { FrameAllocator::Free(p); }

  // True for a Unix socket; the kernel is asked once.
  bool IsUnix();

  // A read has begun and not ended.
  bool reading() const { return reader_ != nullptr; }

  // Starts `read`, a receive. One at a time (checked).
  void BeginRead(Operation& read);
  // `read` has ended.
  void EndRead() {
    reader_ = nullptr;
    CloseIfIdle();
  }
  // Cancels `read`. True if it was not started; the caller then completes it.
  bool CancelRead(Operation& read);

  // Starts `write` when every write begun before it has ended.
  void BeginWrite(Operation& write) {
    if (writer_ != nullptr) {
      waiting_writers_.PushBack(write);
    } else {
      ContinueWrite(write);
    }
  }
  // The write in flight goes on with another operation, `next`.
  void ContinueWrite(Operation& next) {
    writer_ = &next;
    loop().Start(next);
  }
  // The write in flight has ended; the next one starts.
  void EndWrite() {
    writer_ = nullptr;
    if (!waiting_writers_.empty()) StartNextWrite();
    CloseIfIdle();
  }
  // Cancels `write`. True if it was not started; the caller then completes it.
  bool CancelWrite(Operation& write);

  // Shared bytes from this size on are sent without a copy. Until it is set:
  // kZeroCopyBytes over a network, SIZE_MAX within the machine, where the
  // kernel copies them anyway.
  size_t zero_copy_threshold();
  void set_zero_copy_threshold(size_t n_bytes) {
    zero_copy_threshold_ =
        static_cast<uint32_t>(std::min<size_t>(n_bytes, kNever));
  }

  // The flags of sends. MSG_WAITALL, so that the kernel continues short ones by
  // itself (Linux 5.19), until it is left out for a socket with kernel TLS,
  // which returns EOPNOTSUPP for it (Linux 6.1, tls_sw_sendmsg()).
  int send_flags() const { return send_flags_; }
  void set_send_flags(int flags) { send_flags_ = flags; }

  // Gives up the socket, which is then no longer open here; invalid if
  // operations are in flight or bytes wait here that were received.
  SocketFd Release();

  // True once it was received from by Receive(): what arrives is delivered to
  // buffers.
  const StreamTraffic& traffic() const { return traffic_; }
  // `result` of a receive or a send: the bytes, or -errno.
  void CountReceived(int64_t result) {
    if (result > 0) traffic_.bytes_received += static_cast<uint64_t>(result);
  }
  void CountSent(int64_t result) {
    if (result > 0) traffic_.bytes_sent += static_cast<uint64_t>(result);
  }

  // Null: none. Otherwise it hears of the end once. One at a time (checked).
  void set_watch(StreamWatch* watch);

  bool has_receiver() const { return receiver_.has_value(); }
  // The receiver of lent buffers, created on first use.
  Receiver& receiver() {
    if (!receiver_.has_value()) receiver_.emplace(*this);
    return *receiver_;
  }
  void OnReceiverStopped() { CloseIfIdle(); }

 private:
  friend class StreamHalf;

  // As zero_copy_threshold_.
  static constexpr uint32_t kNever = UINT32_MAX;
  static constexpr uint32_t kUnknown = kNever - 1;  // the kernel was not asked

  bool InFlight() const override;
  void OnAbandon() override;
  void OnClosed() override;
  void OnLoopEnd() override;
  void CutOffHalves();
  void StartNextWrite();

  std::optional<bool> is_unix_;
  uint32_t zero_copy_threshold_ = kUnknown;
  int send_flags_ = MSG_WAITALL;
  const StreamKind& kind_;
  Operation* reader_ = nullptr;
  Operation* writer_ = nullptr;  // the one in flight
  // Idle operations, in call order.
  OperationList waiting_writers_;
  std::optional<Receiver> receiver_;
  IntrusiveList<StreamHalf> halves_;
  StreamTraffic traffic_;
  StreamWatch* watch_ = nullptr;
};

}  // namespace internal
}  // namespace ringway::net

#endif  // RINGWAY_NET_SOCKET_STREAM_CORE_H_
