// SPDX-License-Identifier: Apache-2.0
//
// A page that lists the files of a folder.

#ifndef RINGWAY_HTTP_FILES_PROTOCOL_FOLDER_LISTING_H_
#define RINGWAY_HTTP_FILES_PROTOCOL_FOLDER_LISTING_H_

#include <string>
#include <string_view>
#include <vector>

namespace ringway::http::internal {

struct ListedFile {
  std::string name;
  bool is_folder = false;
};

// `text` as it stands in HTML, also between quotation marks.
std::string EscapeHtml(std::string_view text);

// An HTML page with a link to each of `files`, folders first, both sorted by
// their bytes. `title`: such as the path, decoded. `has_parent`: with a link to
// "..". `complete`: these are all.
std::string ListingPage(std::string_view title, std::vector<ListedFile> files,
                        bool has_parent, bool complete);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_PROTOCOL_FOLDER_LISTING_H_
