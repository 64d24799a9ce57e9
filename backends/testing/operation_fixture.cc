// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/operation_fixture.h"

#include <poll.h>

#include "ringway/backends/prepare.h"

namespace ringway::testing {

std::string OperationConformance::ReceiveAll(int fd, size_t n_bytes) {
  std::string received;
  while (received.size() < n_bytes && !system().AtEnd(fd)) {
    CountedOperation readable;
    PreparePoll(readable, fd, POLLIN);
    driver().RunToEnd(readable);
    if (::testing::Test::HasFailure()) break;
    received += system().Receive(fd, n_bytes - received.size());
  }
  return received;
}

}  // namespace ringway::testing
