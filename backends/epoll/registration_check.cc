// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/registration_check.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "absl/strings/str_format.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {
namespace {

// Implicitly part of every registration.
constexpr uint32_t kImplied = EPOLLERR | EPOLLHUP;

struct Registration {
  int fd = -1;
  uint32_t events = 0;
  uint64_t data = 0;
};

// Reads a file of /proc line by line, without allocation.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}

  // The next line as a string, without its end; null at the end of the file.
  const char* Next() {
    while (true) {
      char* begin = buffer_.data() + begin_;
      if (void* newline = memchr(begin, '\n', end_ - begin_)) {
        char* end = static_cast<char*>(newline);
        *end = '\0';
        begin_ += static_cast<size_t>(end - begin) + 1;
        return begin;
      }
      if (!Fill()) return nullptr;
    }
  }

 private:
  bool Fill() {
    memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const ssize_t n = read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (n <= 0) return false;
    end_ += static_cast<size_t>(n);
    return true;
  }

  const int fd_;
  std::array<char, 4096> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

UniqueFd OpenInfo(int epoll_fd) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll_fd);
  return UniqueFd(open(path, O_RDONLY | O_CLOEXEC));
}

// Calls `visit` for each registration in `info`.
template <typename Visitor>
void ForEachRegistration(int info, Visitor visit) {
  LineReader lines(info);
  while (const char* line = lines.Next()) {
    Registration r;
    if (sscanf(line, "tfd: %d events: %" SCNx32 " data: %" SCNx64, &r.fd,
               &r.events, &r.data) == 3) {
      visit(r);
    }
  }
}

bool IsRegistered(const FdEntry& entry, int epoll_fd) {
  bool found = false;
  const UniqueFd info = OpenInfo(epoll_fd);
  ForEachRegistration(info.get(), [&](const Registration& r) {
    found |= r.fd == entry.fd && r.data == EventData(entry);
  });
  return found;
}

// True if it cannot be registered: a file that is always ready, or a number
// that was closed under its waiting operations.
bool RefusesRegistration(int fd) {
  const UniqueFd set(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event = {};
  return set.valid() && epoll_ctl(set.get(), EPOLL_CTL_ADD, fd, &event) != 0;
}

bool MustBeRegistered(const FdEntry& entry) {
  return !entry.idle() && !entry.assumed();
}

std::string CheckEntry(FdEntry& entry) {
  const uint32_t interest = entry.Interest();
  if ((entry.registered & interest) == interest) return "";
  return absl::StrFormat(
      "operations wait on fd %d for events %x, which is registered for %x",
      entry.fd, interest, entry.registered);
}

}  // namespace

RegistrationReport CompareRegistrations(FdTable& table, int epoll_fd) {
  RegistrationReport report;
  const UniqueFd info = OpenInfo(epoll_fd);
  if (!info.valid()) return report;
  size_t n_found = 0;
  ForEachRegistration(info.get(), [&](const Registration& r) {
    ++report.n_registered;
    FdEntry* entry = table.Find(r.fd);
    // A registration of the number's earlier file, which a duplicate keeps
    // open.
    if (entry == nullptr || r.data != EventData(*entry)) return;
    if (MustBeRegistered(*entry)) ++n_found;
    const uint32_t expected = entry->AsRegistered(entry->registered);
    if ((r.events & ~kImplied) == (expected & ~kImplied)) return;
    report.difference = absl::StrFormat(
        "the kernel has fd %d registered for events %x, its entry says %x",
        r.fd, r.events, expected);
  });

  size_t n_expected = 0;
  const auto is_expected = [](FdEntry& entry) {
    return MustBeRegistered(entry) &&
           (entry.registered != 0 || !RefusesRegistration(entry.fd));
  };
  table.ForEach([&](FdEntry& entry) {
    if (!is_expected(entry)) return;
    ++n_expected;
    if (std::string wrong = CheckEntry(entry); !wrong.empty()) {
      report.difference = std::move(wrong);
    }
  });
  if (!report.difference.empty() || n_found == n_expected) return report;
  table.ForEach([&](FdEntry& entry) {
    if (!is_expected(entry) || IsRegistered(entry, epoll_fd)) return;
    report.difference = absl::StrFormat(
        "operations wait on fd %d, whose registration for %x the kernel does "
        "not have",
        entry.fd, entry.registered);
  });
  return report;
}

}  // namespace ringway::epoll
