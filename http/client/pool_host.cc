// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/pool_host.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/http/client/http1_exchange.h"
#include "ringway/http/client/new_connection.h"

namespace ringway::http::internal {

namespace {

// Counts one while it exists.
class Counted {
 public:
  explicit Counted(size_t& n) : n_(n) { ++n_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --n_; }

 private:
  size_t& n_;
};

}  // namespace

PoolHost::PoolHost(std::shared_ptr<PoolState> state, const Url& url)
    : state_(std::move(state)),
      url_(url),
      places_(options().max_connections_per_host) {}

Task<absl::StatusOr<std::unique_ptr<ClientExchange>>> PoolHost::Begin(
    std::shared_ptr<PoolHost> host, bool fresh, MonotonicTime deadline) {
  Http1Lease lease;
  lease.host = host;
  Task<absl::StatusOr<SemaphorePermit>> wait = WaitForPlace(*host, deadline);
  absl::StatusOr<SemaphorePermit> place = co_await std::move(wait);
  if (!place.ok()) co_return place.status();
  lease.place = *std::move(place);
  if (fresh) {
    host->DropOldest();  // whose place the new one takes
  } else {
    Task<std::shared_ptr<Http1ClientState>> take = host->TakeIdle();
    lease.connection = co_await std::move(take);
    lease.reused = lease.connection != nullptr;
  }
  ClientStatistics& statistics = host->state_->statistics;
  if (lease.connection == nullptr) {
    Task<absl::StatusOr<std::shared_ptr<Http1ClientState>>> make =
        MakeConnection(host->state_->options, host->url_, deadline);
    absl::StatusOr<std::shared_ptr<Http1ClientState>> made =
        co_await std::move(make);
    if (!made.ok()) co_return made.status();
    lease.connection = *std::move(made);
    ++statistics.connections;
  } else {
    ++statistics.reused;
  }
  co_return std::make_unique<Http1Exchange>(std::move(lease));
}

Task<absl::StatusOr<SemaphorePermit>> PoolHost::WaitForPlace(
    PoolHost& host, MonotonicTime deadline) {
  std::optional<SemaphorePermit> free = host.places_.TryAcquire();
  if (free.has_value()) co_return *std::move(free);
  const ClientOptions& options = host.options();
  if (host.n_waiting_ >= options.max_waiting_per_host) {
    co_return absl::ResourceExhaustedError(absl::StrCat(
        "ClientOptions::max_waiting_per_host: ", host.n_waiting_,
        " requests wait for a connection to ", host.url_.authority));
  }
  const Counted counted(host.n_waiting_);
  const MonotonicTime limit = CurrentLoop().now() + options.place_timeout;
  absl::StatusOr<SemaphorePermit> place =
      co_await WithDeadline(std::min(limit, deadline), host.places_.Acquire());
  if (absl::IsDeadlineExceeded(place.status())) {
    co_return absl::DeadlineExceededError(absl::StrCat(
        "no connection to ", host.url_.authority, " within ClientOptions::",
        deadline < limit ? "request_timeout" : "place_timeout"));
  }
  co_return place;
}

Task<std::shared_ptr<Http1ClientState>> PoolHost::TakeIdle() {
  while (!idle_.empty()) {
    Idle newest = PopNewest();
    if (!newest.watch.valid()) continue;  // of a loop that has ended
    newest.watch.Cancel();
    {
      const Shield shield;
      (co_await newest.watch).IgnoreError();
    }
    if (newest.connection->reusable()) co_return std::move(newest.connection);
  }
  co_return nullptr;
}

PoolHost::Idle PoolHost::PopNewest() {
  Idle newest = std::move(idle_.back());
  idle_.pop_back();
  --state_->statistics.idle;
  return newest;
}

void PoolHost::DropOldest() {
  if (idle_.empty()) return;
  Idle oldest = std::move(idle_.front());
  idle_.erase(idle_.begin());
  --state_->statistics.idle;
  oldest.watch.Cancel();
  oldest.connection->Cut();
}

void PoolHost::Return(Http1Lease lease) {
  const std::shared_ptr<PoolHost> host = lease.host;
  PoolState& state = *host->state_;
  const ClientOptions& options = *state.options;
  if (state.closed || host->idle_.size() >= options.max_idle_per_host ||
      state.statistics.idle >= options.max_idle ||
      Executor::Current() == nullptr) {
    return;
  }
  Idle idle;
  idle.connection = std::move(lease.connection);
  idle.watch = Spawn(Watch(idle.connection, host, options.idle_timeout),
                     "idle HTTP connection");
  if (!idle.watch.spawn_status().ok()) return;
  host->idle_.push_back(std::move(idle));
  ++state.statistics.idle;
}

// Until the server closes the connection, or says something unasked, or it has
// been idle for too long.
Task<void> PoolHost::Watch(std::shared_ptr<Http1ClientState> connection,
                           std::weak_ptr<PoolHost> weak_host,
                           absl::Duration timeout) {
  Task<absl::Status> wait = connection->WaitIdle(timeout);
  const absl::Status ended = co_await std::move(wait);
  if (absl::IsCancelled(ended)) co_return;
  if (const std::shared_ptr<PoolHost> host = weak_host.lock())
    host->Forget(*connection);
}

void PoolHost::Forget(const Http1ClientState& connection) {
  const auto found = std::find_if(
      idle_.begin(), idle_.end(),
      [&](const Idle& idle) { return idle.connection.get() == &connection; });
  if (found == idle_.end()) return;
  idle_.erase(found);
  --state_->statistics.idle;
}

void PoolHost::Close() {
  while (!idle_.empty()) {
    Idle newest = PopNewest();
    newest.watch.Cancel();
  }
}

}  // namespace ringway::http::internal
