// SPDX-License-Identifier: Apache-2.0
//
// Which backend production picks here. The suite runs on all of them; this test
// says which one the rest of the tests, that do not choose, have run on.

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/make_backend.h"

namespace ringway {
namespace {

// Asks with bad arguments: a kernel that has io_uring complains of those.
bool KernelRefusesUring() {
  return syscall(__NR_io_uring_setup, 0, nullptr) < 0 &&
         (errno == EPERM || errno == ENOSYS);
}

TEST(ProductionBackend, IsUringUnlessTheKernelRefusesIt) {
  unsetenv("RINGWAY_BACKEND");
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      MakeBackend(BackendOptions());

  ASSERT_TRUE(backend.ok()) << backend.status();
  std::cout << "[ BACKEND  ] auto: " << (*backend)->description() << "\n";
  EXPECT_EQ((*backend)->name(), KernelRefusesUring() ? "epoll" : "uring");
}

}  // namespace
}  // namespace ringway
