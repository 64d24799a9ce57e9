// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/folder_listing.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "ringway/http/message/target.h"

namespace ringway::http::internal {

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped.push_back(c);
    }
  }
  return escaped;
}

std::string ListingPage(std::string_view title, std::vector<ListedFile> files,
                        bool has_parent, bool complete) {
  std::ranges::sort(files, {}, [](const ListedFile& file) {
    return std::tuple<bool, std::string_view>(!file.is_folder, file.name);
  });
  const std::string shown = EscapeHtml(title);
  std::string page = absl::StrCat(
      "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>", shown,
      "</title></head>\n<body>\n<h1>", shown, "</h1>\n<ul>\n");
  if (has_parent) page += "<li><a href=\"../\">../</a></li>\n";
  for (const ListedFile& file : files) {
    const std::string_view slash = file.is_folder ? "/" : "";
    // PercentEncode() leaves nothing that HTML, or a scheme, could begin with.
    absl::StrAppend(&page, "<li><a href=\"", PercentEncode(file.name), slash,
                    "\">", EscapeHtml(file.name), slash, "</a></li>\n");
  }
  page += "</ul>\n";
  if (!complete) page += "<p>There are more.</p>\n";
  page += "</body>\n</html>\n";
  return page;
}

}  // namespace ringway::http::internal
