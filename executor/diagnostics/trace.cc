// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/trace.h"

#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/diagnostics/json_string.h"

namespace ringway {
namespace {

using Kind = TraceEvent::Kind;

// The events of one recorder. What it keeps of them makes the text balanced.
class LogWriter {
 public:
  // `number` tells the recorder from the others.
  LogWriter(const TraceLog& log, size_t number, std::string& text)
      : log_(log), number_(number), text_(text) {}

  void Write() {
    Metadata();
    for (const TraceEvent& event : log_.events) WriteEvent(event);
    if (!log_.events.empty()) EndAll(log_.events.back().at);
  }

 private:
  enum class Row : uint8_t { kTasks, kOperations };

  void Metadata() {
    absl::StrAppend(&text_, "{\"ph\":\"M\",\"name\":\"thread_name\"", Place(),
                    ",\"args\":{\"name\":", JsonString(log_.name),
                    ",\"dropped\":", log_.dropped, "}},\n");
  }

  void WriteEvent(const TraceEvent& event) {
    switch (event.kind) {
      case Kind::kTurnBegin:
        EndSlices(event.at);  // an exception has ended the last turn
        return BeginSlice(event, "turn", "");
      case Kind::kTurnEnd:
        return EndSlices(event.at);
      case Kind::kResumeBegin:
        return BeginSlice(
            event, NameOf(event),
            absl::StrCat(",\"args\":{\"task\":\"", IdOf(event), "\"}"));
      case Kind::kResumeEnd:
        if (depth_ > 0) EndSlice(event.at);
        return;
      case Kind::kTaskSpawned:
        return BeginAsync(event, Row::kTasks, "");
      case Kind::kTaskEnded:
        return EndAsync(event, Row::kTasks, "");
      case Kind::kOperationBegin:
        return BeginAsync(event, Row::kOperations,
                          absl::StrCat(",\"args\":{\"fd\":", event.value, "}"));
      case Kind::kOperationEnd:
        return EndAsync(
            event, Row::kOperations,
            absl::StrCat(",\"args\":{\"result\":", event.value, "}"));
    }
  }

  void BeginSlice(const TraceEvent& event, std::string_view name,
                  std::string_view args) {
    ++depth_;
    absl::StrAppend(&text_, "{\"ph\":\"B\",\"cat\":\"loop\",\"name\":",
                    JsonString(name), Place(), Time(event.at), args, "},\n");
  }
  void EndSlice(MonotonicTime at) {
    --depth_;
    absl::StrAppend(&text_, "{\"ph\":\"E\"", Place(), Time(at), "},\n");
  }
  void EndSlices(MonotonicTime at) {
    while (depth_ > 0) EndSlice(at);
  }

  void BeginAsync(const TraceEvent& event, Row row, std::string_view args) {
    const bool is_new = open_.insert({{row, event.id}, &event}).second;
    if (is_new) Async('b', event, event.at, row, args);
  }
  void EndAsync(const TraceEvent& event, Row row, std::string_view args) {
    if (open_.erase({row, event.id}) > 0)
      Async('e', event, event.at, row, args);
  }
  void Async(char phase, const TraceEvent& event, MonotonicTime at, Row row,
             std::string_view args) {
    const bool of_task = row == Row::kTasks;
    absl::StrAppend(
        &text_, "{\"ph\":\"", std::string_view(&phase, 1), "\",\"cat\":\"",
        of_task ? "task" : "operation", "\",\"id\":\"", number_,
        of_task ? IdOf(event) : absl::StrCat("/", event.id),
        "\",\"name\":", JsonString(NameOf(event)), Place(), Time(at));
    absl::StrAppend(&text_, args, "},\n");
  }

  void EndAll(MonotonicTime at) {
    EndSlices(at);
    for (const auto& [key, begin] : open_)
      Async('e', *begin, at, key.first, "");
  }

  static std::string_view NameOf(const TraceEvent& event) {
    const std::string_view name = event.name.data();
    return name.empty() ? "task" : name;
  }
  // As in a dump of tasks.
  static std::string IdOf(const TraceEvent& task) {
    return absl::StrCat("#", static_cast<uint32_t>(task.id), ".",
                        task.id >> 32);
  }
  std::string Place() const {
    return absl::StrCat(",\"pid\":", getpid(), ",\"tid\":", number_);
  }
  // In microseconds.
  static std::string Time(MonotonicTime at) {
    return absl::StrFormat(",\"ts\":%d.%03d", at.nanoseconds() / 1000,
                           at.nanoseconds() % 1000);
  }

  const TraceLog& log_;
  const size_t number_;
  std::string& text_;
  int depth_ = 0;  // slices that have not ended
  std::map<std::pair<Row, uint64_t>, const TraceEvent*> open_;
};

}  // namespace

std::string ChromeTrace(std::span<const TraceLog> logs) {
  std::string text = "{\"traceEvents\":[\n";
  for (size_t i = 0; i < logs.size(); ++i)
    LogWriter(logs[i], i + 1, text).Write();
  absl::StrAppend(
      &text, "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":", getpid(),
      ",\"args\":{\"name\":\"ringway\"}}\n", "],\"displayTimeUnit\":\"ns\"}\n");
  return text;
}

absl::Status WriteChromeTrace(const std::string& path,
                              std::span<const TraceRecorder* const> recorders) {
  std::vector<TraceLog> logs;
  logs.reserve(recorders.size());
  for (const TraceRecorder* recorder : recorders)
    logs.push_back(recorder->Log());
  const std::string text = ChromeTrace(logs);
  FILE* file = fopen(path.c_str(), "we");
  bool written = file != nullptr;
  if (written) {
    written = fwrite(text.data(), 1, text.size(), file) == text.size();
    const int errnum = errno;
    if (fclose(file) != 0) {
      written = false;
    } else {
      errno = errnum;
    }
  }
  if (written) return absl::OkStatus();
  return ErrnoToStatus(errno, absl::StrCat("writing the trace ", path));
}

absl::Status WriteChromeTrace(
    const std::string& path,
    std::initializer_list<const TraceRecorder*> recorders) {
  return WriteChromeTrace(path, std::span(recorders.begin(), recorders.size()));
}

}  // namespace ringway
