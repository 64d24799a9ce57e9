// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/load_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ringway/http/message/method.h"
#include "ringway/net/socket_address.h"
#include "ringway/tools/loadgen/format.h"

namespace ringway::loadgen {

std::string ServerText(const Mode& mode) {
  if (IsHttp(mode.protocol)) {
    const net::SocketAddress& address = mode.target.address;
    return absl::StrCat(mode.http.secure ? "https://" : "http://",
                        mode.http.authority, mode.http.target,
                        address.is_unix() ? " at " : "",
                        address.is_unix() ? address.ToString() : "");
  }
  return absl::StrCat(mode.protocol == Protocol::kUdp ? "udp " : "",
                      mode.target.address.ToString());
}

std::string RequestText(const Mode& mode) {
  if (IsHttp(mode.protocol)) {
    std::string text(http::MethodName(mode.http.method));
    if (mode.http.body_bytes > 0)
      absl::StrAppend(&text, " with ", mode.http.body_bytes, " bytes");
    return text;
  }
  return absl::StrCat(mode.size, mode.size == 1 ? " byte" : " bytes");
}

std::string VerifyText(const Mode& mode) {
  if (IsHttp(mode.protocol)) {
    return !mode.verify               ? "responses not checked"
           : mode.http.compare_bodies ? "every response and body checked"
                                      : "every response checked";
  }
  return mode.verify ? "every reply compared" : "replies not compared";
}

std::string ConnectionsText(const LoadOptions& options) {
  std::string text =
      absl::StrCat(options.connections,
                   options.connections == 1 ? " connection" : " connections");
  if (options.short_connections)
    absl::StrAppend(&text, " at once, one for each request");
  if (options.workers > 1)
    absl::StrAppend(&text, " on ", options.workers, " workers");
  return text;
}

size_t ReplyBytes(const Mode& mode) {
  return IsHttp(mode.protocol)
             ? static_cast<size_t>(mode.expected->body_bytes().value_or(0))
             : mode.size;
}

std::string ModeMembers(const LoadOptions& options) {
  return absl::StrFormat(
      ", \"protocol\": \"%s\", \"connections\": %d, \"workers\": %d, "
      "\"short\": %s, \"size\": %d",
      ProtocolName(options.mode.protocol), options.connections, options.workers,
      options.short_connections ? "true" : "false", ReplyBytes(options.mode));
}

std::string CountMembers(const Mode& mode, uint64_t strays, uint64_t reopened) {
  if (mode.protocol == Protocol::kUdp)
    return absl::StrCat(", \"strays\": ", strays);
  if (IsHttp(mode.protocol)) return absl::StrCat(", \"reopened\": ", reopened);
  return "";
}

void AppendOpeningRow(std::string& table, const LoadOptions& options,
                      const OpeningCounts& opening) {
  if (options.ramp <= absl::ZeroDuration()) return;
  AppendRow(table, "ramp",
            absl::StrFormat(
                "%s connections opened in %.2f s, %s failed; opening: "
                "p50 %.1f us, p99 %.1f us, at most %.1f us",
                Grouped(opening.opened), absl::ToDoubleSeconds(opening.took),
                Grouped(opening.failed), Microseconds(opening.connect_ns, 50),
                Microseconds(opening.connect_ns, 99),
                Microseconds(opening.connect_ns, 100)));
}

std::string OpeningMembers(const LoadOptions& options,
                           const OpeningCounts& opening) {
  if (options.short_connections) return "";
  return absl::StrFormat(
      ", \"ramp_s\": %.3f, \"opened\": %d, \"not_opened\": %d, "
      "\"opened_in_s\": %.6f, \"open_p50_us\": %.3f, \"open_p99_us\": %.3f, "
      "\"open_max_us\": %.3f",
      absl::ToDoubleSeconds(options.ramp), opening.opened, opening.failed,
      absl::ToDoubleSeconds(opening.took), Microseconds(opening.connect_ns, 50),
      Microseconds(opening.connect_ns, 99),
      Microseconds(opening.connect_ns, 100));
}

void AppendReopenedRow(std::string& table, const Mode& mode,
                       uint64_t reopened) {
  if (IsHttp(mode.protocol) && reopened > 0)
    AppendRow(table, "reopened",
              absl::StrCat(Grouped(reopened),
                           " connections, which the server "
                           "had closed"));
}

void AppendLostRows(std::string& table, uint64_t lost, uint64_t strays) {
  AppendRow(table, "lost", Grouped(lost));
  AppendRow(table, "strays", Grouped(strays));
}

}  // namespace ringway::loadgen
