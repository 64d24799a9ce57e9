// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/transfer_codings.h"

#include <cstddef>
#include <string_view>

#include "absl/strings/str_split.h"

namespace ringway::http::internal {

TransferCodings TransferCodingsOf(const Headers& headers) {
  size_t n_codings = 0;
  size_t n_chunked = 0;
  bool chunked_last = false;
  for (const Header header : headers) {
    if (!EqualsIgnoringCase(header.name, "Transfer-Encoding")) continue;
    for (std::string_view coding : absl::StrSplit(header.value, ',')) {
      coding = TrimSpaces(coding);
      if (coding.empty()) return TransferCodings::kMalformed;
      chunked_last = EqualsIgnoringCase(coding, "chunked");
      ++n_codings;
      if (chunked_last) ++n_chunked;
    }
  }
  if (n_codings == 0) return TransferCodings::kNone;
  if (!chunked_last || n_chunked > 1) return TransferCodings::kMalformed;
  return n_codings == 1 ? TransferCodings::kChunked : TransferCodings::kOther;
}

}  // namespace ringway::http::internal
