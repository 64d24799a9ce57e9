// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/files.h"

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check_option.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/directory/directory_reader.h"
#include "ringway/http/files/choose_representation.h"
#include "ringway/http/files/file_cache.h"
#include "ringway/http/files/file_response.h"
#include "ringway/http/files/protocol/file_path.h"
#include "ringway/http/files/protocol/folder_listing.h"
#include "ringway/http/message/target.h"

namespace ringway::http {

namespace {

using internal::FileCache;
using internal::SharedFile;
using internal::SharedRepresentation;

// The path of the file, decoded and relative; in `decoded` if it has to be.
std::optional<std::string_view> PathOf(Request& request, std::string& decoded) {
  std::string_view whole = request.path();
  if (internal::HasEncodedSlash(whole)) return std::nullopt;
  for (const auto& [name, value] : request.params()) {
    if (name == "path") return value;
  }
  if (whole.empty() || whole.front() != '/') return std::nullopt;
  whole.remove_prefix(1);
  if (whole.find('%') == std::string_view::npos) return whole;
  absl::StatusOr<std::string> text = PercentDecode(whole);
  if (!text.ok()) return std::nullopt;
  decoded = *std::move(text);
  return decoded;
}

Task<absl::Status> Refuse(ResponseWriter& response, int status_code) {
  Task<absl::Status> send = response.Send(
      status_code, status_code == 403 ? "Forbidden\n" : "Not Found\n");
  co_return co_await std::move(send);
}

// The end of a request for what cannot be opened: its status, or none if
// `status_code` is to be sent.
absl::Status Explain(const absl::Status& error, int& status_code) {
  status_code = 404;
  switch (ErrnoOf(error)) {
    case EACCES:
      status_code = 403;
      return absl::OkStatus();
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:  // it leads out
    case ENAMETOOLONG:
    case ENXIO:  // a socket
    case ENODEV:
      return absl::OkStatus();
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::UnavailableError(error.message());
    default:
      break;
  }
  const bool absent = absl::IsNotFound(error) || absl::IsInvalidArgument(error);
  return absent ? absl::OkStatus() : error;
}

Task<absl::Status> RefuseFor(ResponseWriter& response, absl::Status error) {
  int status_code = 0;
  absl::Status status = Explain(error, status_code);
  if (!status.ok()) co_return status;
  Task<absl::Status> send = Refuse(response, status_code);
  co_return co_await std::move(send);
}

Task<absl::Status> SendFile(FileCache& cache, SharedFile file,
                            const Request& request, ResponseWriter& response) {
  Task<absl::StatusOr<SharedRepresentation>> find =
      ChooseRepresentation(cache, std::move(file), request.headers());
  absl::StatusOr<SharedRepresentation> found = co_await std::move(find);
  if (!found.ok()) co_return found.status();
  Task<absl::Status> respond =
      Respond(request, response, *std::move(found), cache.options());
  co_return co_await std::move(respond);
}

// --- Folders

bool IsFolder(std::string_view path) {
  return path.empty() || path.back() == '/';
}

Task<absl::Status> Redirect(const Request& request, ResponseWriter& response) {
  const std::string location =
      internal::FolderLocation(request.path(), request.query());
  if (!location.empty()) response.headers().Set("Location", location);
  Task<absl::Status> send = location.empty()
                                ? Refuse(response, 404)
                                : response.Send(301, "Moved Permanently\n");
  co_return co_await std::move(send);
}

struct Listed {
  std::vector<internal::ListedFile> files;
  bool complete = true;
};

Task<absl::StatusOr<Listed>> List(FileCache& cache, std::string path) {
  Task<absl::StatusOr<std::shared_ptr<fs::Directory>>> find = cache.Root();
  const absl::StatusOr<std::shared_ptr<fs::Directory>> root =
      co_await std::move(find);
  if (!root.ok()) co_return root.status();
  Task<absl::StatusOr<fs::DirectoryReader>> open =
      (*root)->Read(path.empty() ? "." : path);
  absl::StatusOr<fs::DirectoryReader> reader = co_await std::move(open);
  if (!reader.ok()) co_return reader.status();
  Listed listed;
  while (true) {
    absl::StatusOr<std::optional<fs::DirectoryEntry>> entry =
        co_await reader->Next();
    if (!entry.ok()) co_return entry.status();
    if (!entry->has_value()) co_return listed;
    std::string& name = (*entry)->name;
    // A link's target is not known; its folder's slash comes by a redirect.
    const bool is_folder = (*entry)->type == fs::FileType::kDirectory;
    if (!internal::IsServablePath(name, cache.options().hidden)) continue;
    listed.complete = listed.files.size() < cache.options().max_listed_files;
    if (!listed.complete) co_return listed;
    listed.files.push_back({std::move(name), is_folder});
  }
}

Task<absl::Status> SendListing(FileCache& cache, std::string path,
                               const Request& request,
                               ResponseWriter& response) {
  Task<absl::StatusOr<Listed>> list = List(cache, path);
  absl::StatusOr<Listed> listed = co_await std::move(list);
  if (!listed.ok()) {
    Task<absl::Status> refuse = RefuseFor(response, listed.status());
    co_return co_await std::move(refuse);
  }
  const std::string title =
      PercentDecode(request.path()).value_or(std::string(request.path()));
  const std::string page =
      internal::ListingPage(title, std::move(listed->files),
                            /*has_parent=*/!path.empty(), listed->complete);
  response.headers().Set("Content-Type", "text/html; charset=utf-8");
  if (cache.options().nosniff)
    response.headers().Set("X-Content-Type-Options", "nosniff");
  Task<absl::Status> send = response.Send(200, page);
  co_return co_await std::move(send);
}

Task<absl::Status> SendFolder(FileCache& cache, std::string path,
                              const Request& request,
                              ResponseWriter& response) {
  const FilesOptions& options = cache.options();
  absl::StatusOr<SharedFile> index = SharedFile();
  if (!options.index.empty()) {
    Task<absl::StatusOr<SharedFile>> get =
        cache.Get(absl::StrCat(path, options.index));
    index = co_await std::move(get);
  }
  const bool none =
      index.ok() ? *index == nullptr : ErrnoOf(index.status()) == ENOENT;
  Task<absl::Status> answer =
      !none && !index.ok() ? RefuseFor(response, index.status())
      : !none           ? SendFile(cache, *std::move(index), request, response)
      : options.listing ? SendListing(cache, std::move(path), request, response)
                        : Refuse(response, 404);
  co_return co_await std::move(answer);
}

Task<absl::Status> Serve(FileCache& cache, std::string path,
                         const Request& request, ResponseWriter& response) {
  if (IsFolder(path)) {
    Task<absl::Status> send =
        SendFolder(cache, std::move(path), request, response);
    co_return co_await std::move(send);
  }
  Task<absl::StatusOr<SharedFile>> get = cache.Get(std::move(path));
  absl::StatusOr<SharedFile> file = co_await std::move(get);
  Task<absl::Status> answer = !file.ok() ? RefuseFor(response, file.status())
                              : *file == nullptr
                                  ? Redirect(request, response)
                                  : SendFile(cache, *file, request, response);
  co_return co_await std::move(answer);
}

}  // namespace

Files::Files(std::string root, FilesOptions options)
    : core_(std::make_shared<internal::FilesCore>(
          std::move(root), Valid(std::move(options), CheckFilesOptions))) {}

Task<absl::Status> Files::operator()(Request& request,
                                     ResponseWriter& response) const {
  const FilesOptions& options = core_->options;
  FileCache& cache = internal::FileCaches::Of(core_);
  std::string decoded;
  const std::optional<std::string_view> path = PathOf(request, decoded);
  if (!path.has_value()) return Refuse(response, 404);
  std::string index;
  if (IsFolder(*path) && !options.index.empty())
    index = absl::StrCat(*path, options.index);
  // What is kept under its path may be served.
  const SharedFile file = cache.FindValid(index.empty() ? *path : index);
  if (file != nullptr) {
    SharedRepresentation ready =
        internal::FindReady(cache, *file, request.headers());
    if (ready == nullptr) return SendFile(cache, file, request, response);
    if (ready->content.has_value() &&
        !internal::IsConditional(request.headers()))
      return internal::SendContent(response, std::move(ready));
    return Respond(request, response, std::move(ready), options);
  }
  if (!internal::IsServablePath(*path, options.hidden))
    return Refuse(response, 404);
  return Serve(cache, std::string(*path), request, response);
}

}  // namespace ringway::http
