// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/stream_watch.h"

#include <utility>

#include "ringway/core/check.h"

namespace ringway::net::internal {

StreamWatch::StreamWatch(StreamCore* core) : core_(core) {
  if (core_ != nullptr) core_->set_watch(this);
}

StreamWatch::~StreamWatch() {
  if (core_ != nullptr) core_->set_watch(nullptr);
}

std::string StreamWatch::PeerName() const {
  return closed() ? std::string() : core_->DescribeWithPeer("");
}

StreamWatch::ClosedOp::WaitEnd StreamWatch::ClosedOp::Begin() {
  if (watch_.closed()) return WaitEnd::kServed;
  RINGWAY_CHECK(watch_.waiter_ == nullptr, "two waits for one stream's end");
  watch_.waiter_ = this;
  return WaitEnd::kWaiting;
}

bool StreamWatch::ClosedOp::Leave() {
  watch_.waiter_ = nullptr;
  return true;
}

void StreamWatch::OnClosed(const StreamTraffic& traffic) {
  core_ = nullptr;
  traffic_ = traffic;
  if (ClosedOp* waiter = std::exchange(waiter_, nullptr))
    waiter->Complete(ClosedOp::WaitEnd::kServed);
}

}  // namespace ringway::net::internal
