// SPDX-License-Identifier: Apache-2.0
//
// UnixPath: the path of a bound Unix socket, to be removed at shutdown.

#ifndef RINGWAY_RUNTIME_UNIX_PATH_H_
#define RINGWAY_RUNTIME_UNIX_PATH_H_

#include <sys/types.h>

#include <string>

#include "ringway/net/socket_address.h"

namespace ringway::internal {

class UnixPath {
 public:
  // `address` is one to which a socket has just been bound. If it has no path,
  // or the path is not found, nothing is ever removed.
  explicit UnixPath(const net::SocketAddress& address);

  // Removes the path if it still belongs to the socket. Once. Allocates
  // nothing.
  void Remove();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_UNIX_PATH_H_
