// SPDX-License-Identifier: Apache-2.0
//
// RecordSize: how large the next record is.
//
// A record can be decrypted only when all of it has arrived. So the first ones
// fit into a packet, for the sake of latency; later ones are as large as they
// can be, for the sake of throughput. After a pause the connection may be slow
// again.

#ifndef RINGWAY_NET_TLS_STREAM_RECORD_SIZE_H_
#define RINGWAY_NET_TLS_STREAM_RECORD_SIZE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "ringway/core/time/monotonic_time.h"

namespace ringway::net {

// In a packet of 1,500 bytes: without the headers of IPv6 and TCP, TCP's
// options, and what encryption adds.
inline constexpr size_t kSmallTlsRecordBytes = 1369;
// Sent in small records before large ones: about what a connection sends before
// its window has grown.
inline constexpr size_t kSmallTlsRecordsBytes = 40 * kSmallTlsRecordBytes;
// RFC 8446, section 5.1.
inline constexpr size_t kLargeTlsRecordBytes = size_t{16} << 10;
// Small ones come again after this.
inline constexpr absl::Duration kTlsRecordIdleTime = absl::Seconds(1);

namespace internal {

class RecordSize {
 public:
  // A write begins.
  void OnWrite(MonotonicTime now) {
    if (now - last_ >= kTlsRecordIdleTime) n_sent_ = 0;
    last_ = now;
  }
  size_t Next() const {
    return n_sent_ < kSmallTlsRecordsBytes ? kSmallTlsRecordBytes
                                           : kLargeTlsRecordBytes;
  }
  void OnRecord(size_t n_bytes) {
    n_sent_ = std::min(n_sent_ + n_bytes, kSmallTlsRecordsBytes);
  }

 private:
  MonotonicTime last_;
  size_t n_sent_ = 0;  // since the pause; not counted beyond the limit
};

}  // namespace internal
}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_STREAM_RECORD_SIZE_H_
