// SPDX-License-Identifier: Apache-2.0
//
// TlsFlags: --tls-cert and --tls-key of sample servers, whose files are read
// again on SIGHUP.

#ifndef RINGWAY_TOOLS_SAMPLES_TLS_FLAGS_H_
#define RINGWAY_TOOLS_SAMPLES_TLS_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/runtime/runtime.h"
#include "ringway/tools/command_line/command_line.h"

namespace ringway {

class TlsFlags {
 public:
  // Declares them in `flags`, which refer to this from then on.
  explicit TlsFlags(CommandLine& flags);
  TlsFlags(const TlsFlags&) = delete;
  TlsFlags& operator=(const TlsFlags&) = delete;

  // The context of the flags, whose files `builder`'s first worker reads again
  // on SIGHUP; none if they were not given. `alpn`: what the server speaks by
  // TLS, the best first.
  //
  // Errors: InvalidArgument if there is only one of the two; those of
  //         TlsContext::Server().
  absl::StatusOr<std::optional<net::TlsContext>> ContextFor(
      Runtime::Builder& builder, std::vector<std::string> alpn = {}) const;

 private:
  std::string certificate_;
  std::string key_;
};

}  // namespace ringway

#endif  // RINGWAY_TOOLS_SAMPLES_TLS_FLAGS_H_
