// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/access_log.h"

#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/file_sink.h"

namespace ringway::http {

struct AccessLog::State {
  explicit State(UniqueFd f) : file(std::move(f)) {}

  // The writers of one worker, by the log that they belong to: there are few.
  struct Writers {
    struct Writer {
      std::shared_ptr<State> log;
      net::BufferedWriter writer;
    };
    std::vector<Writer> all;
  };

  static net::BufferedWriter& WriterFor(const std::shared_ptr<State>& log) {
    std::vector<Writers::Writer>& all =
        CurrentExecutor().locals().Get<Writers>().all;
    for (Writers::Writer& each : all) {
      if (each.log == log) return each.writer;
    }
    return all
        .emplace_back(Writers::Writer{
            log, net::BufferedWriter(net::FileSink(log->file.get()),
                                     kMostWaitingBytes)})
        .writer;
  }

  const UniqueFd file;
  std::atomic<uint64_t> n_dropped{0};
};

absl::StatusOr<AccessLog> AccessLog::Open(const std::string& path) {
  UniqueFd file(
      open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!file.valid())
    return ErrnoToStatus(errno, absl::StrCat("open(\"", path, "\")"));
  return AccessLog(std::make_shared<State>(std::move(file)));
}

absl::StatusOr<AccessLog> AccessLog::To(int fd) {
  UniqueFd file(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!file.valid())
    return ErrnoToStatus(errno, absl::StrCat("fcntl(", fd, ", F_DUPFD)"));
  return AccessLog(std::make_shared<State>(std::move(file)));
}

std::string AccessLog::LineOf(const AccessEntry& entry, absl::Time now) {
  const std::string peer = entry.peer.host().empty() ? "-" : entry.peer.host();
  return absl::StrFormat(
      "%s - - [%s] \"%s %s\" %d %d %.6f\n", peer,
      absl::FormatTime("%d/%b/%E4Y:%H:%M:%S %z", now, absl::UTCTimeZone()),
      entry.method, absl::CHexEscape(entry.target), entry.status_code,
      entry.body_bytes, absl::ToDoubleSeconds(entry.duration));
}

void AccessLog::operator()(const AccessEntry& entry) const {
  const std::string line = LineOf(entry, absl::Now());
  if (!State::WriterFor(state_)
           .TryEnqueue(std::as_bytes(std::span(line)))
           .ok()) {
    state_->n_dropped.fetch_add(1, std::memory_order_relaxed);
  }
}

Task<absl::Status> AccessLog::FlushLines(std::shared_ptr<State> state) {
  co_return co_await State::WriterFor(state).Flush();
}

uint64_t AccessLog::dropped() const {
  return state_->n_dropped.load(std::memory_order_relaxed);
}

}  // namespace ringway::http
