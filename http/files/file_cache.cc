// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/file_cache.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ringway/executor/task/executor.h"
#include "ringway/fs/file.h"
#include "ringway/fs/open_options.h"
#include "ringway/fs/path_ops.h"

namespace ringway::http::internal {

namespace {

bool IsSameFile(const fs::FileInfo& a, const fs::FileInfo& b) {
  return a.device == b.device && a.inode == b.inode;
}

// Whether nothing has happened to the file: whatever does sets `changed`.
bool IsUnchanged(const fs::FileInfo& a, const fs::FileInfo& b) {
  return IsSameFile(a, b) && a.type == b.type && a.size == b.size &&
         a.modified == b.modified && a.changed == b.changed;
}

MonotonicTime Now() { return CurrentExecutor().loop().now(); }

}  // namespace

struct FileCache::Opened {
  std::optional<fs::File> file;  // none: it is a folder
  fs::FileInfo info;
};

SharedFile FileCache::FindValid(std::string_view path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  const SharedFile& file = *found->second;
  if (Now() >= file->valid_until) return nullptr;
  if (found->second != order_.begin())
    order_.splice(order_.begin(), order_, found->second);
  return file;
}

bool FileCache::Has(const SharedFile& file) const {
  const auto found = by_path_.find(file->path);
  return found != by_path_.end() && *found->second == file;
}

void FileCache::Keep(const SharedFile& file) {
  Forget(file->path);
  while (by_path_.size() >= options().max_kept_files)
    Forget(order_.back()->path);
  order_.push_front(file);
  by_path_.emplace(file->path, order_.begin());
}

void FileCache::Forget(std::string_view path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return;
  const Order::iterator place = found->second;
  n_bytes_ -= (*place)->n_bytes;
  by_path_.erase(found);
  order_.erase(place);
}

void FileCache::Clear() {
  by_path_.clear();
  order_.clear();
  n_bytes_ = 0;
}

bool FileCache::Reserve(const SharedFile& file, size_t n_bytes) {
  const size_t most = options().max_kept_bytes;
  if (!Has(file) || file->n_bytes + n_bytes > most) return false;
  // Files without kept contents go along: they were not used for longer.
  while (n_bytes_ + n_bytes > most) {
    const SharedFile& last = order_.back();
    if (last == file) {
      order_.splice(order_.begin(), order_, std::prev(order_.end()));
      continue;
    }
    Forget(last->path);
  }
  file->n_bytes += n_bytes;
  n_bytes_ += n_bytes;
  return true;
}

bool FileCache::Varies(const CachedFile& file) const {
  return options().precompressed || MayGzip(file);
}

bool FileCache::MayGzip(const CachedFile& file) const {
  const auto size = static_cast<uint64_t>(file.info.size);
  return options().gzip && file.type.compressible &&
         size >= options().gzip_min_bytes && size <= options().gzip_max_bytes;
}

void FileCache::KeepGzip(const SharedFile& file, SharedRepresentation made) {
  if (file->made_gzip.has_value()) return;  // by another request, meanwhile
  const size_t n_bytes = made == nullptr ? 0 : made->content->size();
  if (Reserve(file, n_bytes)) file->made_gzip = std::move(made);
}

Task<absl::StatusOr<std::shared_ptr<fs::Directory>>> FileCache::Root() {
  const auto no_root = [this](const absl::Status& why) {
    if (absl::IsCancelled(why)) return why;
    return absl::InternalError(absl::StrCat("the root of http::Files, ",
                                            core_->root, ": ", why.ToString()));
  };
  if (root_ != nullptr && Now() < root_valid_until_) co_return root_;
  if (root_ != nullptr) {
    const absl::StatusOr<fs::FileInfo> info = co_await fs::Stat(core_->root);
    if (!info.ok()) co_return no_root(info.status());
    if (IsSameFile(*info, root_info_)) {
      root_valid_until_ = Now() + options().validity;
      co_return root_;
    }
  }
  fs::OpenOptions open;
  open.directory = true;
  absl::StatusOr<fs::File> file = co_await fs::File::Open(core_->root, open);
  if (!file.ok()) co_return no_root(file.status());
  const absl::StatusOr<fs::FileInfo> info = co_await file->Stat();
  if (!info.ok()) co_return no_root(info.status());
  if (root_ != nullptr && !IsSameFile(*info, root_info_)) Clear();
  root_ = std::make_shared<fs::Directory>(fs::Directory::Of(*std::move(file)));
  root_info_ = *info;
  root_valid_until_ = Now() + options().validity;
  co_return root_;
}

Task<absl::StatusOr<SharedFile>> FileCache::Get(std::string path) {
  if (SharedFile valid = FindValid(path); valid != nullptr) co_return valid;
  if (const auto kept = by_path_.find(path); kept != by_path_.end()) {
    Task<absl::StatusOr<SharedFile>> check = Revalidate(*kept->second);
    absl::StatusOr<SharedFile> checked = co_await std::move(check);
    if (!checked.ok() || *checked != nullptr) co_return checked;
  }
  Task<absl::StatusOr<SharedFile>> open = Open(std::move(path));
  co_return co_await std::move(open);
}

Task<absl::StatusOr<SharedFile>> FileCache::Revalidate(SharedFile file) {
  Task<absl::StatusOr<std::shared_ptr<fs::Directory>>> find = Root();
  const absl::StatusOr<std::shared_ptr<fs::Directory>> root =
      co_await std::move(find);
  if (!root.ok()) co_return root.status();
  Task<absl::StatusOr<fs::FileInfo>> stat = (*root)->Stat(file->path);
  const absl::StatusOr<fs::FileInfo> info = co_await std::move(stat);
  if (absl::IsCancelled(info.status())) co_return info.status();
  if (!Has(file)) co_return SharedFile();
  if (!info.ok() || !IsUnchanged(*info, file->info)) {
    Forget(file->path);
    co_return SharedFile();
  }
  file->valid_until = Now() + options().validity;
  // They are files of their own, which are opened again when they are needed.
  for (Variant& variant : file->variants) {
    const bool kept = variant.has_value() && *variant != nullptr &&
                      (*variant)->content.has_value();
    const size_t n_bytes = kept ? (*variant)->size : 0;
    file->n_bytes -= n_bytes;
    n_bytes_ -= n_bytes;
    variant.reset();
  }
  co_return file;
}

Task<absl::StatusOr<FileCache::Opened>> FileCache::OpenRegular(
    std::string path) {
  Task<absl::StatusOr<std::shared_ptr<fs::Directory>>> find = Root();
  const absl::StatusOr<std::shared_ptr<fs::Directory>> root =
      co_await std::move(find);
  if (!root.ok()) co_return root.status();
  fs::OpenOptions how;
  how.non_blocking = true;  // it may be a FIFO
  Task<absl::StatusOr<fs::File>> open = (*root)->OpenFile(std::move(path), how);
  absl::StatusOr<fs::File> file = co_await std::move(open);
  if (!file.ok()) co_return file.status();
  const absl::StatusOr<fs::FileInfo> info = co_await file->Stat();
  if (!info.ok()) co_return info.status();
  Opened opened;
  opened.info = *info;
  if (!info->is_directory()) {
    if (!info->is_regular()) co_return absl::NotFoundError("no regular file");
    opened.file = *std::move(file);
  }
  co_return opened;
}

Task<absl::StatusOr<SharedFile>> FileCache::Open(std::string path) {
  Task<absl::StatusOr<Opened>> open = OpenRegular(path);
  absl::StatusOr<Opened> opened = co_await std::move(open);
  if (!opened.ok()) co_return opened.status();
  if (!opened->file.has_value()) co_return SharedFile();
  const auto file = std::make_shared<CachedFile>();
  file->type = ContentTypeOf(path, options().default_type);
  file->path = std::move(path);
  file->info = opened->info;
  Description description;
  description.content_type = file->type.value;
  description.varies = Varies(*file);
  const auto plain = std::make_shared<Representation>(
      Describe(file->info, description, options()));
  plain->file = std::move(opened->file);
  file->plain = plain;
  file->valid_until = Now() + options().validity;
  if (!keeps_files()) co_return file;
  Task<absl::Status> load = Load(*plain, file->info);
  absl::Status loaded = co_await std::move(load);
  if (!loaded.ok()) co_return loaded;
  Keep(file);
  if (plain->content.has_value()) Reserve(file, plain->content->size());
  co_return file;
}

// What is written meanwhile would be kept half old and half new, so then it is
// read for each request.
Task<absl::Status> FileCache::Load(Representation& representation,
                                   const fs::FileInfo& info) {
  const uint64_t size = representation.size;
  if (size > options().small_file_bytes || size > options().max_kept_bytes)
    co_return absl::OkStatus();
  Task<absl::StatusOr<std::string>> read = ReadPart(representation, 0, size);
  absl::StatusOr<std::string> content = co_await std::move(read);
  if (absl::IsUnavailable(content.status())) co_return absl::OkStatus();
  if (!content.ok()) co_return content.status();
  const absl::StatusOr<fs::FileInfo> after =
      co_await representation.file->Stat();
  if (!after.ok()) co_return after.status();
  if (!IsUnchanged(*after, info)) co_return absl::OkStatus();
  representation.content = *std::move(content);
  representation.file.reset();
  co_return absl::OkStatus();
}

Task<absl::StatusOr<SharedRepresentation>> FileCache::GetVariant(
    SharedFile file, Coding coding) {
  Variant& variant = file->variants[static_cast<size_t>(coding)];
  if (variant.has_value()) co_return *variant;
  Task<absl::StatusOr<SharedRepresentation>> open = OpenVariant(*file, coding);
  absl::StatusOr<SharedRepresentation> opened = co_await std::move(open);
  if (absl::IsCancelled(opened.status())) co_return opened;
  // Another request may have been faster.
  if (variant.has_value()) co_return *variant;
  SharedRepresentation found = opened.ok() ? *std::move(opened) : nullptr;
  const bool in_memory = found != nullptr && found->content.has_value();
  if (Reserve(file, in_memory ? found->content->size() : 0)) variant = found;
  co_return found;
}

Task<absl::StatusOr<SharedRepresentation>> FileCache::OpenVariant(
    const CachedFile& file, Coding coding) {
  Task<absl::StatusOr<Opened>> open =
      OpenRegular(absl::StrCat(file.path, CodingSuffix(coding)));
  absl::StatusOr<Opened> opened = co_await std::move(open);
  if (!opened.ok()) co_return opened.status();
  const bool stale = opened->info.modified < file.info.modified;
  if (!opened->file.has_value() || stale)
    co_return absl::NotFoundError("no variant");
  Description description;
  description.content_type = file.type.value;
  description.coding = coding;
  description.varies = true;
  const auto variant = std::make_shared<Representation>(
      Describe(opened->info, description, options()));
  variant->file = std::move(opened->file);
  if (keeps_files()) {
    Task<absl::Status> load = Load(*variant, opened->info);
    absl::Status loaded = co_await std::move(load);
    if (!loaded.ok()) co_return loaded;
  }
  co_return variant;
}

FileCache& FileCaches::Of(const std::shared_ptr<const FilesCore>& core) {
  auto& caches = CurrentExecutor().locals().Get<FileCaches>().caches_;
  for (const auto& [of, cache] : caches) {
    if (of == core.get()) return *cache;
  }
  std::erase_if(caches,
                [](const auto& old) { return old.second->abandoned(); });
  caches.emplace_back(core.get(), std::make_unique<FileCache>(core));
  return *caches.back().second;
}

}  // namespace ringway::http::internal
