// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/trace_recorder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/core/check_option.h"

namespace ringway {
namespace {

uint64_t TraceIdOf(SlabKey task) {
  return uint64_t{task.generation} << 32 | task.index;
}

}  // namespace

absl::Status CheckTraceOptions(const TraceOptions& options) {
  for (const absl::Status& status : {
           CheckOption("TraceOptions::max_events", options.max_events, 1,
                       kMostTraceEvents),
           CheckOption("TraceOptions::max_operations", options.max_operations,
                       1, kMostTracedOperations),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

TraceRecorder::TraceRecorder(std::string name, const TraceOptions& options)
    : name_(std::move(name)), options_(Valid(options, &CheckTraceOptions)) {
  events_.reserve(options_.max_events);
  // With twice the room the table never grows, whatever is erased.
  operations_.reserve(2 * options_.max_operations);
}

TraceRecorder::~TraceRecorder() {
  RINGWAY_CHECK(clock_ == nullptr,
                "the TraceRecorder \"%s\" was destroyed while a loop uses it",
                name_.c_str());
}

TraceLog TraceRecorder::Log() const {
  TraceLog log;
  log.name = name_;
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t oldest = n_added_ % options_.max_events;
  log.events.reserve(events_.size());
  if (n_added_ > events_.size()) {
    log.events.insert(log.events.end(), events_.begin() + oldest,
                      events_.end());
    log.events.insert(log.events.end(), events_.begin(),
                      events_.begin() + oldest);
  } else {
    log.events = events_;
  }
  log.dropped = n_added_ - events_.size() + operations_dropped_;
  return log;
}

uint64_t TraceRecorder::dropped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return n_added_ - events_.size() + operations_dropped_;
}

void TraceRecorder::Attach(const Clock& clock) {
  RINGWAY_CHECK(clock_ == nullptr,
                "the TraceRecorder \"%s\" is used by two loops", name_.c_str());
  clock_ = &clock;
}

void TraceRecorder::Detach() {
  EndOperations();
  clock_ = nullptr;
}

void TraceRecorder::Add(TraceEvent::Kind kind, MonotonicTime at, uint64_t id,
                        std::string_view name, int32_t value) {
  TraceEvent event;
  event.at = at;
  event.id = id;
  event.value = value;
  event.kind = kind;
  const size_t n = std::min(name.size(), TraceEvent::kMaxName);
  if (n > 0) memcpy(event.name.data(), name.data(), n);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (events_.size() < options_.max_events) {
    events_.push_back(event);  // has been reserved
  } else {
    events_[n_added_ % options_.max_events] = event;
  }
  ++n_added_;
}

void TraceRecorder::BeginTurn(MonotonicTime now) {
  Add(TraceEvent::Kind::kTurnBegin, now);
}

void TraceRecorder::EndTurn() {
  Add(TraceEvent::Kind::kTurnEnd, clock_->Now());
}

void TraceRecorder::TaskSpawned(SlabKey task, std::string_view name) {
  Add(TraceEvent::Kind::kTaskSpawned, clock_->Now(), TraceIdOf(task), name);
}

void TraceRecorder::TaskEnded(SlabKey task, std::string_view name) {
  Add(TraceEvent::Kind::kTaskEnded, clock_->Now(), TraceIdOf(task), name);
}

void TraceRecorder::BeginResume(MonotonicTime now, SlabKey task,
                                std::string_view name) {
  Add(TraceEvent::Kind::kResumeBegin, now, TraceIdOf(task), name);
}

void TraceRecorder::EndResume(MonotonicTime now) {
  Add(TraceEvent::Kind::kResumeEnd, now);
}

void TraceRecorder::BeginOperation(Operation& operation) {
  const Runnable& end = EndOf(operation);
  const auto known = operations_.find(&end);
  if (known != operations_.end()) return;
  if (operations_.size() >= options_.max_operations) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++operations_dropped_;
    return;
  }
  const uint64_t id = ++last_operation_;
  operations_[&end] = {id, operation.opcode, end.function()};
  Add(TraceEvent::Kind::kOperationBegin, clock_->Now(), id,
      OpCodeName(operation.opcode), operation.fd);
}

void TraceRecorder::EndOperation(Runnable& entry) {
  const auto found = operations_.find(&entry);
  if (found == operations_.end()) return;
  const OpenOperation open = found->second;
  int32_t result = 0;
  // An owner may unlink a completed operation and destroy it: then this entry
  // is another one.
  if (open.function == entry.function()) {
    const Operation& operation =
        Delivers(open.opcode)
            ? *static_cast<DeliveringOperation::Notice&>(entry).operation
            : static_cast<const Operation&>(entry);
    if (operation.state != OpState::kDone) return;  // a delivery, not the end
    result = operation.result;
  }
  operations_.erase(found);
  Add(TraceEvent::Kind::kOperationEnd, clock_->Now(), open.id,
      OpCodeName(open.opcode), result);
}

void TraceRecorder::EndOperations() {
  for (const auto& [end, open] : operations_) {
    Add(TraceEvent::Kind::kOperationEnd, clock_->Now(), open.id,
        OpCodeName(open.opcode));
  }
  operations_.clear();
}

}  // namespace ringway
