// SPDX-License-Identifier: Apache-2.0
//
// ServerNames: which certificates a client gets by the name that it asks for.

#ifndef RINGWAY_NET_TLS_CONTEXT_SERVER_NAMES_H_
#define RINGWAY_NET_TLS_CONTEXT_SERVER_NAMES_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ringway::net::internal {

// What ServerNames knows of a certificate.
struct NamedCertificate {
  std::vector<std::string> names;  // "example.org", "*.example.org"
  int key_type = 0;
};

// Certificates form groups: those that serve one name, at most one of each type
// of key. Names are compared without regard to case (RFC 6125, section 6.4); a
// wildcard stands for one label.
class ServerNames {
 public:
  // At least one certificate. Of several with the same name and type of key the
  // first counts.
  explicit ServerNames(const std::vector<NamedCertificate>& certificates);

  // The groups, as indices of certificates. The first is that of the first
  // certificate's first name, for clients that ask for none or an unknown one.
  const std::vector<std::vector<size_t>>& groups() const { return groups_; }

  // The group for `name`; 0 if no certificate has it.
  size_t GroupOf(std::string_view name) const;

 private:
  size_t IndexOf(const std::vector<size_t>& group);

  std::vector<std::vector<size_t>> groups_;
  std::map<std::string, size_t, std::less<>> group_of_name_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_SERVER_NAMES_H_
