// SPDX-License-Identifier: Apache-2.0
//
// DirectFileTest: tasks with direct I/O on every backend.

#ifndef RINGWAY_FS_TESTING_DIRECT_FIXTURE_H_
#define RINGWAY_FS_TESTING_DIRECT_FIXTURE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/fs/direct/aligned_buffer.h"
#include "ringway/fs/direct/direct_file.h"
#include "ringway/fs/testing/fs_fixture.h"  // IWYU pragma: export

namespace ringway::fs::testing {

inline constexpr size_t kBlock = 4096;

inline AlignedBuffer Block(size_t n_bytes, uint32_t seed = 0) {
  AlignedBuffer buffer = ValueOf(AlignedBuffer::Create(n_bytes, kBlock));
  const std::vector<std::byte> bytes = Pattern(n_bytes, seed);
  memcpy(buffer.data(), bytes.data(), n_bytes);
  return buffer;
}

inline bool HasPattern(std::span<const std::byte> bytes, uint32_t seed) {
  return std::ranges::equal(bytes, Pattern(bytes.size(), seed));
}

inline DirectFileOptions ForUpdating() {
  DirectFileOptions options;
  options.open = OpenOptions::ForUpdating();
  // A test's folder may be on tmpfs; what needs O_DIRECT asks is_direct.
  options.mode = DirectMode::kOptional;
  return options;
}

class DirectTest : public FsTest {
 protected:
  // A new file with `n_bytes` of Pattern(), on the disk.
  Task<DirectFile> MakeDirect(size_t n_bytes, DirectFileOptions options) {
    File file = ValueOf(
        co_await File::Open(PathOf("direct"), OpenOptions::ForWriting()));
    EXPECT_TRUE((co_await file.WriteAll(Pattern(n_bytes, 0))).ok());
    EXPECT_TRUE((co_await file.Sync()).ok());
    EXPECT_TRUE((co_await file.Close()).ok());
    Task<absl::StatusOr<DirectFile>> open =
        DirectFile::Open(PathOf("direct"), options);
    co_return ValueOf(co_await std::move(open));
  }
  Task<DirectFile> MakeDirect(size_t n_bytes) {
    return MakeDirect(n_bytes, ForUpdating());
  }
  Task<absl::StatusOr<DirectFile>> Open(std::string path, DirectMode mode) {
    DirectFileOptions options = ForUpdating();
    options.mode = mode;
    return DirectFile::Open(std::move(path), options);
  }
  uint64_t Submitted() { return loop().backend().stats().submitted; }
};

}  // namespace ringway::fs::testing

#endif  // RINGWAY_FS_TESTING_DIRECT_FIXTURE_H_
