// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/server_names.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ringway::net::internal {
namespace {

std::string Normal(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return absl::AsciiStrToLower(std::string(name));
}

}  // namespace

ServerNames::ServerNames(const std::vector<NamedCertificate>& certificates) {
  std::map<std::string, std::vector<size_t>> by_name;
  for (size_t i = 0; i < certificates.size(); ++i) {
    for (const std::string& name : certificates[i].names) {
      std::vector<size_t>& group = by_name[Normal(name)];
      const bool has_type =
          std::any_of(group.begin(), group.end(), [&](size_t other) {
            return certificates[other].key_type == certificates[i].key_type;
          });
      if (!has_type) group.push_back(i);
    }
  }
  const NamedCertificate& first = certificates.front();
  groups_.push_back(first.names.empty() ? std::vector<size_t>(1, 0)
                                        : by_name[Normal(first.names[0])]);
  for (const auto& [name, group] : by_name)
    group_of_name_[name] = IndexOf(group);
}

size_t ServerNames::IndexOf(const std::vector<size_t>& group) {
  const auto found = std::find(groups_.begin(), groups_.end(), group);
  const size_t index = static_cast<size_t>(found - groups_.begin());
  if (found == groups_.end()) groups_.push_back(group);
  return index;
}

size_t ServerNames::GroupOf(std::string_view name) const {
  const std::string wanted = Normal(name);
  auto found = group_of_name_.find(wanted);
  if (found == group_of_name_.end()) {
    const size_t dot = wanted.find('.');
    if (dot == std::string::npos) return 0;
    found = group_of_name_.find(absl::StrCat("*", wanted.substr(dot)));
  }
  return found == group_of_name_.end() ? 0 : found->second;
}

}  // namespace ringway::net::internal
