// SPDX-License-Identifier: Apache-2.0
//
// Asks the name server of dns_test.py, and checks what it answers; prints what
// went wrong, and exits with 1 then.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/pools/resolver/host_resolver.h"

namespace ringway {
namespace {

int n_failed = 0;

void Expect(bool holds, const std::string& what) {
  if (holds) return;
  printf("FAILED: %s\n", what.c_str());
  ++n_failed;
}

std::string TextOf(const HostAddress& host) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (host.address.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(host.address);
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
  } else {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(host.address);
    inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof(text));
  }
  return text;
}

using Texts = std::set<std::string>;

Task<absl::StatusOr<Texts>> Ask(HostResolver& resolver, std::string host) {
  const absl::StatusOr<HostAddresses> found =
      co_await resolver.LookUp(std::move(host));
  if (!found.ok()) co_return found.status();
  Texts texts;
  for (const HostAddress& address : **found) texts.insert(TextOf(address));
  co_return texts;
}

Task<void> CheckAnswers(HostResolver& resolver) {
  const absl::StatusOr<Texts> all = co_await Ask(resolver, "all.test");
  Expect(all.ok() && *all == Texts({"192.0.2.1", "192.0.2.2", "2001:db8::1"}),
         absl::StrCat("all.test: ", all.status().ToString()));
  const absl::StatusOr<Texts> none = co_await Ask(resolver, "none.test");
  Expect(absl::IsNotFound(none.status()),
         absl::StrCat("none.test: ", none.status().ToString()));
}

HostAddress AddressOf(const char* text) {
  HostAddress host;
  auto& four = reinterpret_cast<sockaddr_in&>(host.address);
  auto& six = reinterpret_cast<sockaddr_in6&>(host.address);
  if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    host.n_bytes = sizeof(four);
  } else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    host.n_bytes = sizeof(six);
  }
  return host;
}

Task<void> CheckNames(HostResolver& resolver) {
  const std::pair<const char*, const char*> names[] = {
      {"192.0.2.1", "four.test"}, {"2001:db8::1", "six.test"}};
  for (const auto& [address, name] : names) {
    const absl::StatusOr<std::string> found =
        co_await resolver.NameOf(AddressOf(address));
    Expect(found.ok() && *found == name,
           absl::StrCat(address, ": ", found.status().ToString()));
  }
  const absl::StatusOr<std::string> none =
      co_await resolver.NameOf(AddressOf("192.0.2.9"));
  Expect(absl::IsNotFound(none.status()),
         absl::StrCat("192.0.2.9: ", none.status().ToString()));
}

// One that is not answered holds up neither others nor its own caller.
Task<void> CheckStalled(HostResolver& resolver) {
  JoinHandle<absl::StatusOr<Texts>> stalled =
      Spawn(Ask(resolver, "stalled.test"));
  static_cast<void>(co_await Sleep(absl::Milliseconds(20)));
  const absl::Time begin = absl::Now();
  const absl::StatusOr<Texts> fast = co_await Ask(resolver, "7.test");
  Expect(fast.ok() && *fast == Texts({"192.0.2.7"}),
         absl::StrCat("7.test: ", fast.status().ToString()));
  Expect(absl::Now() - begin < absl::Seconds(1), "7.test was held up");
  const absl::Time asked = absl::Now();
  const absl::Status late =
      (co_await WithTimeout(absl::Milliseconds(50),
                            Ask(resolver, "stalled.test")))
          .status();
  const absl::Duration took = absl::Now() - asked;
  Expect(absl::IsDeadlineExceeded(late), late.ToString());
  printf("a deadline of 50 ms was over after %s\n",
         absl::FormatDuration(took).c_str());
  Expect(resolver.stats().shared == 1, "stalled.test was looked up twice");
  stalled.Cancel();
  static_cast<void>(co_await stalled);
}

Task<void> CheckMany(HostResolver& resolver, int n) {
  constexpr int kAtATime = 64;
  int n_right = 0;
  for (int first = 0; first < n; first += kAtATime) {
    std::vector<JoinHandle<absl::StatusOr<Texts>>> asking;
    for (int i = first; i < std::min(n, first + kAtATime); ++i)
      asking.push_back(Spawn(Ask(resolver, absl::StrCat(i % 200, ".test"))));
    for (size_t i = 0; i < asking.size(); ++i) {
      const absl::StatusOr<Texts> found = co_await asking[i];
      const int number = (first + static_cast<int>(i)) % 200;
      if (found.ok() && *found == Texts({absl::StrCat("192.0.2.", number)}))
        ++n_right;
    }
  }
  Expect(n_right == n, absl::StrCat(n_right, " of ", n, " answers are right"));
}

Task<void> CheckAll(HostResolver& resolver) {
  co_await CheckAnswers(resolver);
  co_await CheckNames(resolver);
  co_await CheckStalled(resolver);
  co_await CheckMany(resolver, 10'000);
}

int Main() {
  HostResolverOptions options;
  options.max_threads = 8;
  const std::unique_ptr<HostResolver> resolver = *HostResolver::Create(options);
  const std::unique_ptr<Executor> executor = *Executor::Create();
  Expect(executor->Run(CheckAll(*resolver)).ok(), "the tasks ended");
  const HostResolverStats stats = resolver->stats();
  printf("%llu asked, %llu shared, %llu threads at most, longest turn %s\n",
         static_cast<unsigned long long>(stats.asked),
         static_cast<unsigned long long>(stats.shared),
         static_cast<unsigned long long>(stats.pool.most_threads),
         absl::FormatDuration(executor->stats().longest_turn).c_str());
  printf("%s\n", n_failed == 0 ? "PASS" : "FAIL");
  fflush(stdout);
  // The one that is not answered would be waited for.
  _exit(n_failed == 0 ? 0 : 1);
}

}  // namespace
}  // namespace ringway

int main() { return ringway::Main(); }
