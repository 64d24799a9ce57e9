// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/kernel/kernel_probe.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "ringway/backends/common/kernel_sockets.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/net/tls/kernel/kernel_options.h"

namespace ringway::net::internal {
namespace {

// The near end is connected once the listener's queue has the other.
bool Connect(SocketCalls& calls, int near, int listener) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const sockaddr* const any_port = reinterpret_cast<sockaddr*>(&address);
  sockaddr_storage bound;
  socklen_t length = sizeof(bound);
  return calls.Bind(listener, any_port, sizeof(address)) == 0 &&
         calls.Listen(listener, /*backlog=*/1) == 0 &&
         calls.LocalName(listener, bound, length) == 0 &&
         calls.Connect(near, reinterpret_cast<sockaddr*>(&bound), length) == 0;
}

bool Attach(SocketCalls& calls, int fd) {
  return calls.SetOption(fd, IPPROTO_TCP, kTcpUlp, kTlsUlp, sizeof(kTlsUlp)) ==
         0;
}

// The kernel must also give keys back, which tells how many records it has
// encrypted: for ChaCha20-Poly1305 since Linux 5.16 only.
bool Takes(SocketCalls& calls, int fd, KernelCipher cipher) {
  KernelKeys keys(cipher);
  socklen_t length = static_cast<socklen_t>(keys.bytes().size());
  return calls.SetOption(fd, kSolTls, kTlsTx, keys.bytes().data(), length) ==
             0 &&
         calls.GetOption(fd, kSolTls, kTlsTx, keys.bytes().data(), length) ==
             0 &&
         length == keys.bytes().size() && keys.cipher() == cipher;
}

}  // namespace

KernelCiphers ProbeKernelCiphers() {
  SocketCalls& calls = BlockingSockets();
  KernelCiphers ciphers;
  for (const KernelCipher cipher : AllKernelCiphers()) {
    const SocketFd listener(calls, calls.Socket(AF_INET, SOCK_STREAM));
    const SocketFd near(calls, calls.Socket(AF_INET, SOCK_STREAM));
    if (listener.get() < 0 || near.get() < 0 ||
        !Connect(calls, near.get(), listener.get()) ||
        !Attach(calls, near.get())) {
      return ciphers;
    }
    if (Takes(calls, near.get(), cipher)) ciphers.Add(cipher);
  }
  return ciphers;
}

}  // namespace ringway::net::internal
