// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/stream/kernel_record_op.h"

#include <cstring>
#include <span>

#include "ringway/backends/prepare.h"
#include "ringway/net/tls/kernel/kernel_options.h"

namespace ringway::net::internal {

KernelRecordOp::KernelRecordOp(TcpStream& stream, PlainRecord record)
    : QueuedWrite(StreamAccess::CoreOf(stream), &Advance),
      type_(record.type),
      rest_(record.bytes) {
  Prepare();
}

void KernelRecordOp::Prepare() {
  part_ = {.iov_base = const_cast<std::byte*>(rest_.data()),
           .iov_len = rest_.size()};
  message_.msg_iov = &part_;
  message_.msg_iovlen = 1;
  message_.msg_control = control_.data();
  message_.msg_controllen = control_.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message_);
  header->cmsg_level = kSolTls;
  header->cmsg_type = kTlsSetRecordType;
  header->cmsg_len = CMSG_LEN(sizeof(type_));
  memcpy(CMSG_DATA(header), &type_, sizeof(type_));
  PrepareSendMsg(*this, core_ == nullptr ? -1 : core_->fd(), message_);
}

// What the kernel has not taken becomes a record of its own, which is as good:
// only parts of handshakes are longer than a few bytes (RFC 8446, section 5.1).
bool KernelRecordOp::Advance(QueuedWrite& queued, size_t n_bytes) {
  KernelRecordOp& self = static_cast<KernelRecordOp&>(queued);
  self.rest_ = self.rest_.subspan(n_bytes);
  if (self.rest_.empty()) return false;
  self.Prepare();
  return true;
}

}  // namespace ringway::net::internal
