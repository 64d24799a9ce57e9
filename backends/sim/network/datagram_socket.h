// SPDX-License-Identifier: Apache-2.0
//
// DatagramSocket: a UDP or Unix datagram socket.
//
// UDP drops datagrams without room and may reorder them; a Unix socket makes
// the sender wait.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_DATAGRAM_SOCKET_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_DATAGRAM_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "ringway/backends/sim/network/network.h"
#include "ringway/backends/sim/network/socket.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

class DatagramSocket final : public Socket {
 public:
  // The largest payload of a UDP datagram.
  static constexpr size_t kMaxBytes = 65'507;

  DatagramSocket(Environment& environment, Network& network, sa_family_t family,
                 uint32_t host);
  ~DatagramSocket() override;

  static std::pair<std::shared_ptr<DatagramSocket>,
                   std::shared_ptr<DatagramSocket>>
  MakePair(Environment& environment, Network& network, uint32_t host);

  std::string_view kind() const override;
  int type() const override { return SOCK_DGRAM; }
  bool has_peer() const override { return connected_; }
  uint32_t Ready() override;
  int64_t Bind(const Address& address) override;
  int64_t Connect(const Address& to) override;
  void Disconnect();
  int64_t Shutdown(int how) override;
  bool KeepsBoundaries() const override { return true; }
  int64_t Receive(Buffers& to, int flags, Received& received) override;
  int64_t Send(Buffers& from, const Address* to, int flags) override;

  // The number of datagrams dropped here for lack of room.
  uint64_t dropped() const { return dropped_; }

 protected:
  void OnOptionsChanged() override;
  int TakeError() override { return std::exchange(error_, 0); }

 private:
  struct Datagram {
    Address from;
    std::vector<std::byte> payload;
    MonotonicTime arrival;
  };

  std::shared_ptr<DatagramSocket> Self() {
    return std::static_pointer_cast<DatagramSocket>(shared_from_this());
  }
  bool HasRoomFor(size_t n_bytes) const;
  Address SourceTowards(const Address& to) const;
  int FindPeer(const Address* to, std::shared_ptr<DatagramSocket>* out);
  int64_t Transmit(Datagram datagram, const Address& to,
                   const std::shared_ptr<DatagramSocket>& target);
  void OnUnreachable();
  void Arrive(Datagram datagram);

  bool bound_ = false;
  bool connected_ = false;
  bool read_shut_ = false;
  bool write_shut_ = false;
  int error_ = 0;
  size_t capacity_;
  size_t queued_bytes_ = 0;
  uint64_t dropped_ = 0;
  std::deque<Datagram> queue_;
  std::weak_ptr<DatagramSocket> pair_;
  std::vector<std::weak_ptr<DatagramSocket>> blocked_senders_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_DATAGRAM_SOCKET_H_
