// SPDX-License-Identifier: Apache-2.0
//
// Network: who has which address in a simulated world, and how long it takes
// from one to the other.
//
// A host is an IPv4 address; 127.0.0.0/8 and 0.0.0.0 mean the host one is on.

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

  // Nothing gets from one host to the other, in either direction, until
  // Heal(): streams wait, datagrams are lost, connecting takes its time.
  void Partition(uint32_t host, uint32_t other);
  void Heal();

  // --- For sockets.

  // Gives `socket` the address, with a port of its own if it asks for none.
  // `type`: SOCK_STREAM, SOCK_DGRAM. 0 or -errno.
  int Bind(const std::shared_ptr<Socket>& socket, int type, Address* address);
  // Gives back what Bind() gave.
  void Unbind(int type, uint32_t host, const Address& address);
  // Who has the address, as seen from `host`: of several that share it
  // (SO_REUSEPORT) the one that `pick`, any number, falls on. 0 or -errno.
  int Find(const Address& address, int type, uint32_t host, size_t pick,
           std::shared_ptr<Socket>* out) const;

  // The host that an address means on `host`.
  static uint32_t HostOf(const Address& address, uint32_t host) {
    return address.is_loopback() || address.is_any() ? host : address.ip;
  }

  bool Reaches(uint32_t host, uint32_t other) const {
    return cuts_.count(std::minmax(host, other)) == 0;
  }
  // How long something takes that is sent now. None within a Unix socket.
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
  // Unix names, which each type of socket has of its own.
  std::map<std::pair<int, std::string>, std::weak_ptr<Socket>> abstract_;
  uint16_t next_port_ = 32'768;
  uint32_t next_name_ = 0;
  std::set<std::pair<uint32_t, uint32_t>> cuts_;
  std::vector<EventQueue::Function> at_heal_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_NETWORK_H_
