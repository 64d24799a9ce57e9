// SPDX-License-Identifier: Apache-2.0
//
// Paths: files and links for a test, created and checked by operations, so
// that they are in the same system as its sockets.
//
//   Paths paths(system(), Options());
//   paths.MakeFile(PathOf("file"), "content");

#ifndef RINGWAY_NET_TESTING_PATHS_H_
#define RINGWAY_NET_TESTING_PATHS_H_

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "ringway/backends/backend_options.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/system.h"

namespace ringway::net::testing {

// All functions abort on failure. None waits.
class Paths {
 public:
  // Uses a separate backend.
  Paths(ringway::testing::System& system, const BackendOptions& options);

  // `path` must be new.
  void MakeFile(const std::string& path, std::string_view content);
  void MakeLink(const std::string& target, const std::string& path);
  std::string Content(const std::string& path);
  // S_IFREG, S_IFLNK and so on; does not follow links. 0 if it does not
  // exist.
  mode_t TypeOf(const std::string& path);

 private:
  int32_t Open(const std::string& path, int flags);

  ringway::testing::System& system_;
  ringway::testing::BackendDriver driver_;
  ringway::testing::CountedOperation op_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_PATHS_H_
