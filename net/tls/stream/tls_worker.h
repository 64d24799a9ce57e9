// SPDX-License-Identifier: Apache-2.0
//
// TlsWorker: what the TLS streams of one worker share: memory for what they
// send and receive, and the handshakes in progress.

#ifndef RINGWAY_NET_TLS_STREAM_TLS_WORKER_H_
#define RINGWAY_NET_TLS_STREAM_TLS_WORKER_H_

#include <array>
#include <cstddef>

#include "ringway/executor/task/executor.h"
#include "ringway/net/tls/engine/output_buffer.h"
#include "ringway/net/tls/engine/tls_engine.h"
#include "ringway/net/tls/stream/handshake_place.h"
#include "ringway/net/tls/stream/memory_lender.h"

namespace ringway::net::internal {

// One of the executor's locals.
struct TlsWorker {
  static TlsWorker& Current() {
    return CurrentExecutor().locals().Get<TlsWorker>();
  }

  OutputPool output;
  MemoryLender lender;
  HandshakePlaces handshakes;
  // Where small parts are put together into a record, within one call.
  std::array<std::byte, TlsEngine::kMostRecordBytes> record;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_TLS_WORKER_H_
