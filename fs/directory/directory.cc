// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/directory.h"

#include <fcntl.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "ringway/fs/directory/open_beneath.h"
#include "ringway/fs/directory/remove_all.h"
#include "ringway/fs/path_names.h"
#include "ringway/fs/path_ops.h"

namespace ringway::fs {
namespace {

using internal::FileCore;
using internal::OpenBeneathOp;

constexpr char kHandle[] = "a Directory";

// Only for finding names in it, so that it need not be readable.
constexpr int kToSearch = O_PATH | O_DIRECTORY;

absl::Status WhyUnusable(const FileCore* core) {
  return UnusableStatus(LoopDependent::WhyUnusable(core, kHandle), "directory");
}

// A name in an open directory. Operations on it follow no link but at its end.
struct Place {
  Place() {}

  std::optional<File> opened;  // none: the directory itself
  int directory = -1;
  std::string name;
  std::string shown;  // the whole path, for messages

  internal::NamedPath path() const { return internal::NamedPath(name, shown); }
};

// Finds the directory of `path`, below `core`.
Task<absl::StatusOr<Place>> Find(FileCore& core, std::string path) {
  internal::PathParts parts = internal::SplitPath(path);
  if (internal::HasNul(path) || !internal::IsProperName(parts.name)) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("no name in ", core.path(), ": '", path, "'"));
  }
  Place place;
  place.name = std::move(parts.name);
  place.shown = absl::StrCat(core.path(), "/", path);
  place.directory = core.fd();
  if (!parts.directory.empty()) {
    absl::StatusOr<File> opened =
        co_await OpenBeneathOp(core, std::move(parts.directory), kToSearch);
    if (!opened.ok()) co_return opened.status();
    place.opened = *std::move(opened);
    place.directory = place.opened->fd();
  }
  co_return place;
}

// Runs `make(place)`, the operation on the one place of `path`.
template <typename Make>
Task<absl::Status> OnPlace(FileCore* core, std::string path, Make make) {
  if (absl::Status s = WhyUnusable(core); !s.ok()) co_return s;
  const FileCore::Use use(*core);
  Task<absl::StatusOr<Place>> find = Find(*core, std::move(path));
  const absl::StatusOr<Place> place = co_await std::move(find);
  if (!place.ok()) co_return place.status();
  co_return co_await make(*place);
}

// The same for two, in directories that may be the same.
template <typename Make>
Task<absl::Status> OnPlaces(FileCore* from_core, std::string from,
                            FileCore* to_core, std::string to, Make make) {
  for (const FileCore* core : {from_core, to_core})
    if (absl::Status s = WhyUnusable(core); !s.ok()) co_return s;
  const FileCore::Use use_from(*from_core), use_to(*to_core);
  Task<absl::StatusOr<Place>> find = Find(*from_core, std::move(from));
  const absl::StatusOr<Place> first = co_await std::move(find);
  if (!first.ok()) co_return first.status();
  find = Find(*to_core, std::move(to));
  const absl::StatusOr<Place> second = co_await std::move(find);
  if (!second.ok()) co_return second.status();
  co_return co_await make(*first, *second);
}

Task<absl::StatusOr<File>> OpenBelow(FileCore* core, std::string path,
                                     int flags, mode_t mode) {
  if (absl::Status s = WhyUnusable(core); !s.ok()) co_return s;
  const FileCore::Use use(*core);
  co_return co_await OpenBeneathOp(*core, std::move(path), flags, mode);
}

Task<absl::Status> StatLinkAt(const Place& place,
                              absl::StatusOr<FileInfo>* info) {
  *info =
      co_await StatOfPathOp(place.directory, place.path(), AT_SYMLINK_NOFOLLOW);
  co_return info->status();
}

Task<absl::Status> ReadLinkAt(const Place& place,
                              absl::StatusOr<std::string>* target) {
  *target = co_await ReadLinkOp(place.directory, place.path());
  co_return target->status();
}

RenameOp RenamePlaces(const Place& from, const Place& to) {
  return RenameOp(from.directory, from.path(), to.directory, to.path(), 0);
}

}  // namespace

Task<absl::StatusOr<Directory>> Directory::Open(std::string path) {
  OpenOptions options;
  options.directory = true;
  absl::StatusOr<File> file = co_await File::Open(std::move(path), options);
  if (!file.ok()) co_return file.status();
  co_return Directory(*std::move(file));
}

Task<absl::StatusOr<File>> Directory::OpenFile(std::string path,
                                               OpenOptions options) {
  const bool creates = options.create || options.create_new;
  return OpenBelow(core(), std::move(path), options.Flags(),
                   creates ? options.mode : 0);
}

Task<absl::StatusOr<Directory>> Directory::OpenDirectory(std::string path) {
  Task<absl::StatusOr<File>> open =
      OpenBelow(core(), std::move(path), O_RDONLY | O_DIRECTORY, 0);
  absl::StatusOr<File> file = co_await std::move(open);
  if (!file.ok()) co_return file.status();
  co_return Directory(*std::move(file));
}

Task<absl::StatusOr<DirectoryReader>> Directory::Read(std::string path) {
  Task<absl::StatusOr<File>> open =
      OpenBelow(core(), std::move(path), O_RDONLY | O_DIRECTORY, 0);
  absl::StatusOr<File> file = co_await std::move(open);
  if (!file.ok()) co_return file.status();
  co_return DirectoryReader::Of(*std::move(file));
}

Task<absl::StatusOr<FileInfo>> Directory::Stat(std::string path) {
  Task<absl::StatusOr<File>> open =
      OpenBelow(core(), std::move(path), O_PATH, 0);
  absl::StatusOr<File> file = co_await std::move(open);
  if (!file.ok()) co_return file.status();
  co_return co_await file->Stat();
}

Task<absl::StatusOr<FileInfo>> Directory::StatLink(std::string path) {
  absl::StatusOr<FileInfo> info = absl::UnknownError("");
  auto stat = [&info](const Place& place) { return StatLinkAt(place, &info); };
  Task<absl::Status> done = OnPlace(core(), std::move(path), stat);
  absl::Status status = co_await std::move(done);
  if (!status.ok()) co_return status;
  co_return info;
}

Task<absl::StatusOr<std::string>> Directory::ReadLink(std::string path) {
  absl::StatusOr<std::string> target = absl::UnknownError("");
  auto read = [&target](const Place& place) {
    return ReadLinkAt(place, &target);
  };
  Task<absl::Status> done = OnPlace(core(), std::move(path), read);
  absl::Status status = co_await std::move(done);
  if (!status.ok()) co_return status;
  co_return target;
}

Task<absl::Status> Directory::Rename(std::string from, std::string to) {
  return OnPlaces(core(), std::move(from), core(), std::move(to),
                  &RenamePlaces);
}

Task<absl::Status> Directory::RenameInto(std::string from, Directory& other,
                                         std::string to) {
  return OnPlaces(core(), std::move(from), other.core(), std::move(to),
                  &RenamePlaces);
}

Task<absl::Status> Directory::RemoveFile(std::string path) {
  return OnPlace(core(), std::move(path), [](const Place& place) {
    return RemoveOp(place.directory, place.path(), /*is_directory=*/false);
  });
}

Task<absl::Status> Directory::RemoveDirectory(std::string path) {
  return OnPlace(core(), std::move(path), [](const Place& place) {
    return RemoveOp(place.directory, place.path(), /*is_directory=*/true);
  });
}

Task<absl::Status> Directory::RemoveAll(std::string path) {
  return OnPlace(core(), std::move(path), [](const Place& place) {
    return internal::RemoveTree(place.directory, place.name, place.shown);
  });
}

Task<absl::Status> Directory::MakeDirectory(std::string path, mode_t mode) {
  return OnPlace(core(), std::move(path), [mode](const Place& place) {
    return MakeDirectoryOp(place.directory, place.path(), mode);
  });
}

Task<absl::Status> Directory::Link(std::string existing, std::string path) {
  return OnPlaces(core(), std::move(existing), core(), std::move(path),
                  [](const Place& from, const Place& to) {
                    return LinkOp(from.directory, from.path(), to.directory,
                                  to.path());
                  });
}

Task<absl::Status> Directory::Symlink(std::string target, std::string path) {
  auto make = [target = std::move(target)](const Place& place) {
    return SymlinkOp(target, place.directory, place.path());
  };
  return OnPlace(core(), std::move(path), std::move(make));
}

}  // namespace ringway::fs
