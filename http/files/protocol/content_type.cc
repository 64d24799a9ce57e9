// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/content_type.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace ringway::http::internal {

namespace {

struct Known {
  std::string_view extension;
  ContentType type;
};

// Sorted by extension. The types are those that IANA has registered, and where
// it has none those of the WHATWG's MIME standard.
constexpr std::array kKnown = std::to_array<Known>({
    {"7z", {"application/x-7z-compressed"}},
    {"aac", {"audio/aac"}},
    {"apk", {"application/vnd.android.package-archive"}},
    {"apng", {"image/apng"}},
    {"atom", {"application/atom+xml", true}},
    {"avi", {"video/x-msvideo"}},
    {"avif", {"image/avif"}},
    {"bin", {"application/octet-stream"}},
    {"bmp", {"image/bmp", true}},
    {"br", {"application/octet-stream"}},
    {"bz2", {"application/x-bzip2"}},
    {"c", {"text/plain; charset=utf-8", true}},
    {"cc", {"text/plain; charset=utf-8", true}},
    {"cjs", {"text/javascript; charset=utf-8", true}},
    {"conf", {"text/plain; charset=utf-8", true}},
    {"css", {"text/css; charset=utf-8", true}},
    {"csv", {"text/csv; charset=utf-8", true}},
    {"deb", {"application/vnd.debian.binary-package"}},
    {"doc", {"application/msword"}},
    {"docx",
     {"application/"
      "vnd.openxmlformats-officedocument.wordprocessingml.document"}},
    {"eot", {"application/vnd.ms-fontobject", true}},
    {"epub", {"application/epub+zip"}},
    {"flac", {"audio/flac"}},
    {"gif", {"image/gif"}},
    {"gz", {"application/gzip"}},
    {"h", {"text/plain; charset=utf-8", true}},
    {"heic", {"image/heic"}},
    {"htm", {"text/html; charset=utf-8", true}},
    {"html", {"text/html; charset=utf-8", true}},
    {"ico", {"image/x-icon", true}},
    {"ics", {"text/calendar; charset=utf-8", true}},
    {"jar", {"application/java-archive"}},
    {"jpeg", {"image/jpeg"}},
    {"jpg", {"image/jpeg"}},
    {"js", {"text/javascript; charset=utf-8", true}},
    {"json", {"application/json", true}},
    {"jsonld", {"application/ld+json", true}},
    {"jxl", {"image/jxl"}},
    {"log", {"text/plain; charset=utf-8", true}},
    {"m3u8", {"application/vnd.apple.mpegurl", true}},
    {"m4a", {"audio/mp4"}},
    {"m4v", {"video/mp4"}},
    {"map", {"application/json", true}},
    {"md", {"text/markdown; charset=utf-8", true}},
    {"mjs", {"text/javascript; charset=utf-8", true}},
    {"mkv", {"video/matroska"}},
    {"mov", {"video/quicktime"}},
    {"mp3", {"audio/mpeg"}},
    {"mp4", {"video/mp4"}},
    {"mpd", {"application/dash+xml", true}},
    {"mpeg", {"video/mpeg"}},
    {"odp", {"application/vnd.oasis.opendocument.presentation"}},
    {"ods", {"application/vnd.oasis.opendocument.spreadsheet"}},
    {"odt", {"application/vnd.oasis.opendocument.text"}},
    {"oga", {"audio/ogg"}},
    {"ogg", {"audio/ogg"}},
    {"ogv", {"video/ogg"}},
    {"opus", {"audio/ogg"}},
    {"otf", {"font/otf", true}},
    {"pdf", {"application/pdf"}},
    {"png", {"image/png"}},
    {"ppt", {"application/vnd.ms-powerpoint"}},
    {"pptx",
     {"application/"
      "vnd.openxmlformats-officedocument.presentationml.presentation"}},
    {"py", {"text/plain; charset=utf-8", true}},
    {"rar", {"application/vnd.rar"}},
    {"rpm", {"application/x-rpm"}},
    {"rss", {"application/rss+xml", true}},
    {"rtf", {"application/rtf", true}},
    {"sh", {"text/plain; charset=utf-8", true}},
    {"sql", {"text/plain; charset=utf-8", true}},
    {"svg", {"image/svg+xml", true}},
    {"svgz", {"image/svg+xml"}},
    {"tar", {"application/x-tar", true}},
    {"text", {"text/plain; charset=utf-8", true}},
    {"tgz", {"application/gzip"}},
    {"tif", {"image/tiff"}},
    {"tiff", {"image/tiff"}},
    {"toml", {"application/toml", true}},
    {"ts", {"video/mp2t"}},
    {"ttf", {"font/ttf", true}},
    {"txt", {"text/plain; charset=utf-8", true}},
    {"vtt", {"text/vtt; charset=utf-8", true}},
    {"wasm", {"application/wasm", true}},
    {"wav", {"audio/wav"}},
    {"weba", {"audio/webm"}},
    {"webm", {"video/webm"}},
    {"webmanifest", {"application/manifest+json", true}},
    {"webp", {"image/webp"}},
    {"woff", {"font/woff"}},
    {"woff2", {"font/woff2"}},
    {"xhtml", {"application/xhtml+xml", true}},
    {"xls", {"application/vnd.ms-excel"}},
    {"xlsx",
     {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}},
    {"xml", {"application/xml", true}},
    {"xsl", {"application/xml", true}},
    {"xz", {"application/x-xz"}},
    {"yaml", {"application/yaml", true}},
    {"yml", {"application/yaml", true}},
    {"zip", {"application/zip"}},
    {"zst", {"application/zstd"}},
});
static_assert(std::ranges::is_sorted(kKnown, {}, &Known::extension));

constexpr size_t kLongestExtension =
    std::ranges::max_element(kKnown, {}, [](const Known& known) {
      return known.extension.size();
    })->extension.size();

}  // namespace

ContentType ContentTypeOf(std::string_view path, std::string_view otherwise) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  // A name such as ".zip" is hidden, and has no extension.
  if (dot == std::string_view::npos || dot == 0) return {otherwise};
  const std::string_view extension = name.substr(dot + 1);
  if (extension.size() > kLongestExtension) return {otherwise};
  std::array<char, kLongestExtension> lower;
  std::ranges::transform(extension, lower.begin(), [](char c) {
    return absl::ascii_tolower(static_cast<unsigned char>(c));
  });
  const std::string_view wanted(lower.data(), extension.size());
  const auto* const found =
      std::ranges::lower_bound(kKnown, wanted, {}, &Known::extension);
  if (found == kKnown.end() || found->extension != wanted) return {otherwise};
  return found->type;
}

}  // namespace ringway::http::internal
