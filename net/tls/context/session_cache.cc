// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/session_cache.h"

namespace ringway::net::internal {

void SessionCache::Store(std::string_view server, SslSessionPtr session) {
  if (limit_ == 0) return;
  const std::scoped_lock lock(mutex_);
  Index::iterator found = by_server_.find(server);
  if (found != by_server_.end() && found->second.size() >= kMostOfOneServer)
    RemoveOldestOf(found);
  if (entries_.size() >= limit_)
    RemoveOldestOf(by_server_.find(entries_.front().server));
  entries_.push_back({std::string(server), std::move(session)});
  by_server_[std::string(server)].push_back(std::prev(entries_.end()));
}

// The oldest entry of a server is the first in its list; that of all entries is
// the first of its server.
void SessionCache::RemoveOldestOf(Index::iterator server) {
  entries_.erase(server->second.front());
  server->second.erase(server->second.begin());
  if (server->second.empty()) by_server_.erase(server);
}

SslSessionPtr SessionCache::Take(std::string_view server) {
  const std::scoped_lock lock(mutex_);
  const Index::iterator found = by_server_.find(server);
  if (found == by_server_.end()) return nullptr;
  const Entries::iterator newest = found->second.back();
  if (SSL_SESSION_get_protocol_version(newest->session.get()) <
      TLS1_3_VERSION) {
    SSL_SESSION_up_ref(newest->session.get());
    return SslSessionPtr(newest->session.get());
  }
  SslSessionPtr session = std::move(newest->session);
  entries_.erase(newest);
  found->second.pop_back();
  if (found->second.empty()) by_server_.erase(found);
  return session;
}

void SessionCache::Clear() {
  const std::scoped_lock lock(mutex_);
  by_server_.clear();
  entries_.clear();
}

size_t SessionCache::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace ringway::net::internal
