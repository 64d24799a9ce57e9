// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/system.h"

#include <cstring>

#include "ringway/core/check.h"

namespace ringway::testing {

TestFd& TestFd::operator=(TestFd&& other) noexcept {
  if (this == &other) return *this;
  Reset();
  system_ = other.system_;
  fd_ = other.Release();
  return *this;
}

void TestFd::Reset() {
  if (!valid()) return;
  const int fd = Release();
  const int rc = system_->Close(fd);
  RINGWAY_CHECK(rc == 0, "closing fd %d of a test: %s", fd, strerror(-rc));
}

std::string System::Receive(int fd, size_t max) {
  std::string data(max, '\0');
  const int64_t n = ReceiveInto(fd, data);
  data.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return data;
}

}  // namespace ringway::testing
