// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/bench/peers/peer.h"

#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace peer {
namespace {

[[noreturn]] void Usage(const char* program, const std::string& problem) {
  fprintf(stderr, "%s: %s\nusage: %s [--listen=ADDRESS:PORT] [--pin=CPU]\n",
          program, problem.c_str(), program);
  exit(2);
}

struct Flags {
  std::string listen = "127.0.0.1:7878";
  int pin = -1;
};

Flags Parse(int argc, char** argv) {
  static const option kOptions[] = {{"listen", required_argument, nullptr, 'l'},
                                    {"pin", required_argument, nullptr, 'p'},
                                    {}};
  Flags flags;
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    char* end = nullptr;
    switch (c) {
      case 'l':
        flags.listen = optarg;
        break;
      case 'p':
        flags.pin = static_cast<int>(strtol(optarg, &end, 10));
        if (end == optarg || *end != '\0')
          Usage(argv[0], std::string(optarg) + " is no CPU");
        break;
      default:
        Usage(argv[0], "there is a flag that it does not have");
    }
  }
  if (optind < argc) Usage(argv[0], "there is more than flags");
  return flags;
}

// "127.0.0.1:80" or "[::1]:80".
addrinfo* Resolve(const char* program, const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) Usage(program, text + " has no port");
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), text.substr(colon + 1).c_str(), &hints,
                  &found) != 0)
    Usage(program, text + " is no address");
  return found;
}

void PinTo(int cpu) {
  if (cpu < 0) return;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0) Die("pin");
}

void PrintAddressOf(int fd) {
  sockaddr_storage address;
  socklen_t length = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (getsockname(fd, any, &length) != 0) Die("getsockname");
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(any, length, host, sizeof(host), port, sizeof(port),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    Die("getnameinfo");
  const bool v6 = address.ss_family == AF_INET6;
  printf("listening on %s%s%s:%s\n", v6 ? "[" : "", host, v6 ? "]" : "", port);
  fflush(stdout);
}

}  // namespace

void Die(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

int ListenAsTold(int argc, char** argv) {
  const Flags flags = Parse(argc, argv);
  addrinfo* address = Resolve(argv[0], flags.listen);
  PinTo(flags.pin);
  const int fd =
      socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) Die("socket");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // inherited
  if (bind(fd, address->ai_addr, address->ai_addrlen) != 0) Die("bind");
  if (listen(fd, 4096) != 0) Die("listen");
  freeaddrinfo(address);
  PrintAddressOf(fd);
  return fd;
}

int CatchTermination() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) Die("signalfd");
  return fd;
}

}  // namespace peer
