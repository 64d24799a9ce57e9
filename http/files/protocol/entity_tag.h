// SPDX-License-Identifier: Apache-2.0
//
// Entity tags (RFC 9110, section 8.8.3): `"6f-17c2a-9"`, and weak ones such as
// `W/"6f-17c2a-9"`.

#ifndef RINGWAY_HTTP_FILES_PROTOCOL_ENTITY_TAG_H_
#define RINGWAY_HTTP_FILES_PROTOCOL_ENTITY_TAG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace ringway::http::internal {

// The strong tag of a file: size, modification time in nanoseconds, and inode,
// in hexadecimal. nginx has time in seconds and size; Apache has both, and the
// inode if it is configured so. Nanoseconds tell two versions of a second
// apart; the inode tells a file that was put in the place of another from it,
// even with the same times. An inode of 0 is left out.
std::string FormatEntityTag(uint64_t size, absl::Time modified, uint64_t inode);

struct EntityTag {
  std::string_view opaque;  // with its quotation marks
  bool weak = false;

  bool operator==(const EntityTag&) const = default;
};

// Takes the tag off the beginning of `text`; none if there is no tag.
std::optional<EntityTag> TakeEntityTag(std::string_view& text);

enum class Comparison : uint8_t { kStrong, kWeak };  // section 8.8.3.2

bool Matches(const EntityTag& a, const EntityTag& b, Comparison comparison);

// Whether `list`, the value of If-Match or If-None-Match, has `tag`. "*" has
// all tags; what is not a list of tags has those before the mistake.
bool ListHas(std::string_view list, const EntityTag& tag,
             Comparison comparison);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_PROTOCOL_ENTITY_TAG_H_
