// SPDX-License-Identifier: Apache-2.0
//
// CheckRangesScript: what has to hold for the fields of any request for a file.

#ifndef RINGWAY_HTTP_FILES_FUZZ_RANGES_MODEL_H_
#define RINGWAY_HTTP_FILES_FUZZ_RANGES_MODEL_H_

#include <string_view>

namespace ringway::fuzz {

// `script` is the size of a file, in two bytes, the number of ranges that it
// may have, in one, and the value of a field, which is read as Range, If-Match
// and Accept-Encoding. Aborts unless
//   the ranges are those of a reader that marks the bytes which it is asked for
//   one by one, and come in the order of the request,
//   a multipart body is as long as was announced,
//   and what is chosen among codings and tags is one of them.
//
// Returns true if there were ranges.
bool CheckRangesScript(std::string_view script);

}  // namespace ringway::fuzz

#endif  // RINGWAY_HTTP_FILES_FUZZ_RANGES_MODEL_H_
