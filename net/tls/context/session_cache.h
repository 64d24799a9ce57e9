// SPDX-License-Identifier: Apache-2.0
//
// SessionCache: sessions of a client, to be resumed with the servers that gave
// them.

#ifndef RINGWAY_NET_TLS_CONTEXT_SESSION_CACHE_H_
#define RINGWAY_NET_TLS_CONTEXT_SESSION_CACHE_H_

#include <cstddef>
#include <iterator>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringway/net/tls/engine/handles.h"

namespace ringway::net::internal {

// The sessions that were stored longest ago go first.
//
// Threads: any.
class SessionCache {
 public:
  // Of one server: connections that are made at the same time need one each.
  static constexpr size_t kMostOfOneServer = 8;

  explicit SessionCache(size_t limit) : limit_(limit) {}

  void Store(std::string_view server, SslSessionPtr session);

  // The newest session with `server`, or null. A session of TLS 1.3 is removed:
  // if it were resumed twice, observers could link the connections (RFC 8446,
  // appendix C.4).
  SslSessionPtr Take(std::string_view server);

  void Clear();
  size_t size() const;

 private:
  struct Entry {
    std::string server;
    SslSessionPtr session;
  };
  using Entries = std::list<Entry>;
  using Index =
      std::map<std::string, std::vector<Entries::iterator>, std::less<>>;

  void RemoveOldestOf(Index::iterator server);

  const size_t limit_;
  mutable std::mutex mutex_;
  Entries entries_;  // the oldest first
  Index by_server_;  // likewise
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_SESSION_CACHE_H_
