// SPDX-License-Identifier: Apache-2.0
//
// Network: the addresses of a simulated world, and the latency between them.
//
// A host is an IPv4 address; 127.0.0.0/8 and 0.0.0.0 mean the local host.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_NETWORK_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/backends/sim/network/address.h"
#include "ringway/backends/sim/network/socket.h"

namespace ringway::sim {

class Network {
 public:
  Network(Environment& environment, FileStore& files)
      : environment_(environment), files_(files) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Separates two hosts, in both directions, until Heal(): streams wait,
  // datagrams are lost, connects wait for their timeout.
  void Partition(uint32_t host, uint32_t other);
  void Heal();

  // --- For sockets.

  // Binds `socket` to the address, choosing a port if that is 0. `type`:
  // SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET. 0 or -errno.
  int Bind(const std::shared_ptr<Socket>& socket, int type, Address* address);
  // Undoes Bind().
  void Unbind(int type, uint32_t host, const Address& address);
  // Finds the socket bound to the address, as seen from `host`; of several
  // that share it (SO_REUSEPORT), the one selected by `pick`, any number. 0
  // or -errno.
  int Find(const Address& address, int type, uint32_t host, size_t pick,
           std::shared_ptr<Socket>* out) const;

  // The host that an address means on `host`.
  static uint32_t HostOf(const Address& address, uint32_t host) {
    return address.is_loopback() || address.is_any() ? host : address.ip;
  }

  bool Reaches(uint32_t host, uint32_t other) const {
    return cuts_.count(std::minmax(host, other)) == 0;
  }
  // The latency of a message sent now. Zero for Unix sockets.
  absl::Duration Latency(sa_family_t family);

  // `resume` is called once, at the next Heal().
  void AtHeal(EventQueue::Function resume) {
    at_heal_.push_back(std::move(resume));
  }

 private:
  // Host, type, port, IP address.
  using Key = std::tuple<uint32_t, int, uint16_t, uint32_t>;

  int BindIpv4(const std::shared_ptr<Socket>& socket, int type,
               Address* address);
  // `socket` may not have it.
  bool IsTaken(const Socket& socket, int type, const Address& address) const;
  std::shared_ptr<Socket> Lookup(const Key& key, size_t pick) const;

  Environment& environment_;
  FileStore& files_;
  using Sharers = std::vector<std::weak_ptr<Socket>>;
  std::map<Key, Sharers> bound_;
  // Abstract Unix names, with a separate name space for each socket type.
  std::map<std::pair<int, std::string>, std::weak_ptr<Socket>> abstract_;
  uint16_t next_port_ = 32'768;
  uint32_t next_name_ = 0;
  std::set<std::pair<uint32_t, uint32_t>> cuts_;
  std::vector<EventQueue::Function> at_heal_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_NETWORK_H_
