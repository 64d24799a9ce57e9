// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/request_text.h"

#include <array>
#include <charconv>
#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ringway/http/message/target.h"

namespace ringway::http {

namespace {

using internal::Framing;

// Room for any number.
using Digits = std::array<char, 20>;

std::string_view Print(uint64_t number, Digits& digits) {
  const std::to_chars_result end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return {digits.data(), static_cast<size_t>(end.ptr - digits.data())};
}

void AppendField(std::string_view name, std::string_view value,
                 std::string& to) {
  to.append(name);
  to.append(": ");
  to.append(value);
  to.append("\r\n");
}

bool IsOfConnection(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsIgnoringCase(name, "TE");
    case 6:
      return EqualsIgnoringCase(name, "Expect");
    case 7:
      return EqualsIgnoringCase(name, "Upgrade");
    case 10:
      return EqualsIgnoringCase(name, "Connection") ||
             EqualsIgnoringCase(name, "Keep-Alive");
    case 16:
      return EqualsIgnoringCase(name, "Proxy-Connection");
    case 17:
      return EqualsIgnoringCase(name, "Transfer-Encoding");
    default:
      return false;
  }
}

absl::Status CheckHeaders(const OutgoingRequest& request) {
  if (!request.headers.status().ok()) return request.headers.status();
  size_t n_hosts = 0;
  for (const Header header : request.headers) {
    if (IsOfConnection(header.name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a request's header ", header.name,
                       " is up to the client, not its caller"));
    }
    if (EqualsIgnoringCase(header.name, "Host")) {
      if (++n_hosts > 1 || !IsAuthority(header.value)) {
        return absl::InvalidArgumentError(
            absl::StrCat("a request's Host is not one name, perhaps with a "
                         "port: \"",
                         absl::CEscape(header.value), "\""));
      }
    } else if (EqualsIgnoringCase(header.name, "Content-Length")) {
      uint64_t n = 0;
      if (request.framing != Framing::kLength ||
          !absl::SimpleAtoi(header.value, &n) || n != request.content_length) {
        return absl::InvalidArgumentError(absl::StrCat(
            "a request's Content-Length of ", absl::CEscape(header.value),
            " is not that of its body"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRequest(const OutgoingRequest& request) {
  if (request.method == Method::kConnect)
    return absl::UnimplementedError("a client has no CONNECT");
  if (request.method == Method::kTrace && request.framing != Framing::kNone)
    return absl::InvalidArgumentError("TRACE has no body");
  const absl::StatusOr<Target> target =
      ParseTarget(request.method, request.target);
  if (!target.ok()) return target.status();
  if (!target->scheme.empty())
    return absl::InvalidArgumentError("the target is that of a proxy");
  if (!IsAuthority(request.authority)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no host can be \"", absl::CEscape(request.authority), "\""));
  }
  if (!IsFieldValue(request.user_agent) || !IsFieldValue(request.upgrade))
    return absl::InvalidArgumentError("a field has a control character");
  return CheckHeaders(request);
}

absl::Status AppendRequestHead(const OutgoingRequest& request,
                               std::string& to) {
  if (absl::Status good = CheckRequest(request); !good.ok()) return good;
  to.append(MethodName(request.method));
  to.push_back(' ');
  to.append(request.target);
  to.append(" HTTP/1.1\r\n");
  // First, as RFC 9110, section 7.2, advises.
  AppendField("Host", request.headers.Find("Host").value_or(request.authority),
              to);
  bool has_agent = request.user_agent.empty();
  for (const Header header : request.headers) {
    if (EqualsIgnoringCase(header.name, "Host") ||
        EqualsIgnoringCase(header.name, "Content-Length")) {
      continue;
    }
    has_agent = has_agent || EqualsIgnoringCase(header.name, "User-Agent");
    AppendField(header.name, header.value, to);
  }
  if (!has_agent) AppendField("User-Agent", request.user_agent, to);
  Digits digits;
  if (request.framing == Framing::kLength) {
    AppendField("Content-Length", Print(request.content_length, digits), to);
  } else if (request.framing == Framing::kChunked) {
    AppendField("Transfer-Encoding", "chunked", to);
  }
  if (request.expects_continue) AppendField("Expect", "100-continue", to);
  if (!request.upgrade.empty()) {
    AppendField("Upgrade", request.upgrade, to);
    AppendField("Connection", "Upgrade", to);
  } else if (request.close) {
    AppendField("Connection", "close", to);
  }
  to.append("\r\n");
  return absl::OkStatus();
}

}  // namespace ringway::http
