// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/file_store.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/files/open_file.h"
#include "ringway/core/rng.h"

namespace ringway::sim {
namespace {

constexpr mode_t kPermissions = 07777;

bool WantsToWrite(int flags) { return (flags & O_ACCMODE) != O_RDONLY; }

statx_timestamp AsTimestamp(MonotonicTime time) {
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t nanoseconds = time.nanoseconds() % kSecond;
  if (nanoseconds < 0) nanoseconds += kSecond;  // before 1970
  statx_timestamp stamp = {};
  stamp.tv_sec = (time.nanoseconds() - nanoseconds) / kSecond;
  stamp.tv_nsec = static_cast<uint32_t>(nanoseconds);
  return stamp;
}

bool IsInside(InodePtr inode, const InodePtr& ancestor) {
  for (; inode != nullptr; inode = inode->parent.lock()) {
    if (inode == ancestor) return true;
  }
  return false;
}

// Directories refer to their children only, but durable entries may refer to
// them too.
void ForEachReachable(const InodePtr& root,
                      const std::function<void(const InodePtr&)>& visit) {
  std::vector<InodePtr> left = {root};
  std::set<const Inode*> seen = {root.get()};
  while (!left.empty()) {
    const InodePtr inode = std::move(left.back());
    left.pop_back();
    for (const Entries* entries : {&inode->entries, &inode->durable_entries}) {
      for (const auto& [name, child] : *entries) {
        if (seen.insert(child.get()).second) left.push_back(child);
      }
    }
    visit(inode);
  }
}

}  // namespace

FileStore::FileStore(Environment& environment)
    : environment_(environment),
      disk_{.rng = Rng(Rng(environment.rng).Next())},
      root_(MakeInode(S_IFDIR | 0755)) {
  root_->n_links = 2;
}

// After renames, current and durable entries can refer to each other in
// cycles.
FileStore::~FileStore() {
  ForEachReachable(root_, [](const InodePtr& inode) {
    inode->entries.clear();
    inode->durable_entries.clear();
  });
}

int FileStore::Open(const FilePath& at, int flags, mode_t mode,
                    std::shared_ptr<OpenFile>* out) {
  return Open(at, flags, mode, /*resolve=*/0, out);
}

int FileStore::OpenResolving(const FilePath& at, const open_how& how,
                             std::shared_ptr<OpenFile>* out) {
  constexpr uint64_t kKnown = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS |
                              RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |
                              RESOLVE_IN_ROOT;
  constexpr uint64_t kEither = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
  const int flags = static_cast<int>(how.flags);
  const bool creates =
      (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  if ((how.resolve & ~kKnown) != 0 || (how.resolve & kEither) == kEither ||
      (how.mode != 0 && !creates) || (how.mode & ~uint64_t{kPermissions}) != 0)
    return -EINVAL;
  return Open(at, flags, static_cast<mode_t>(how.mode), how.resolve, out);
}

int FileStore::Open(const FilePath& at, int flags, mode_t mode,
                    uint64_t resolve, std::shared_ptr<OpenFile>* out) {
  const bool follow = (flags & O_NOFOLLOW) == 0 &&
                      (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
  if ((flags & O_DIRECT) != 0 && direct_io_ == DirectIo::kRefused)
    return -EINVAL;
  if (direct_io_ == DirectIo::kIgnored) flags &= ~O_DIRECT;
  const PathEnd end = Walk(at, follow, resolve);
  if (end.error != 0) return end.error;
  InodePtr inode = end.inode;
  if ((flags & O_TMPFILE) == O_TMPFILE && inode != nullptr) {
    if (!inode->is_directory()) return -ENOTDIR;
    inode = MakeInode(S_IFREG | (mode & kPermissions));
  } else if (inode == nullptr) {
    if ((flags & O_CREAT) == 0) return -ENOENT;
    if (end.must_be_directory) return -EISDIR;
    inode = MakeInode(S_IFREG | (mode & kPermissions));
    Enter(end.directory, end.name, inode);
  } else if (int error = OpenExisting(end, flags); error != 0) {
    return error;
  }
  if ((flags & O_TRUNC) != 0 && inode->is_file()) inode->content.Truncate(0);
  *out = std::make_shared<OpenFile>(environment_, journal_, inode, flags);
  return 0;
}

int FileStore::OpenExisting(const PathEnd& end, int flags) const {
  const Inode& inode = *end.inode;
  if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return -EEXIST;
  if (inode.is_link()) return -ELOOP;  // O_NOFOLLOW
  if (inode.is_socket()) return -ENXIO;
  if (inode.is_directory()) {
    return WantsToWrite(flags) || (flags & O_CREAT) != 0 ? -EISDIR : 0;
  }
  return (flags & O_DIRECTORY) != 0 ? -ENOTDIR : 0;
}

void FileStore::Describe(const Inode& inode, struct statx* out) const {
  *out = {};
  out->stx_mask = STATX_BASIC_STATS;
  out->stx_mode = static_cast<uint16_t>(inode.mode);
  out->stx_nlink = inode.n_links;
  out->stx_uid = inode.owner.uid;
  out->stx_gid = inode.owner.gid;
  out->stx_ino = inode.number;
  out->stx_size = inode.is_link() ? inode.target.size() : inode.content.size();
  out->stx_blksize = FileContent::kBlockBytes;
  out->stx_blocks = inode.content.n_blocks() * (FileContent::kBlockBytes / 512);
  out->stx_mtime = out->stx_ctime = AsTimestamp(inode.modified);
  out->stx_atime = AsTimestamp(inode.accessed);
  if (direct_io_ != DirectIo::kAligned || !inode.is_file()) return;
  out->stx_mask |= STATX_DIOALIGN;
  out->stx_dio_mem_align = out->stx_dio_offset_align =
      OpenFile::kDirectAlignment;
}

int FileStore::Find(const FilePath& at, int flags, InodePtr* out) const {
  if (at.path.empty() && (flags & AT_EMPTY_PATH) != 0) {
    *out = at.directory == nullptr ? root_ : at.directory;
    return 0;
  }
  const PathEnd end = Walk(at, (flags & AT_SYMLINK_NOFOLLOW) == 0);
  if (end.error != 0) return end.error;
  *out = end.inode;
  return end.inode == nullptr ? -ENOENT : 0;
}

int FileStore::Stat(const FilePath& at, int flags, struct statx* out) const {
  InodePtr inode;
  if (int error = Find(at, flags, &inode); error != 0) return error;
  Describe(*inode, out);
  return 0;
}

int FileStore::Rename(const FilePath& from, const FilePath& to,
                      unsigned flags) {
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) return -EINVAL;
  const PathEnd source = Walk(from, /*follow=*/false);
  if (source.error != 0) return source.error;
  const PathEnd target = Walk(to, /*follow=*/false);
  if (target.error != 0) return target.error;
  if (source.inode == nullptr) return -ENOENT;
  if (source.inode == root_ || target.inode == root_) return -EBUSY;
  if (target.inode != nullptr && (flags & RENAME_NOREPLACE) != 0) {
    return -EEXIST;
  }
  if (target.inode == source.inode) return 0;
  if (target.must_be_directory && !source.inode->is_directory()) {
    return -ENOTDIR;
  }
  if (source.inode->is_directory() &&
      IsInside(target.directory, source.inode)) {
    return -EINVAL;
  }
  if (int error = CheckReplaced(*source.inode, target.inode); error != 0) {
    return error;
  }
  const InodePtr moved = source.inode;
  SetEntry(target.directory, target.name, moved);
  SetEntry(source.directory, source.name, nullptr);
  journal_.Add({{target.directory, target.name, moved},
                {source.directory, source.name, nullptr}});
  if (moved->is_directory()) moved->parent = target.directory;
  return 0;
}

int FileStore::CheckReplaced(const Inode& moved,
                             const InodePtr& replaced) const {
  if (replaced == nullptr) return 0;
  if (moved.is_directory() && !replaced->is_directory()) return -ENOTDIR;
  if (!moved.is_directory() && replaced->is_directory()) return -EISDIR;
  return replaced->entries.empty() ? 0 : -ENOTEMPTY;
}

int FileStore::Unlink(const FilePath& at, int flags) {
  const PathEnd end = Walk(at, /*follow=*/false);
  if (end.error != 0) return end.error;
  if (end.inode == nullptr) return -ENOENT;
  if (end.inode == root_) return -EBUSY;
  if ((flags & AT_REMOVEDIR) != 0) {
    if (!end.inode->is_directory()) return -ENOTDIR;
    if (end.name == ".") return -EINVAL;
    if (end.name == ".." || !end.inode->entries.empty()) return -ENOTEMPTY;
  } else if (end.inode->is_directory()) {
    return -EISDIR;
  }
  Enter(end.directory, end.name, nullptr);
  return 0;
}

int FileStore::MakeDirectory(const FilePath& at, mode_t mode) {
  const PathEnd end = WalkToNew(at);
  if (end.error != 0) return end.error;
  const InodePtr made = MakeInode(S_IFDIR | (mode & kPermissions));
  made->n_links = 1;  // its own "."
  made->parent = end.directory;
  Enter(end.directory, end.name, made);
  return 0;
}

int FileStore::Link(const FilePath& from, const FilePath& to, int flags) {
  const PathEnd source = Walk(from, (flags & AT_SYMLINK_FOLLOW) != 0);
  if (source.error != 0) return source.error;
  if (source.inode == nullptr) return -ENOENT;
  const PathEnd target = WalkToNew(to);
  if (target.error != 0) return target.error;
  if (source.inode->is_directory()) return -EPERM;
  if (target.must_be_directory) return -ENOENT;
  Enter(target.directory, target.name, source.inode);
  return 0;
}

int FileStore::SymbolicLink(std::string_view target, const FilePath& at) {
  if (target.empty()) return -ENOENT;
  const PathEnd end = WalkToNew(at);
  if (end.error != 0) return end.error;
  if (end.must_be_directory) return -ENOENT;
  const InodePtr made = MakeInode(S_IFLNK | 0777);
  made->target = std::string(target);
  Enter(end.directory, end.name, made);
  return 0;
}

int FileStore::ReadLink(const FilePath& at, std::span<char> target) const {
  if (target.empty()) return -EINVAL;
  InodePtr inode;
  if (int error = Find(at, AT_SYMLINK_NOFOLLOW, &inode); error != 0)
    return error;
  if (!inode->is_link()) return -EINVAL;
  const size_t n = std::min(target.size(), inode->target.size());
  std::copy_n(inode->target.begin(), n, target.begin());
  return static_cast<int>(n);
}

// --- Attributes

int FileStore::SetMode(const FilePath& at, mode_t mode, int flags) {
  InodePtr inode;
  if (int error = Find(at, flags, &inode); error != 0) return error;
  if (inode->is_link()) return -EOPNOTSUPP;
  inode->mode = (inode->mode & S_IFMT) | (mode & kPermissions);
  return 0;
}

int FileStore::SetOwner(const FilePath& at, FileOwner owner, int flags) {
  InodePtr inode;
  if (int error = Find(at, flags, &inode); error != 0) return error;
  if (owner.uid != static_cast<uid_t>(-1)) inode->owner.uid = owner.uid;
  if (owner.gid != static_cast<gid_t>(-1)) inode->owner.gid = owner.gid;
  return 0;
}

int FileStore::SetTimes(const FilePath& at, const timespec* times, int flags) {
  for (const timespec& time : {times[0], times[1]}) {
    const bool is_time = time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000;
    if (!is_time && time.tv_nsec != UTIME_NOW && time.tv_nsec != UTIME_OMIT)
      return -EINVAL;
  }
  InodePtr inode;
  if (int error = Find(at, flags, &inode); error != 0) return error;
  SetTime(inode->accessed, times[0]);
  SetTime(inode->modified, times[1]);
  return 0;
}

void FileStore::SetTime(MonotonicTime& time, const timespec& to) const {
  constexpr int64_t kMostSeconds = 9'000'000'000;  // later ones become that
  if (to.tv_nsec == UTIME_OMIT) return;
  const int64_t seconds =
      std::clamp<int64_t>(to.tv_sec, -kMostSeconds, kMostSeconds);
  time = to.tv_nsec == UTIME_NOW ? environment_.now()
                                 : MonotonicTime::FromNanoseconds(
                                       seconds * 1'000'000'000 + to.tv_nsec);
}

int FileStore::Bind(std::string_view path,
                    const std::shared_ptr<Description>& owner) {
  const PathEnd end = WalkToNew({nullptr, path});
  if (end.error != 0) return end.error == -EEXIST ? -EADDRINUSE : end.error;
  const InodePtr made = MakeInode(S_IFSOCK | 0755);
  made->socket = owner;
  Enter(end.directory, end.name, made);
  return 0;
}

int FileStore::FindBound(std::string_view path,
                         std::shared_ptr<Description>* out) const {
  const PathEnd end = Walk({nullptr, path}, /*follow=*/true);
  if (end.error != 0) return end.error;
  if (end.inode == nullptr) return -ENOENT;
  *out = end.inode->socket.lock();
  return *out == nullptr ? -ECONNREFUSED : 0;
}

int FileStore::IsStale(std::string_view path) const {
  const PathEnd end = Walk({nullptr, path}, /*follow=*/false);
  if (end.error != 0 || end.inode == nullptr) return 0;
  if (!end.inode->is_socket()) return -EEXIST;
  return end.inode->socket.expired() ? 1 : 0;
}

void FileStore::Crash() {
  journal_.Clear();
  ForEachReachable(
      root_, [](const InodePtr& inode) { inode->content.DropUnsynced(); });
  Restart();
}

void FileStore::Crash(uint64_t seed) {
  Rng rng(seed);
  journal_.KeepSome(rng);
  ForEachReachable(root_, [&](const InodePtr& inode) {
    inode->content.KeepSomeUnsynced(rng);
  });
  Restart();
}

// With what is on the disk.
void FileStore::Restart() {
  ForEachReachable(root_, [](const InodePtr& inode) {
    inode->entries = inode->durable_entries;
    inode->n_links = inode->is_directory() ? 1 : 0;
  });
  root_->n_links = 2;
  ForEachReachable(root_, [](const InodePtr& inode) {
    for (const auto& [name, child] : inode->entries) {
      ++child->n_links;
      if (!child->is_directory()) continue;
      ++inode->n_links;
      child->parent = inode;
    }
  });
}

void FileStore::set_capacity(uint64_t n_bytes) {
  disk_.capacity = n_bytes / FileContent::kBlockBytes;
}

PathEnd FileStore::Walk(const FilePath& at, bool follow,
                        uint64_t resolve) const {
  return WalkPath(root_, at.directory == nullptr ? root_ : at.directory,
                  at.path, follow, resolve);
}

PathEnd FileStore::WalkToNew(const FilePath& at) const {
  PathEnd end = Walk(at, /*follow=*/false);
  if (end.error == 0 && end.inode != nullptr) end.error = -EEXIST;
  return end;
}

InodePtr FileStore::MakeInode(mode_t mode) {
  return std::make_shared<Inode>(next_number_++, mode, disk_,
                                 environment_.now());
}

void FileStore::SetEntry(const InodePtr& directory, const std::string& name,
                         const InodePtr& inode) {
  const auto old = directory->entries.find(name);
  if (old != directory->entries.end()) {
    --old->second->n_links;
    if (old->second->is_directory()) --directory->n_links;
    directory->entries.erase(old);
  }
  directory->modified = environment_.now();
  if (inode == nullptr) return;
  directory->entries.emplace(name, inode);
  ++inode->n_links;
  if (inode->is_directory()) ++directory->n_links;
}

void FileStore::Enter(const InodePtr& directory, const std::string& name,
                      const InodePtr& inode) {
  SetEntry(directory, name, inode);
  journal_.Add({{directory, name, inode}});
}

}  // namespace ringway::sim
