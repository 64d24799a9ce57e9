// SPDX-License-Identifier: Apache-2.0
//
// Paths of requests, as names of files below a folder.

#ifndef RINGWAY_HTTP_FILES_PROTOCOL_FILE_PATH_H_
#define RINGWAY_HTTP_FILES_PROTOCOL_FILE_PATH_H_

#include <string>
#include <string_view>

namespace ringway::http::internal {

// Whether `path`, decoded and relative, names something that may be served, or,
// with a slash at its end or empty, a folder. Each file has one name: there are
// no empty segments, no "." and no "..", no backslash and no control character,
// and no segment that begins with a dot unless `hidden`.
//
// This is not what keeps requests in the folder: openat2(2) does.
bool IsServablePath(std::string_view path, bool hidden);

// Whether `path`, percent-encoded, has an encoded slash, which is part of a
// name and separates none (RFC 3986, section 2.2). No file has it in its name.
bool HasEncodedSlash(std::string_view path);

// The value of Location for the folder `path`, as it was sent: with a slash,
// and the query. Empty if it would lead to another host, as "//host" does.
std::string FolderLocation(std::string_view path, std::string_view query);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_PROTOCOL_FILE_PATH_H_
