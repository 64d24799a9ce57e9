// SPDX-License-Identifier: Apache-2.0
//
// Socket: the common base of stream and datagram sockets.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_SOCKET_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_SOCKET_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "ringway/backends/sim/environment/description.h"
#include "ringway/backends/sim/network/address.h"
#include "ringway/backends/sim/network/socket_options.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

class Network;

// Metadata of received bytes.
struct Received {
  Address from;
  int flags = 0;         // MSG_TRUNC
  size_t full_size = 0;  // of a datagram, including bytes cut off
  // Of an IPv4 socket with SO_TIMESTAMPNS.
  std::optional<MonotonicTime> arrival;
};

class Socket : public Description {
 public:
  // `host`: the address of the machine it is on.
  Socket(Environment& environment, Network& network, sa_family_t family,
         uint32_t host)
      : Description(environment),
        network_(network),
        family_(family),
        host_(host) {}

  Socket* AsSocket() final { return this; }
  int64_t Read(Buffers& to, int64_t) final {
    Received unused;
    return Receive(to, 0, unused);
  }
  int64_t Write(Buffers& from, int64_t) final { return Send(from, nullptr, 0); }

  sa_family_t family() const { return family_; }
  uint32_t host() const { return host_; }
  const Address& local() const { return local_; }
  const Address& remote() const { return remote_; }

  // SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
  virtual int type() const = 0;
  // True if it is connected; remote() is then the peer's address.
  virtual bool has_peer() const = 0;
  virtual bool is_listening() const { return false; }

  const SocketOptions& options() const { return options_; }
  // As setsockopt() and getsockopt(): 0 or -errno.
  int SetOption(int level, int option, const void* value, socklen_t length);
  int GetOption(int level, int option, void* value, socklen_t& length);

  // 0, -errno or kBlocked, like the calls of these names. FinishConnect()
  // returns the state of a connect that has begun.
  virtual int64_t Bind(const Address& address) = 0;
  virtual int64_t Listen(int) { return -EOPNOTSUPP; }
  virtual int64_t Connect(const Address& to) = 0;
  virtual int64_t FinishConnect() { return 0; }
  virtual int64_t Shutdown(int how) = 0;

  // 0 if Accept() would return a connection.
  virtual int64_t CanAccept() { return -EOPNOTSUPP; }
  virtual std::shared_ptr<Socket> Accept() { return nullptr; }

  // True if an empty receive is a message, not the end.
  virtual bool KeepsBoundaries() const { return false; }

  // `flags`: MSG_PEEK, MSG_TRUNC.
  virtual int64_t Receive(Buffers& to, int flags, Received& received) = 0;
  virtual int64_t Send(Buffers& from, const Address* to, int flags) = 0;

  // Breaks the connection, if it is one, on both sides.
  virtual void Break() {}

 protected:
  virtual void OnOptionsChanged() {}
  // Returns and clears the socket's pending error, or 0.
  virtual int TakeError() { return 0; }
  void InheritOptions(const Socket& listener) { options_ = listener.options_; }
  Network& network() const { return network_; }
  bool NotesArrivals() const {
    return family_ == AF_INET && options_.timestamps();
  }
  void set_local(Address address) { local_ = std::move(address); }
  void set_remote(Address address) { remote_ = std::move(address); }

 private:
  // True if it has options of `level`.
  bool HasLevel(int level) const;
  // The value of SO_SNDBUF or SO_RCVBUF.
  size_t BufferBytes(int option) const;

  Network& network_;
  const sa_family_t family_;
  const uint32_t host_;
  Address local_;
  Address remote_;
  SocketOptions options_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_SOCKET_H_
