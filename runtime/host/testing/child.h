// SPDX-License-Identifier: Apache-2.0
//
// ResultOfChild: runs a function in a forked process, for what changes a
// process: limits, the environment, the numbers of its fds.
//
//   EXPECT_EQ(ResultOfChild([] { return Describe(EnsureFileLimit(64)); }),
//             "OK");

#ifndef RINGWAY_RUNTIME_HOST_TESTING_CHILD_H_
#define RINGWAY_RUNTIME_HOST_TESTING_CHILD_H_

#include <functional>
#include <string>

namespace ringway::testing {

// What `fn` returns there. Aborts if the child does not exit with 0. The child
// has no fds but 0, 1, 2 and one far above them.
std::string ResultOfChild(const std::function<std::string()>& fn);

}  // namespace ringway::testing

#endif  // RINGWAY_RUNTIME_HOST_TESTING_CHILD_H_
