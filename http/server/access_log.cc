// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/access_log.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/file_sink.h"

namespace ringway::http {

namespace {

std::string DateOf(absl::Time time) {
  return absl::FormatTime("%d/%b/%E4Y:%H:%M:%S %z", time, absl::UTCTimeZone());
}

// Nearly all targets are as they are sent.
void AppendEscaped(std::string_view text, std::string& to) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';
  });
  if (plain) {
    to.append(text);
  } else {
    to.append(absl::CHexEscape(text));
  }
}

void AppendLine(const AccessEntry& entry, std::string_view date,
                std::string& to) {
  const std::string peer = entry.peer.host();
  const int64_t microseconds =
      absl::ToInt64Microseconds(entry.duration + absl::Nanoseconds(500));
  absl::StrAppend(&to, peer.empty() ? "-" : peer, " - - [", date, "] \"",
                  entry.method, " ");
  AppendEscaped(entry.target, to);
  absl::StrAppend(&to, "\" ", entry.status_code, " ", entry.body_bytes, " ");
  absl::StrAppend(&to, microseconds / 1'000'000, ".",
                  absl::Dec(microseconds % 1'000'000, absl::kZeroPad6), "\n");
}

}  // namespace

struct AccessLog::State {
  explicit State(UniqueFd f) : file(std::move(f)) {}

  // What a worker has for its lines.
  struct Worker {
    struct Writer {
      std::shared_ptr<State> log;
      net::BufferedWriter writer;
    };
    std::vector<Writer> writers;  // one for each log, of which there are few
    std::string line;
    time_t second = 0;
    std::string date;  // of that second: to format it costs most of a line

    std::string_view Date() {
      timespec now;
      clock_gettime(CLOCK_REALTIME_COARSE, &now);
      if (now.tv_sec != second || date.empty()) {
        second = now.tv_sec;
        date = DateOf(absl::FromTimeT(second));
      }
      return date;
    }
  };
  static Worker& ThisWorker() {
    return CurrentExecutor().locals().Get<Worker>();
  }

  static net::BufferedWriter& WriterFor(const std::shared_ptr<State>& log,
                                        Worker& worker) {
    for (Worker::Writer& each : worker.writers) {
      if (each.log == log) return each.writer;
    }
    return worker.writers
        .emplace_back(Worker::Writer{
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
  std::string line;
  AppendLine(entry, DateOf(now), line);
  return line;
}

void AccessLog::operator()(const AccessEntry& entry) const {
  State::Worker& worker = State::ThisWorker();
  worker.line.clear();
  AppendLine(entry, worker.Date(), worker.line);
  if (!State::WriterFor(state_, worker)
           .TryEnqueue(std::as_bytes(std::span(worker.line)))
           .ok()) {
    state_->n_dropped.fetch_add(1, std::memory_order_relaxed);
  }
}

Task<absl::Status> AccessLog::FlushLines(std::shared_ptr<State> state) {
  co_return co_await State::WriterFor(state, State::ThisWorker()).Flush();
}

uint64_t AccessLog::dropped() const {
  return state_->n_dropped.load(std::memory_order_relaxed);
}

}  // namespace ringway::http
