// SPDX-License-Identifier: Apache-2.0
//
// StreamSocket: a TCP or Unix stream socket, or a Unix one of sequenced packets
// - new, listening, connecting or connected.
//
// Each side owns the channel that it receives from. Bytes that a side has
// sent arrive even after it is closed.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_STREAM_SOCKET_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_STREAM_SOCKET_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

#include "ringway/backends/sim/network/channel.h"
#include "ringway/backends/sim/network/network.h"
#include "ringway/backends/sim/network/socket.h"

namespace ringway::sim {

class StreamSocket final : public Socket {
 public:
  // `type`: SOCK_STREAM, or SOCK_SEQPACKET for Unix sockets.
  StreamSocket(Environment& environment, Network& network, sa_family_t family,
               uint32_t host, int type = SOCK_STREAM);
  // Closes the connection, with a reset if there is unread input.
  ~StreamSocket() override;

  // Two connected Unix sockets.
  static std::pair<std::shared_ptr<StreamSocket>, std::shared_ptr<StreamSocket>>
  MakePair(Environment& environment, Network& network, uint32_t host,
           int type = SOCK_STREAM);

  std::string_view kind() const override;
  int type() const override { return type_; }
  bool has_peer() const override;
  bool is_listening() const override { return state_ == State::kListening; }
  uint32_t Ready() override;
  size_t Room() override;
  int64_t Bind(const Address& address) override;
  int64_t Listen(int backlog) override;
  int64_t Connect(const Address& to) override;
  int64_t FinishConnect() override;
  int64_t Shutdown(int how) override;
  int64_t CanAccept() override;
  std::shared_ptr<Socket> Accept() override;
  int64_t Receive(Buffers& to, int flags, Received& received) override;
  int64_t Send(Buffers& from, const Address* to, int flags) override;
  void Break() override;

 protected:
  void OnOptionsChanged() override;
  int TakeError() override { return std::exchange(error_, 0); }

 private:
  enum class State : uint8_t { kNew, kListening, kConnecting, kConnected };

  std::shared_ptr<StreamSocket> Self() {
    return std::static_pointer_cast<StreamSocket>(shared_from_this());
  }

  // Connecting.
  void Knock();
  void GiveUpLater();
  void OfferTo(StreamSocket& listener);
  void Establish(StreamSocket& listener);
  void OnEstablished();
  void FailToConnect(int error);
  void AdmitWaiting();

  // Sending.
  MonotonicTime ArrivalOf(size_t n_bytes);
  void TellArrival(MonotonicTime arrival);
  void ReportLingering();
  void SendEnd();
  void SendReset();
  int64_t SendToNobody(Buffers& from);

  // Sequenced packets, which always arrive at once.
  bool sequenced() const { return type_ == SOCK_SEQPACKET; }
  int64_t SendPacket(Buffers& from, StreamSocket& peer);
  int64_t ReceivePacket(Buffers& to, int flags, Received& received);

  void OnReset();
  void AwaitHeal();
  void OnHeal();
  bool peer_closed();

  const int type_;
  State state_ = State::kNew;
  bool bound_ = false;
  bool read_shut_ = false;
  bool write_shut_ = false;
  bool awaits_heal_ = false;
  bool never_accepted_ = false;  // its listener was closed
  bool reset_ = false;
  int error_ = 0;  // reported once
  Address destination_;

  // Connected.
  std::weak_ptr<StreamSocket> peer_;
  Channel incoming_;
  std::deque<size_t> packets_;  // their sizes, if it has sequenced ones
  MonotonicTime line_free_;     // when the bytes sent so far have left

  // Listening.
  size_t backlog_ = 0;
  std::deque<std::shared_ptr<StreamSocket>> accepted_;
  std::deque<std::weak_ptr<StreamSocket>> waiting_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_STREAM_SOCKET_H_
