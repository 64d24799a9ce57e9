// SPDX-License-Identifier: Apache-2.0
//
// The socket options of kernel TLS. Of linux/tls.h, linux/tcp.h and
// linux/socket.h, whose names clash with those of netinet/tcp.h or are only in
// newer ones.

#ifndef RINGWAY_NET_TLS_KERNEL_KERNEL_OPTIONS_H_
#define RINGWAY_NET_TLS_KERNEL_KERNEL_OPTIONS_H_

#include "ringway/core/compiler.h"

namespace ringway::net::internal {

// At level IPPROTO_TCP: the protocol above TCP. Nothing changes on the wire
// before it has keys. Needs a connected socket.
inline constexpr int kTcpUlp = 31;
inline constexpr char kTlsUlp[] = {'t', 'l', 's'};

inline constexpr int kSolTls = 282;
// A struct tls12_crypto_info_*: from then on the kernel encrypts what is sent.
// Once (EBUSY), before Linux 6.14.
inline constexpr int kTlsTx = 1;
// Control data: the type of the record, a byte; otherwise it is data.
inline constexpr int kTlsSetRecordType = 1;

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_KERNEL_KERNEL_OPTIONS_H_
