// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/writing/zero_copy_send.h"

#include <cerrno>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "ringway/backends/prepare.h"
#include "ringway/net/writing/part_cursor.h"

namespace ringway::net::internal {
namespace {

// Keeps `bytes` for ever; if there is memory for that, where leak checkers find
// them.
void KeepForEver(const SharedBytes& bytes) {
  static std::mutex& mutex = *new std::mutex;
  static std::vector<SharedBytes>& kept = *new std::vector<SharedBytes>;
  try {
    const std::scoped_lock lock(mutex);
    kept.push_back(bytes);
  } catch (const std::bad_alloc&) {
    alignas(SharedBytes) std::byte never_destroyed[sizeof(SharedBytes)];
    new (never_destroyed) SharedBytes(bytes);
  }
}

}  // namespace

ZeroCopySend* ZeroCopySend::New(Loop& loop, Client& client) {
  try {
    std::unique_ptr<ZeroCopySend> made(new ZeroCopySend(loop, client));
    ZeroCopySend* const observed = made.get();
    loop.Adopt(std::move(made));
    return observed;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void ZeroCopySend::Add(const SharedBytes& part) {
  parts_[n_parts_] = part;
  vectors_[n_parts_] = VectorOf(part.bytes());
  ++n_parts_;
}

Operation& ZeroCopySend::Prepare(int fd, int flags) {
  if (n_parts_ == 1) {
    PrepareSendZeroCopy(send_, fd, parts_[0].bytes(), flags);
  } else {
    message_.msg_iov = vectors_.data();
    message_.msg_iovlen = n_parts_;
    PrepareSendMsgZeroCopy(send_, fd, message_, flags);
  }
  return send_;
}

void ZeroCopySend::Send::OnNotice(Runnable& entry) {
  Notice& notice = static_cast<Notice&>(entry);
  static_cast<Send*>(notice.operation)->owner.OnNews();
}

// The bytes accepted, the end, or both.
void ZeroCopySend::OnNews() {
  const bool ended = !send_.active();
  int32_t result = ended ? send_.result : 0;
  Delivery accepted;
  if (loop_.backend().TakeDelivery(send_, accepted)) result = accepted.result;
  Client* const client = std::exchange(client_, nullptr);
  if (ended) loop_.Bury(*this);
  if (client != nullptr) client->on_accepted(*client, result);
}

// The end of the loop comes here too, without OnNews().
ZeroCopySend::~ZeroCopySend() {
  if (send_.first_delivery != nullptr) loop_.backend().DropDeliveries(send_);
  if (send_.result != -EBUSY) return;
  for (size_t i = 0; i < n_parts_; ++i) KeepForEver(parts_[i]);
}

}  // namespace ringway::net::internal
