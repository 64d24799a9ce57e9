// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/entity_tag.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

namespace {

// etagc; bytes from 0x80 on are obs-text.
bool IsTagCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

}  // namespace

std::string FormatEntityTag(uint64_t size, absl::Time modified,
                            uint64_t inode) {
  const auto nanoseconds = static_cast<uint64_t>(absl::ToUnixNanos(modified));
  std::string tag =
      absl::StrCat("\"", absl::Hex(size), "-", absl::Hex(nanoseconds));
  if (inode != 0) absl::StrAppend(&tag, "-", absl::Hex(inode));
  tag.push_back('"');
  return tag;
}

std::optional<EntityTag> TakeEntityTag(std::string_view& text) {
  std::string_view rest = text;
  EntityTag tag;
  tag.weak = absl::ConsumePrefix(&rest, "W/");
  if (rest.empty() || rest.front() != '"') return std::nullopt;
  const size_t end = rest.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view inner = rest.substr(1, end - 1);
  if (!std::all_of(inner.begin(), inner.end(), IsTagCharacter))
    return std::nullopt;
  tag.opaque = rest.substr(0, end + 1);
  text = rest.substr(end + 1);
  return tag;
}

bool Matches(const EntityTag& a, const EntityTag& b, Comparison comparison) {
  if (comparison == Comparison::kStrong && (a.weak || b.weak)) return false;
  return a.opaque == b.opaque;
}

bool ListHas(std::string_view list, const EntityTag& tag,
             Comparison comparison) {
  list = TrimSpaces(list);
  if (list == "*") return true;
  while (!list.empty()) {
    if (list.front() == ',') {  // empty elements are allowed (section 5.6.1)
      list = TrimSpaces(list.substr(1));
      continue;
    }
    const std::optional<EntityTag> element = TakeEntityTag(list);
    if (!element.has_value()) return false;
    list = TrimSpaces(list);
    if (!list.empty() && list.front() != ',') return false;
    if (Matches(*element, tag, comparison)) return true;
  }
  return false;
}

}  // namespace ringway::http::internal
