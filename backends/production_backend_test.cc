// SPDX-License-Identifier: Apache-2.0
//
// Reports which backend production picks here. The suite runs on all of them;
// this is the one used by tests that do not choose.

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

// Calls it with bad arguments, which a kernel with io_uring reports.
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
