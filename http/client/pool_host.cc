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
#include "ringway/http/client/http2/http2_exchange.h"
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

auto PoolHost::Begin(std::shared_ptr<PoolHost> host, bool fresh,
                     MonotonicTime deadline) -> Task<Exchange> {
  const Limits limits = {CurrentLoop().now() + host->options().place_timeout,
                         deadline};
  while (true) {
    if (host->http2_ != nullptr && !host->http2_->accepts())
      host->http2_.reset();  // it ends by itself
    Task<Exchange> begin = host->http2_ != nullptr ? BeginHttp2(host, limits)
                           : host->MayBeHttp2()
                               ? BeginUnknown(host, limits)
                               : BeginHttp1(host, fresh, limits);
    Exchange exchange = co_await std::move(begin);
    if (!exchange.ok() || *exchange != nullptr) co_return exchange;
  }
}

auto PoolHost::BeginHttp2(std::shared_ptr<PoolHost> host, Limits limits)
    -> Task<Exchange> {
  const std::shared_ptr<Http2ClientState> connection = host->http2_;
  Task<absl::StatusOr<SemaphorePermit>> wait =
      host->WaitForPlace(connection->places(), limits);
  absl::StatusOr<SemaphorePermit> place = co_await std::move(wait);
  if (!connection->accepts() &&
      (place.ok() || absl::IsUnavailable(place.status()))) {
    co_return nullptr;
  }
  if (!place.ok()) co_return place.status();
  if (connection->n_calls() > 0) ++host->state_->statistics.reused;
  co_return std::make_unique<Http2Exchange>(host->state_, connection,
                                            *std::move(place));
}

// One at a time: the others might share its connection.
auto PoolHost::BeginUnknown(std::shared_ptr<PoolHost> host, Limits limits)
    -> Task<Exchange> {
  Task<absl::StatusOr<SemaphorePermit>> turn =
      host->WaitForPlace(host->connecting_, limits);
  const absl::StatusOr<SemaphorePermit> lock = co_await std::move(turn);
  if (!lock.ok()) co_return lock.status();
  if (host->http2_ != nullptr || !host->MayBeHttp2()) co_return nullptr;
  Task<absl::StatusOr<NewConnection>> make =
      MakeConnection(host->state_->options, host->url_, limits.request);
  absl::StatusOr<NewConnection> made = co_await std::move(make);
  if (!made.ok()) co_return made.status();
  ++host->state_->statistics.connections;
  if (made->http2 != nullptr) {
    KeepHttp2(host, std::move(made->http2));
    co_return nullptr;
  }
  host->is_http1_ = true;
  Http1Lease lease;
  lease.host = host;
  Task<absl::StatusOr<SemaphorePermit>> wait =
      host->WaitForPlace(host->places_, limits);
  absl::StatusOr<SemaphorePermit> place = co_await std::move(wait);
  if (!place.ok()) co_return place.status();
  lease.place = *std::move(place);
  lease.connection = std::move(made->http1);
  co_return std::make_unique<Http1Exchange>(std::move(lease));
}

void PoolHost::KeepHttp2(const std::shared_ptr<PoolHost>& host,
                         std::shared_ptr<Http2ClientState> connection) {
  connection->OnEnd(
      [weak_host = std::weak_ptr<PoolHost>(host), ended = connection.get()] {
        const std::shared_ptr<PoolHost> of_host = weak_host.lock();
        if (of_host != nullptr && of_host->http2_.get() == ended)
          of_host->http2_.reset();
      });
  host->http2_ = std::move(connection);
}

auto PoolHost::BeginHttp1(std::shared_ptr<PoolHost> host, bool fresh,
                          Limits limits) -> Task<Exchange> {
  Http1Lease lease;
  lease.host = host;
  Task<absl::StatusOr<SemaphorePermit>> wait =
      host->WaitForPlace(host->places_, limits);
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
  if (lease.reused) {
    ++host->state_->statistics.reused;
  } else {
    Task<absl::StatusOr<NewConnection>> make =
        MakeConnection(host->state_->options, host->url_, limits.request);
    absl::StatusOr<NewConnection> made = co_await std::move(make);
    if (!made.ok()) co_return made.status();
    ++host->state_->statistics.connections;
    if (made->http2 != nullptr) {  // the server has changed its mind
      host->is_http1_ = false;
      KeepHttp2(host, std::move(made->http2));
      co_return nullptr;
    }
    lease.connection = std::move(made->http1);
  }
  co_return std::make_unique<Http1Exchange>(std::move(lease));
}

Task<absl::StatusOr<SemaphorePermit>> PoolHost::WaitForPlace(Semaphore& places,
                                                             Limits limits) {
  std::optional<SemaphorePermit> free = places.TryAcquire();
  if (free.has_value()) co_return *std::move(free);
  if (n_waiting_ >= options().max_waiting_per_host) {
    co_return absl::ResourceExhaustedError(
        absl::StrCat("ClientOptions::max_waiting_per_host: ", n_waiting_,
                     " requests wait for a connection to ", url_.authority));
  }
  const Counted counted(n_waiting_);
  absl::StatusOr<SemaphorePermit> place = co_await WithDeadline(
      std::min(limits.place, limits.request), places.Acquire());
  if (absl::IsDeadlineExceeded(place.status())) {
    co_return absl::DeadlineExceededError(absl::StrCat(
        "no connection to ", url_.authority, " within ClientOptions::",
        limits.request < limits.place ? "request_timeout" : "place_timeout"));
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
  if (http2_ != nullptr) http2_->Retire();
}

}  // namespace ringway::http::internal
