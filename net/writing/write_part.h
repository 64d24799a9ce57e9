// SPDX-License-Identifier: Apache-2.0
//
// WritePart: a part of a gathered write, TcpStream::WriteGather().

#ifndef RINGWAY_NET_WRITING_WRITE_PART_H_
#define RINGWAY_NET_WRITING_WRITE_PART_H_

#include <cstddef>
#include <span>
#include <utility>

#include "ringway/core/memory/shared_bytes.h"

namespace ringway::net {

// Bytes that must exist until the write has ended, and are copied; or shared
// ones, which need not be.
class WritePart {
 public:
  // Implicit, so that an array of parts can mix both kinds.
  WritePart(std::span<const std::byte> bytes)  // NOLINT(google-explicit-*)
      : bytes_(nullptr, bytes), shared_(false) {}
  WritePart(SharedBytes bytes)  // NOLINT(google-explicit-*)
      : bytes_(std::move(bytes)), shared_(true) {}

  std::span<const std::byte> bytes() const { return bytes_.bytes(); }
  // Null for bytes that are copied.
  const SharedBytes* shared() const { return shared_ ? &bytes_ : nullptr; }

 private:
  SharedBytes bytes_;
  bool shared_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_WRITING_WRITE_PART_H_
