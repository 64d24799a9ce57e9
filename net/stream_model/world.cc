// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/world.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ringway::net::model {
namespace {

std::string_view TransportName(Transport transport) {
  switch (transport) {
    case Transport::kTcp4:
      return "tcp4";
    case Transport::kTcp6:
      return "tcp6";
    case Transport::kUnix:
      return "unix";
    case Transport::kAdopted:
      return "adopted";
  }
  return "?";
}

std::string_view SecurityName(Security security) {
  switch (security) {
    case Security::kNone:
      return "";
    case Security::kTls12:
      return ", TLS 1.2";
    case Security::kTls13:
      return ", TLS 1.3";
  }
  return "?";
}

EndRules RulesOf(const PairPlan& pair) {
  EndRules rules;
  rules.shows_resets =
      pair.transport == Transport::kTcp4 || pair.transport == Transport::kTcp6;
  rules.shows_cuts = pair.security != Security::kNone;
  return rules;
}

std::string NameOf(const Plan& plan, size_t index, size_t sender) {
  const PairPlan& pair = plan.pairs[index];
  return absl::StrCat("pair ", index, " (", TransportName(pair.transport),
                      SecurityName(pair.security),
                      pair.small_send_buffer ? ", small buffers" : "",
                      "), from side ", sender, " on worker ",
                      pair.workers[sender], " to worker ",
                      pair.workers[1 - sender]);
}

Direction MakeDirection(Ledger& ledger, const Plan& plan, size_t index,
                        size_t sender) {
  return Direction(ledger, NameOf(plan, index, sender),
                   Mix(plan.seed ^ Mix(index * 2 + sender)),
                   RulesOf(plan.pairs[index]));
}

}  // namespace

Pair::Pair(Ledger& ledger, const Plan& plan, size_t index)
    : directions{MakeDirection(ledger, plan, index, 0),
                 MakeDirection(ledger, plan, index, 1)} {}

World::World(const Plan& p)
    : plan(p),
      workers(p.workers),
      told(p.pairs.size() * 4),
      heard(p.pairs.size() * 4) {
  for (size_t i = 0; i < p.pairs.size(); ++i) {
    pairs.push_back(std::make_unique<Pair>(ledger, p, i));
  }
}

std::string World::Describe() const {
  std::string text = absl::StrCat(plan.Describe(), "\n");
  for (const std::unique_ptr<Pair>& pair : pairs) {
    for (const Direction& direction : pair->directions) {
      absl::StrAppend(&text, "  ", direction.Describe(), "\n");
    }
  }
  return text;
}

void World::CheckOutcome() {
  if (failed_to_start || cut_short()) return;
  for (const std::unique_ptr<Pair>& pair : pairs) {
    pair->directions[0].CheckOutcome(pair->directions[1]);
    pair->directions[1].CheckOutcome(pair->directions[0]);
  }
  for (size_t i = 0; i < told.size(); ++i) {
    if (told[i] != heard[i])
      Fail(absl::StrCat(told[i].load(), " notes of teller ", i,
                        " were sent and ", heard[i].load(), " heard"));
  }
}

}  // namespace ringway::net::model
