// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/conditions.h"

#include <optional>

#include "absl/status/statusor.h"
#include "ringway/http/message/date.h"

namespace ringway::http::internal {

namespace {

// Whether any of the fields `name` has the tag; none if there is no such field.
std::optional<bool> AnyListHas(const Headers& request, std::string_view name,
                               const EntityTag& tag, Comparison comparison) {
  std::optional<bool> has;
  for (const Header field : request) {
    if (!EqualsIgnoringCase(field.name, name)) continue;
    if (ListHas(field.value, tag, comparison)) return true;
    has = false;
  }
  return has;
}

std::optional<absl::Time> DateOf(const Headers& request, std::string_view name,
                                 absl::Time now) {
  const std::optional<std::string_view> value = request.Find(name);
  if (!value.has_value() || request.Count(name) > 1) return std::nullopt;
  const absl::StatusOr<absl::Time> date = ParseDate(*value, now);
  return date.ok() ? std::optional(*date) : std::nullopt;
}

// Fields have whole seconds.
absl::Time WholeSeconds(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time));
}

}  // namespace

Verdict EvaluateConditions(const Headers& request, const Validators& current,
                           absl::Time now) {
  const absl::Time modified = WholeSeconds(current.modified);
  if (const std::optional<bool> match =
          AnyListHas(request, "If-Match", current.tag, Comparison::kStrong);
      match.has_value()) {
    if (!*match) return Verdict::kPreconditionFailed;
  } else if (const auto since = DateOf(request, "If-Unmodified-Since", now);
             since.has_value() && modified > *since) {
    return Verdict::kPreconditionFailed;
  }
  if (const std::optional<bool> match =
          AnyListHas(request, "If-None-Match", current.tag, Comparison::kWeak);
      match.has_value()) {
    return *match ? Verdict::kNotModified : Verdict::kSend;
  }
  if (const auto since = DateOf(request, "If-Modified-Since", now);
      since.has_value() && modified <= *since) {
    return Verdict::kNotModified;
  }
  return Verdict::kSend;
}

bool RangeApplies(const Headers& request, const Validators& current,
                  absl::Time now) {
  const std::optional<std::string_view> value = request.Find("If-Range");
  if (!value.has_value()) return true;
  if (request.Count("If-Range") > 1) return false;
  std::string_view rest = *value;
  if (const std::optional<EntityTag> tag = TakeEntityTag(rest);
      tag.has_value()) {
    return rest.empty() && Matches(*tag, current.tag, Comparison::kStrong);
  }
  const absl::Time modified = WholeSeconds(current.modified);
  const absl::StatusOr<absl::Time> date = ParseDate(*value, now);
  return date.ok() && *date == modified && now - modified >= absl::Seconds(1);
}

}  // namespace ringway::http::internal
