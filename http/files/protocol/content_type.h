// SPDX-License-Identifier: Apache-2.0
//
// The media types of files, by the extensions of their names.

#ifndef RINGWAY_HTTP_FILES_PROTOCOL_CONTENT_TYPE_H_
#define RINGWAY_HTTP_FILES_PROTOCOL_CONTENT_TYPE_H_

#include <string_view>

namespace ringway::http::internal {

struct ContentType {
  std::string_view value;  // of the Content-Type field
  // Whether general compression makes such content smaller.
  bool compressible = false;
};

// The type for the extension of `path`, without regard to case; `otherwise`, as
// not compressible, if it has none that is known. Text is UTF-8.
ContentType ContentTypeOf(std::string_view path, std::string_view otherwise);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_PROTOCOL_CONTENT_TYPE_H_
