// SPDX-License-Identifier: Apache-2.0
//
// Load for UDP echo servers by hand: keeps a number of datagrams in flight on
// one socket, checks every reply, and prints what tools/bench/echo_compare.py
// reads. Takes the flags of tools/loadgen that it uses.

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ringway/tools/bench/peers/peer.h"

namespace {

constexpr int kLostAfterMs = 200;
constexpr size_t kBatch = 64;

struct Flags {
  std::string connect;
  size_t in_flight = 32;
  size_t size = 64;
  int64_t duration_ns = 2'000'000'000;
  int64_t warmup_ns = 500'000'000;
  int pin = -1;
  pid_t server = 0;
};

[[noreturn]] void Usage(const char* program, const std::string& problem) {
  fprintf(stderr,
          "%s: %s\nusage: %s --connect=ADDRESS:PORT [--connections=IN_FLIGHT] "
          "[--size=BYTES] [--duration=1s] [--warmup=500ms] [--pin=CPU] "
          "[--server-pid=PID]\n",
          program, problem.c_str(), program);
  exit(2);
}

// "2s" or "500ms".
int64_t Nanoseconds(const char* program, const char* text) {
  char* unit = nullptr;
  const double value = strtod(text, &unit);
  if (unit != text && value >= 0 && strcmp(unit, "s") == 0)
    return static_cast<int64_t>(value * 1e9);
  if (unit != text && value >= 0 && strcmp(unit, "ms") == 0)
    return static_cast<int64_t>(value * 1e6);
  Usage(program, std::string(text) + " is no time");
}

int64_t Number(const char* program, const char* text, int64_t least,
               int64_t most) {
  char* end = nullptr;
  const int64_t value = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || value < least || value > most)
    Usage(program, std::string(text) + " is out of range");
  return value;
}

Flags Parse(int argc, char** argv) {
  static const option kOptions[] = {
      {"connect", required_argument, nullptr, 'c'},
      {"connections", required_argument, nullptr, 'n'},
      {"size", required_argument, nullptr, 's'},
      {"duration", required_argument, nullptr, 'd'},
      {"warmup", required_argument, nullptr, 'w'},
      {"pin", required_argument, nullptr, 'p'},
      {"server-pid", required_argument, nullptr, 'S'},
      {"pipeline", required_argument, nullptr, 'i'},
      {"json", no_argument, nullptr, 'j'},
      {}};
  Flags flags;
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (c) {
      case 'c':
        flags.connect = optarg;
        break;
      case 'n':
        flags.in_flight =
            static_cast<size_t>(Number(argv[0], optarg, 1, 1'000));
        break;
      case 's':
        flags.size = static_cast<size_t>(Number(argv[0], optarg, 24, 65'507));
        break;
      case 'd':
        flags.duration_ns = Nanoseconds(argv[0], optarg);
        break;
      case 'w':
        flags.warmup_ns = Nanoseconds(argv[0], optarg);
        break;
      case 'p':
        flags.pin = static_cast<int>(Number(argv[0], optarg, 0, 1'023));
        break;
      case 'S':
        flags.server = static_cast<pid_t>(Number(argv[0], optarg, 1, 1 << 30));
        break;
      case 'i':
      case 'j':
        break;  // there is no pipeline, and no other output
      default:
        Usage(argv[0], "there is a flag that it does not have");
    }
  }
  if (flags.connect.empty()) Usage(argv[0], "--connect is missing");
  return flags;
}

int64_t Now(clockid_t clock = CLOCK_MONOTONIC) {
  timespec time;
  if (clock_gettime(clock, &time) != 0) peer::Die("clock_gettime");
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

int Connect(const Flags& flags, const char* program) {
  const size_t colon = flags.connect.rfind(':');
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  if (colon == std::string::npos ||
      inet_pton(AF_INET, flags.connect.substr(0, colon).c_str(),
                &address.sin_addr) != 1)
    Usage(program, flags.connect + " is no IPv4 address with a port");
  address.sin_port = htons(static_cast<uint16_t>(
      Number(program, flags.connect.c_str() + colon + 1, 1, 65'535)));
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) peer::Die("socket");
  const int room = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    peer::Die("connect");
  return fd;
}

// A datagram begins with its slot, its number and when it was sent; the rest
// follows from these.
struct Head {
  uint64_t slot;
  uint64_t number;
  int64_t sent_at;
};

class Load {
 public:
  Load(const Flags& flags, int fd)
      : flags_(flags), fd_(fd), numbers_(flags.in_flight) {
    for (size_t i = 0; i < kBatch; ++i) {
      buffers_[i].resize(flags.size);
      parts_[i] = {buffers_[i].data(), buffers_[i].size()};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void Run() {
    for (size_t slot = 0; slot < flags_.in_flight; ++slot)
      to_send_.push_back(slot);
    RunFor(flags_.warmup_ns);
    latencies_.clear();
    n_lost_ = n_wrong_ = 0;
    clockid_t server_clock = 0;
    if (flags_.server != 0 &&
        clock_getcpuclockid(flags_.server, &server_clock) != 0)
      peer::Die("clock_getcpuclockid");
    const int64_t server = flags_.server != 0 ? Now(server_clock) : 0;
    const int64_t client = Now(CLOCK_PROCESS_CPUTIME_ID);
    const int64_t start = Now();
    RunFor(flags_.duration_ns);
    const double ns = static_cast<double>(Now() - start);
    Print(ns, static_cast<double>(Now(CLOCK_PROCESS_CPUTIME_ID) - client),
          flags_.server != 0 ? static_cast<double>(Now(server_clock) - server)
                             : 0);
  }

 private:
  void RunFor(int64_t ns) {
    const int64_t end = Now() + ns;
    while (Now() < end) {
      SendAll();
      ReceiveSome();
    }
  }

  void SendAll() {
    while (!to_send_.empty()) {
      const size_t n = std::min(to_send_.size(), kBatch);
      for (size_t i = 0; i < n; ++i) {
        const size_t slot = to_send_[i];
        const Head head = {slot, ++numbers_[slot], Now()};
        memset(buffers_[i].data(), static_cast<int>(head.number), flags_.size);
        memcpy(buffers_[i].data(), &head, sizeof(head));
      }
      const int sent =
          sendmmsg(fd_, messages_.data(), static_cast<unsigned>(n), 0);
      if (sent < 0) peer::Die("sendmmsg");
      to_send_.erase(to_send_.begin(), to_send_.begin() + sent);
    }
  }

  void ReceiveSome() {
    pollfd polled = {fd_, POLLIN, 0};
    if (poll(&polled, 1, kLostAfterMs) == 0) {
      // Whatever is in flight is lost.
      for (size_t slot = 0; slot < flags_.in_flight; ++slot)
        to_send_.push_back(slot);
      n_lost_ += flags_.in_flight;
      return;
    }
    const int n =
        recvmmsg(fd_, messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (n < 0 && errno != EAGAIN) peer::Die("recvmmsg");
    const int64_t now = Now();
    for (int i = 0; i < n; ++i) {
      const std::vector<char>& buffer = buffers_[static_cast<size_t>(i)];
      Head head;
      memcpy(&head, buffer.data(), sizeof(head));
      const bool late =
          head.slot >= numbers_.size() || head.number != numbers_[head.slot];
      if (late) continue;  // it was counted as lost
      if (messages_[static_cast<size_t>(i)].msg_len != flags_.size ||
          buffer.back() != static_cast<char>(flags_.size > sizeof(head)
                                                 ? head.number
                                                 : head.sent_at >> 56))
        ++n_wrong_;
      latencies_.push_back(now - head.sent_at);
      to_send_.push_back(head.slot);
    }
  }

  double Percentile(double share) {
    if (latencies_.empty()) return 0;
    const size_t at = std::min(
        latencies_.size() - 1,
        static_cast<size_t>(share * static_cast<double>(latencies_.size())));
    std::nth_element(latencies_.begin(),
                     latencies_.begin() + static_cast<std::ptrdiff_t>(at),
                     latencies_.end());
    return static_cast<double>(latencies_[at]) / 1e3;
  }

  void Print(double ns, double client, double server) {
    const double n =
        std::max<double>(1, static_cast<double>(latencies_.size()));
    printf(
        "{\"requests_per_second\": %.1f, \"p50_us\": %.3f, \"p99_us\": %.3f, "
        "\"errors\": %zu, \"client_cpu_share\": %.4f, "
        "\"server_cpu_us_per_request\": %.4f}\n",
        n / ns * 1e9, Percentile(0.5), Percentile(0.99), n_lost_ + n_wrong_,
        client / ns, server / n / 1e3);
  }

  const Flags& flags_;
  const int fd_;
  std::vector<uint64_t> numbers_;  // of the datagram in flight, by slot
  std::vector<size_t> to_send_;    // slots
  std::array<std::vector<char>, kBatch> buffers_;
  std::array<iovec, kBatch> parts_;
  std::array<mmsghdr, kBatch> messages_ = {};
  std::vector<int64_t> latencies_;
  size_t n_lost_ = 0;
  size_t n_wrong_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Flags flags = Parse(argc, argv);
  if (flags.pin >= 0) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<size_t>(flags.pin), &cpus);
    if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0) peer::Die("pin");
  }
  Load(flags, Connect(flags, argv[0])).Run();
  return 0;
}
