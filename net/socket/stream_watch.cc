// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/stream_watch.h"

namespace ringway::net::internal {

StreamWatch::StreamWatch(StreamCore* core) : core_(core) {
  if (core_ != nullptr) {
    core_->set_watch(this);
  } else {
    closed_.Set();
  }
}

StreamWatch::~StreamWatch() {
  if (core_ != nullptr) core_->set_watch(nullptr);
}

void StreamWatch::OnClosed(const StreamTraffic& traffic) {
  core_ = nullptr;
  traffic_ = traffic;
  closed_.Set();
}

}  // namespace ringway::net::internal
