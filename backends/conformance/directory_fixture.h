// SPDX-License-Identifier: Apache-2.0
//
// NamedFilesConformance: files, directories and links in a directory of the
// test's own.

#ifndef RINGWAY_BACKENDS_CONFORMANCE_DIRECTORY_FIXTURE_H_
#define RINGWAY_BACKENDS_CONFORMANCE_DIRECTORY_FIXTURE_H_

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {

class NamedFilesConformance : public OperationConformance {
 protected:
  void SetUp() override {
    OperationConformance::SetUp();
    if (!IsSkipped()) directory_ = system().Directory();
  }

  std::string Path(std::string_view name) const {
    return directory_ + "/" + std::string(name);
  }

  int32_t Open(const std::string& path, int flags, mode_t mode = 0600) {
    PrepareOpenAt(op_, AT_FDCWD, path.c_str(), flags, mode);
    return Run();
  }

  TestFd OpenDirectory(std::string_view name) {
    return system().Own(Open(Path(name), O_RDONLY | O_DIRECTORY));
  }

  void MakeFile(std::string_view name, std::string_view content) {
    TestFd file = system().Own(Open(Path(name), O_WRONLY | O_CREAT | O_EXCL));
    ASSERT_TRUE(file.valid());
    PrepareWrite(op_, file.get(), AsBytes(content), 0);
    ASSERT_EQ(Run(), static_cast<int32_t>(content.size()));
  }

  void MakeDirectory(std::string_view name) {
    const std::string path = Path(name);
    PrepareMkdir(op_, AT_FDCWD, path.c_str(), 0700);
    ASSERT_EQ(Run(), 0);
  }

  void MakeLink(const char* target, std::string_view name) {
    const std::string path = Path(name);
    PrepareSymlink(op_, target, AT_FDCWD, path.c_str());
    ASSERT_EQ(Run(), 0);
  }

  bool Exists(std::string_view name) { return Lstat(name) == 0; }

  int32_t Stat(std::string_view name, int flags = 0) {
    const std::string path = Path(name);
    status_ = {};
    PrepareStatx(op_, AT_FDCWD, path.c_str(), flags, STATX_BASIC_STATS,
                 &status_);
    return Run();
  }
  int32_t Lstat(std::string_view name) {
    return Stat(name, AT_SYMLINK_NOFOLLOW);
  }

  std::string directory_;
  struct statx status_ = {};
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_CONFORMANCE_DIRECTORY_FIXTURE_H_
