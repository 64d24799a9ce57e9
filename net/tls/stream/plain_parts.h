// SPDX-License-Identifier: Apache-2.0
//
// PlainParts: what a write has still to encrypt.

#ifndef RINGWAY_NET_TLS_STREAM_PLAIN_PARTS_H_
#define RINGWAY_NET_TLS_STREAM_PLAIN_PARTS_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "ringway/core/compiler.h"

namespace ringway::net::internal {

class PlainParts {
 public:
  // `first`, then `others`.
  PlainParts(std::span<const std::byte> first,
             std::span<const std::span<const std::byte>> others)
      : front_(first), others_(others) {
    SkipEmpty();
  }

  bool empty() const { return front_.empty(); }

  // Takes the next bytes, up to `limit`, at least 1 (and that only if the front
  // part is larger): those of one part from where they are, those of several
  // put together in `scratch`, which has room for `limit`.
  std::span<const std::byte> Take(size_t limit, std::span<std::byte> scratch) {
    if (front_.size() >= limit || others_.empty()) {
      const std::span<const std::byte> taken =
          front_.first(std::min(limit, front_.size()));
      Remove(taken.size());
      return taken;
    }
    size_t n = 0;
    while (n < limit && !front_.empty()) {
      const size_t part = std::min(limit - n, front_.size());
      memcpy(scratch.data() + n, front_.data(), part);
      n += part;
      Remove(part);
    }
    return scratch.first(n);
  }

 private:
  void Remove(size_t n) {
    front_ = front_.subspan(n);
    SkipEmpty();
  }
  void SkipEmpty() {
    while (front_.empty() && !others_.empty()) {
      front_ = others_.front();
      others_ = others_.subspan(1);
    }
  }

  std::span<const std::byte> front_;
  std::span<const std::span<const std::byte>> others_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_PLAIN_PARTS_H_
