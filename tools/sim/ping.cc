// SPDX-License-Identifier: Apache-2.0
//
// The ping scenario: tokens go round between four loops, as messages.

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/tools/sim/operations.h"
#include "ringway/tools/sim/scenarios.h"

namespace ringway::simulation {
namespace {

constexpr size_t kPlayers = 4;
constexpr int kTokens = 3;
constexpr int kHops = 40;

struct Token {
  int hops_left = 0;
  size_t sender = 0;
  uint64_t sequence = 0;  // counts the messages from the sender to the receiver
};

// Tokens that one player has received.
class Mailbox {
 public:
  explicit Mailbox(Trial& trial) : trial_(trial) {}

  void Put(const Token& token) {
    tokens_.push_back(token);
    news_.Set();
  }

  // Takes the next one; false if the task is cancelled.
  Task<bool> Take(Token& token) {
    while (tokens_.empty()) {
      if (trial_.has(Bug::kLostWakeUp)) co_await Nop();
      news_.Reset();
      const absl::Status waited = co_await news_.Wait();
      if (!waited.ok()) co_return false;
    }
    token = tokens_.front();
    tokens_.pop_front();
    co_return true;
  }

 private:
  Trial& trial_;
  std::deque<Token> tokens_;
  Event news_;
};

// Every token makes all its hops, faults or not, and the messages of each
// sender arrive in order.
class PingRun {
 public:
  explicit PingRun(Trial& trial) : trial_(trial) {
    for (Player& player : players_) {
      player.host = &trial_.AddMachine();
      player.mailbox = std::make_unique<Mailbox>(trial_);
    }
  }

  // Tasks left waiting by a bug are destroyed before the objects they wait
  // for.
  ~PingRun() {
    playing_.clear();
    trial_.simulation().DestroyHosts();
  }

  absl::Status Run() {
    for (size_t i = 0; i < kPlayers; ++i) {
      playing_.push_back(players_[i].host->executor().Spawn(Play(i)));
    }
    for (int i = 0; i < kTokens; ++i) SendOn({kHops}, 0);
    absl::Status status = trial_.simulation().RunUntil(
        [this] { return tokens_done_ == kTokens; });
    if (!status.ok()) return status;
    for (JoinHandle<absl::Status>& player : playing_) player.Cancel();
    status = trial_.simulation().RunUntil([this] { return EverybodyDone(); });
    if (!status.ok()) return status;
    for (JoinHandle<absl::Status>& player : playing_) {
      if (absl::Status s = player.TakeResult(); !s.ok()) return s;
    }
    if (hops_ != kTokens * kHops) {
      return absl::DataLossError(absl::StrCat(hops_, " hops"));
    }
    return trial_.Finish();
  }

 private:
  struct Player {
    SimulatedHost* host = nullptr;
    std::unique_ptr<Mailbox> mailbox;
    std::array<uint64_t, kPlayers> sent_to = {};
    std::array<uint64_t, kPlayers> received_from = {};
  };

  Task<absl::Status> Play(size_t self) {
    Token token;
    while (co_await players_[self].mailbox->Take(token)) {
      uint64_t& expected = players_[self].received_from[token.sender];
      if (token.sequence != expected++) {
        co_return absl::DataLossError("messages out of order");
      }
      // Waits sometimes, so that messages arrive at all times.
      if (trial_.rng().Chance(0.3)) co_await Nop();
      if (trial_.rng().Chance(0.3)) {
        static_cast<void>(co_await Sleep(
            trial_.rng().Between(absl::ZeroDuration(), absl::Milliseconds(2))));
      }
      ++hops_;
      if (--token.hops_left > 0) {
        SendOn(token, self);
      } else {
        ++tokens_done_;
      }
    }
    co_return absl::OkStatus();
  }

  // Sends to a random player, from `self`.
  void SendOn(Token token, size_t self) {
    const size_t to = trial_.rng().Below(kPlayers);
    Mailbox* mailbox = players_[to].mailbox.get();
    token.sender = self;
    token.sequence = players_[self].sent_to[to]++;
    static_cast<void>(players_[to].host->loop().inbox()->Post(
        [mailbox, token] { mailbox->Put(token); }));
  }

  bool EverybodyDone() const {
    for (const JoinHandle<absl::Status>& player : playing_) {
      if (!player.done()) return false;
    }
    return true;
  }

  Trial& trial_;
  std::array<Player, kPlayers> players_;
  std::vector<JoinHandle<absl::Status>> playing_;
  int tokens_done_ = 0;
  int hops_ = 0;
};

}  // namespace

Verdict RunPing(const Options& options) { return VerdictOf<PingRun>(options); }

}  // namespace ringway::simulation
