// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/server_stream.h"

#include <algorithm>

namespace ringway::http::internal {

void ServerStream::TakeUnsent(size_t n, std::string& to) {
  const size_t n_kept = std::min(n, kept_.size() - n_kept_sent_);
  to.append(kept_, n_kept_sent_, n_kept);
  n_kept_sent_ += n_kept;
  if (n_kept_sent_ == kept_.size()) {
    kept_.clear();
    n_kept_sent_ = 0;
  }
  n -= n_kept;
  to.append(reinterpret_cast<const char*>(lent_.data()), n);
  lent_ = lent_.subspan(n);
}

}  // namespace ringway::http::internal
