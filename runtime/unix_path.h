// SPDX-License-Identifier: Apache-2.0
//
// UnixPath: the path of a Unix socket that was bound, to be removed at the end.

#ifndef RINGWAY_RUNTIME_UNIX_PATH_H_
#define RINGWAY_RUNTIME_UNIX_PATH_H_

#include <sys/types.h>

#include <string>

#include "ringway/net/socket_address.h"

namespace ringway::internal {

class UnixPath {
 public:
  // `address`, on which a socket has just been bound. One without a path, or
  // whose path is not to be found, is never removed.
  explicit UnixPath(const net::SocketAddress& address);

  // Removes the path if it is still that of the socket. Once. Takes no memory.
  void Remove();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_UNIX_PATH_H_
