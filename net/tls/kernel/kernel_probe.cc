// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/kernel/kernel_probe.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "ringway/core/unique_fd.h"
#include "ringway/net/tls/kernel/kernel_options.h"

namespace ringway::net::internal {
namespace {

// The ends of a connection.
struct Loopback {
  UniqueFd listener;
  UniqueFd near;
};

// The near end is connected once the listener's queue has the other.
bool Connect(Loopback& loopback) {
  loopback.listener = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  loopback.near = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  sockaddr* const name = reinterpret_cast<sockaddr*>(&address);
  return loopback.near.get() >= 0 &&
         bind(loopback.listener.get(), name, length) == 0 &&
         listen(loopback.listener.get(), 1) == 0 &&
         getsockname(loopback.listener.get(), name, &length) == 0 &&
         connect(loopback.near.get(), name, length) == 0;
}

bool Attach(int fd) {
  return setsockopt(fd, IPPROTO_TCP, kTcpUlp, kTlsUlp, sizeof(kTlsUlp)) == 0;
}

// The kernel must also give keys back, which tells how many records it has
// encrypted: for ChaCha20-Poly1305 since Linux 5.16 only.
bool Takes(int fd, KernelCipher cipher) {
  KernelKeys keys(cipher);
  socklen_t length = static_cast<socklen_t>(keys.bytes().size());
  return setsockopt(fd, kSolTls, kTlsTx, keys.bytes().data(), length) == 0 &&
         getsockopt(fd, kSolTls, kTlsTx, keys.bytes().data(), &length) == 0 &&
         length == keys.bytes().size() && keys.cipher() == cipher;
}

}  // namespace

KernelCiphers ProbeKernelCiphers() {
  KernelCiphers ciphers;
  for (const KernelCipher cipher : AllKernelCiphers()) {
    Loopback loopback;
    if (!Connect(loopback) || !Attach(loopback.near.get())) return ciphers;
    if (Takes(loopback.near.get(), cipher)) ciphers.Add(cipher);
  }
  return ciphers;
}

}  // namespace ringway::net::internal
