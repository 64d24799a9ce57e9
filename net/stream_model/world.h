// SPDX-License-Identifier: Apache-2.0
//
// World: the shared state of a round: the plan, the directions, the workers'
// addresses. Local: that of one worker.

#ifndef RINGWAY_NET_STREAM_MODEL_WORLD_H_
#define RINGWAY_NET_STREAM_MODEL_WORLD_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/stream_model/ledger.h"
#include "ringway/net/stream_model/plan.h"
#include "ringway/net/stream_model/random.h"
#include "ringway/net/tcp.h"

namespace ringway::net::model {

// The sender of a note: one of the two programs of an end.
enum class Role : uint8_t { kReader, kWriter };

// A message to another worker: the `number`th of that program.
struct Note {
  size_t teller = 0;
  uint64_t number = 0;
};

struct Pair {
  Pair(Ledger& ledger, const Plan& plan, size_t index);

  Direction directions[2];  // by the side that sends
  SocketFd adopted[2];      // of Transport::kAdopted
};

struct World {
  explicit World(const Plan& plan);

  // The addresses of a worker. Written before the round begins.
  struct Worker {
    ExecutorHandle handle;
    Executor* executor = nullptr;  // for functions posted to it
    pid_t thread = 0;
    std::string ipv4 = "127.0.0.1";          // that others reach it by
    std::array<SocketAddress, 3> addresses;  // by Transport
  };

  size_t TellerOf(size_t pair, size_t side, Role role) const {
    return (pair * 2 + side) * 2 + static_cast<size_t>(role);
  }

  // The state of the directions, as text.
  std::string Describe() const;
  // After the end: checks that the bytes received are those sent.
  void CheckOutcome();
  void Fail(std::string what) { ledger.failures.Add(std::move(what)); }
  bool cut_short() const { return ledger.cut_short; }

  const Plan& plan;
  Ledger ledger;
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<Worker> workers;
  std::atomic<bool> failed_to_start{false};
  bool has_ipv6 = true;
  // Notes sent by each sender, and received from it.
  std::vector<std::atomic<uint64_t>> told;
  std::vector<std::atomic<uint64_t>> heard;
};

// State shared by the tasks of one worker. Outlives its executor.
struct Local {
  Local(World& w, size_t i) : world(w), index(i) {}

  World& world;
  const size_t index;
  std::vector<TcpListener> listeners;         // by Transport
  std::vector<SharedSender<Note>> to_others;  // by worker
  size_t ends_left = 0;
  Event all_ended;
};

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_WORLD_H_
