// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/network.h"

#include <cerrno>

#include "absl/strings/str_format.h"

namespace ringway::sim {
namespace {

// net.ipv4.ip_local_port_range
constexpr uint16_t kFirstPort = 32'768;
constexpr uint16_t kLastPort = 60'999;

}  // namespace

void Network::Partition(uint32_t host, uint32_t other) {
  cuts_.insert(std::minmax(host, other));
}

void Network::Heal() {
  cuts_.clear();
  std::vector<EventQueue::Function> resume;
  resume.swap(at_heal_);
  for (EventQueue::Function& function : resume) function();
}

int Network::Bind(const std::shared_ptr<Socket>& socket, int type,
                  Address* address) {
  if (address->family == AF_INET) return BindIpv4(socket, type, address);
  if (address->path.empty()) {  // "autobind" of unix(7)
    address->path =
        std::string(1, '\0') + absl::StrFormat("%05x", next_name_++);
  }
  if (!address->is_abstract()) return files_.Bind(address->path, socket);
  std::weak_ptr<Socket>& owner = abstract_[{type, address->path}];
  if (!owner.expired()) return -EADDRINUSE;
  owner = socket;
  return 0;
}

int Network::BindIpv4(const std::shared_ptr<Socket>& socket, int type,
                      Address* address) {
  const uint32_t host = socket->host();
  if (HostOf(*address, host) != host) return -EADDRNOTAVAIL;
  if (address->port != 0) {
    if (IsTaken(*socket, type, *address)) return -EADDRINUSE;
  } else {
    for (int left = kLastPort - kFirstPort; left >= 0; --left) {
      address->port = next_port_;
      next_port_ = next_port_ == kLastPort ? kFirstPort : next_port_ + 1;
      if (!IsTaken(*socket, type, *address)) break;
      if (left == 0) return -EADDRINUSE;
    }
  }
  bound_[{host, type, address->port, address->ip}].push_back(socket);
  return 0;
}

void Network::Unbind(int type, uint32_t host, const Address& address) {
  if (address.family == AF_INET) {
    const auto found = bound_.find({host, type, address.port, address.ip});
    if (found == bound_.end()) return;
    std::erase_if(found->second, [](const auto& s) { return s.expired(); });
    if (found->second.empty()) bound_.erase(found);
  } else if (address.is_abstract()) {
    abstract_.erase({type, address.path});
  }
}

bool Network::IsTaken(const Socket& socket, int type,
                      const Address& address) const {
  const uint32_t host = socket.host();
  for (auto i = bound_.lower_bound({host, type, address.port, 0});
       i != bound_.end(); ++i) {
    const auto& [h, t, port, ip] = i->first;
    if (h != host || t != type || port != address.port) break;
    if (ip != address.ip && ip != INADDR_ANY && !address.is_any()) continue;
    for (const std::weak_ptr<Socket>& sharer : i->second) {
      const std::shared_ptr<Socket> other = sharer.lock();
      if (other != nullptr &&
          !(other->options().reuse_port() && socket.options().reuse_port())) {
        return true;
      }
    }
  }
  return false;
}

int Network::Find(const Address& address, int type, uint32_t host, size_t pick,
                  std::shared_ptr<Socket>* out) const {
  if (address.family == AF_INET) {
    const uint32_t target = HostOf(address, host);
    const uint32_t ip =
        address.is_any() ? static_cast<uint32_t>(INADDR_LOOPBACK) : address.ip;
    *out = Lookup({target, type, address.port, ip}, pick);
    if (*out == nullptr)
      *out = Lookup({target, type, address.port, INADDR_ANY}, pick);
    return *out == nullptr ? -ECONNREFUSED : 0;
  }
  if (address.is_abstract()) {
    const auto found = abstract_.find({type, address.path});
    if (found != abstract_.end()) *out = found->second.lock();
    return *out == nullptr ? -ECONNREFUSED : 0;
  }
  std::shared_ptr<Description> owner;
  const int error = files_.FindBound(address.path, &owner);
  *out = std::static_pointer_cast<Socket>(owner);
  return error;
}

std::shared_ptr<Socket> Network::Lookup(const Key& key, size_t pick) const {
  const auto found = bound_.find(key);
  if (found == bound_.end()) return nullptr;
  const Sharers& sharers = found->second;
  const size_t n = sharers.size();
  std::shared_ptr<Socket> socket = sharers[pick % n].lock();
  // Listening sockets that share an address distribute its connections.
  const auto takes = [](const std::shared_ptr<Socket>& s) {
    return s != nullptr && (s->type() != SOCK_STREAM || s->is_listening());
  };
  for (size_t i = 1; i < n && !takes(socket); ++i)
    socket = sharers[(pick + i) % n].lock();
  return socket;
}

absl::Duration Network::Latency(sa_family_t family) {
  if (family == AF_UNIX) return absl::ZeroDuration();
  const NetworkConditions& conditions = environment_.network;
  return environment_.rng.Between(conditions.latency_low,
                                  conditions.latency_high);
}

}  // namespace ringway::sim
