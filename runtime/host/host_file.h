// SPDX-License-Identifier: Apache-2.0
//
// ReadHostFile: the content of a small file of /proc or /sys.

#ifndef RINGWAY_RUNTIME_HOST_HOST_FILE_H_
#define RINGWAY_RUNTIME_HOST_HOST_FILE_H_

#include <optional>
#include <string>

namespace ringway::internal {

// Without white space at its ends. nullopt if it cannot be read: kernels and
// containers leave some of these files out.
std::optional<std::string> ReadHostFile(const std::string& path);

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_HOST_HOST_FILE_H_
