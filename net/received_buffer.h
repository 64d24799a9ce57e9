// SPDX-License-Identifier: Apache-2.0
//
// ReceivedBuffer: bytes that arrived in one of the backend's receive buffers,
// lent until it is dropped.

#ifndef RINGWAY_NET_RECEIVED_BUFFER_H_
#define RINGWAY_NET_RECEIVED_BUFFER_H_

#include "ringway/executor/loop/lent_buffer.h"

namespace ringway::net {

// Empty: what a receive at the end of the stream gives.
using ReceivedBuffer = LentBuffer;

}  // namespace ringway::net

#endif  // RINGWAY_NET_RECEIVED_BUFFER_H_
