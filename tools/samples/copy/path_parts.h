// SPDX-License-Identifier: Apache-2.0
//
// The parts of paths.

#ifndef RINGWAY_TOOLS_SAMPLES_COPY_PATH_PARTS_H_
#define RINGWAY_TOOLS_SAMPLES_COPY_PATH_PARTS_H_

#include <string>
#include <string_view>

namespace ringway::copy {

// The last part, without slashes behind it.
std::string NameOf(std::string_view path);

// What is before that: "." if there is nothing.
std::string DirectoryOf(std::string_view path);

std::string Join(std::string_view directory, std::string_view name);

}  // namespace ringway::copy

#endif  // RINGWAY_TOOLS_SAMPLES_COPY_PATH_PARTS_H_
