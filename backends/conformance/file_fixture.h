// SPDX-License-Identifier: Apache-2.0
//
// FileConformance: files that are opened for one way of using them.

#ifndef RINGWAY_BACKENDS_CONFORMANCE_FILE_FIXTURE_H_
#define RINGWAY_BACKENDS_CONFORMANCE_FILE_FIXTURE_H_

#include <fcntl.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {

class FileConformance : public OperationConformance {
 protected:
  // A new file in a directory of its own, opened with `flags`.
  TestFd Open(int flags) {
    const std::string path = system().Directory() + "/file";
    PrepareOpenAt(op_, AT_FDCWD, path.c_str(), flags | O_CREAT, 0600);
    return system().Own(Run());
  }

  // A file with `content` that can only be read.
  TestFd ReadOnlyFile(std::string_view content) {
    const std::string path = system().Directory() + "/file";
    PrepareOpenAt(op_, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT, 0600);
    TestFd writer = system().Own(Run());
    PrepareWrite(op_, writer.get(), AsBytes(content), 0);
    EXPECT_EQ(Run(), static_cast<int32_t>(content.size()));
    PrepareOpenAt(op_, AT_FDCWD, path.c_str(), O_RDONLY);
    return system().Own(Run());
  }
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_CONFORMANCE_FILE_FIXTURE_H_
