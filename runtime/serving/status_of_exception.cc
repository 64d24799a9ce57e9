// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/serving/status_of_exception.h"

#include <exception>
#include <new>

#include "absl/strings/str_cat.h"

namespace ringway::internal {
namespace {

absl::Status Describe() {
  try {
    throw;
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("an exception: ", e.what()));
  } catch (...) {
    return absl::InternalError("an exception that is not a std::exception");
  }
}

}  // namespace

absl::Status StatusOfException() noexcept try {
  return Describe();
} catch (const std::bad_alloc&) {
  return absl::Status(absl::StatusCode::kResourceExhausted, "");
}

}  // namespace ringway::internal
