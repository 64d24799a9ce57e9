// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/testing/requests.h"

#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ringway/core/check.h"

namespace ringway::http::testing {

namespace {

constexpr std::string_view kFiles[] = {
#include "chunks.inc"
    ,
#include "fields.inc"
    ,
#include "framing.inc"
    ,
#include "request_line.inc"
    ,
#include "target.inc"
};

// The bytes of `text` up to its end, or to a brace that nothing has opened.
std::string Decode(std::string_view& text) {
  std::string bytes;
  while (!text.empty() && text.front() != '}') {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      bytes.push_back(c);
      continue;
    }
    RINGWAY_CHECK(!text.empty(), "an escape of nothing");
    const char kind = text.front();
    text.remove_prefix(1);
    if (kind == 'x') {
      bytes += absl::HexStringToBytes(text.substr(0, 2));
      text.remove_prefix(2);
    } else if (kind == '{') {
      size_t n = 0;
      const size_t star = text.find('*');
      RINGWAY_CHECK(absl::SimpleAtoi(text.substr(0, star), &n), "no number");
      text.remove_prefix(star + 1);
      const std::string piece = Decode(text);
      RINGWAY_CHECK(absl::ConsumePrefix(&text, "}"), "no brace");
      for (; n > 0; --n) bytes += piece;
    } else {
      static constexpr std::string_view kKinds = "rnt0\\\"";
      static constexpr std::string_view kBytes("\r\n\t\0\\\"", 6);
      const size_t i = kKinds.find(kind);
      RINGWAY_CHECK(i != std::string_view::npos, "no escape: %c", kind);
      bytes.push_back(kBytes[i]);
    }
  }
  return bytes;
}

std::string DecodeLine(std::string_view line) {
  const bool whole = !absl::ConsumeSuffix(&line, "\\c");
  std::string bytes;
  while (true) {
    bytes += Decode(line);
    if (line.empty()) break;
    line.remove_prefix(1);
    bytes.push_back('}');
  }
  if (whole) bytes += "\r\n";
  return bytes;
}

int Verdict(std::string_view text) {
  int code = kWaits;
  RINGWAY_CHECK(text == "-" || absl::SimpleAtoi(text, &code), "no verdict: %s",
                std::string(text).c_str());
  return code;
}

TestRequests Begin(std::string_view line) {
  const std::vector<std::string> parts = absl::StrSplit(line, " | ");
  RINGWAY_CHECK(parts.size() == 3, "%s", std::string(line).c_str());
  TestRequests requests;
  requests.reason = parts[1];
  requests.title = parts[2];
  const std::vector<std::string_view> by =
      absl::StrSplit(std::string_view(parts[0]), '>');
  for (const std::string_view text : absl::StrSplit(by[0], ' '))
    requests.of_parser.push_back(Verdict(text));
  requests.of_server = requests.of_parser;
  if (by.size() > 1) requests.of_server.back() = Verdict(by[1]);
  return requests;
}

}  // namespace

const std::vector<TestRequests>& AllTestRequests() {
  static const std::vector<TestRequests> all = [] {
    std::vector<TestRequests> made;
    for (const std::string_view file : kFiles) {
      for (const std::string_view line : absl::StrSplit(file, '\n')) {
        if (line.empty()) continue;
        if (line.front() == '|') {
          RINGWAY_CHECK(!made.empty(), "bytes of nothing");
          made.back().bytes += DecodeLine(line.substr(1));
        } else if (line.front() == '-' ||
                   absl::ascii_isdigit(
                       static_cast<unsigned char>(line.front()))) {
          made.push_back(Begin(line));
        }
      }
    }
    return made;
  }();
  return all;
}

}  // namespace ringway::http::testing
