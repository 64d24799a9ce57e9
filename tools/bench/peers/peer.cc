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
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace peer {

void Die(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

namespace {

[[noreturn]] void Usage(const char* program, const std::string& problem) {
  fprintf(stderr,
          "%s: %s\nusage: %s [--listen=ADDRESS:PORT|unix:PATH] [--pin=CPU]\n"
          "uring_echo also has [--spin=MICROSECONDS], before it blocks\n",
          program, problem.c_str(), program);
  exit(2);
}

struct Flags {
  std::string listen = "127.0.0.1:7878";
  int pin = -1;
  int spin_us = 0;
};

int Number(const char* program, const char* text, const char* what) {
  char* end = nullptr;
  const long number = strtol(text, &end, 10);
  if (end == text || *end != '\0' || number < 0 || number > 1'000'000)
    Usage(program, std::string(text) + " is no " + what);
  return static_cast<int>(number);
}

Flags Parse(int argc, char** argv) {
  static const option kOptions[] = {{"listen", required_argument, nullptr, 'l'},
                                    {"pin", required_argument, nullptr, 'p'},
                                    {"spin", required_argument, nullptr, 's'},
                                    {}};
  Flags flags;
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (c) {
      case 'l':
        flags.listen = optarg;
        break;
      case 'p':
        flags.pin = Number(argv[0], optarg, "CPU");
        break;
      case 's':
        flags.spin_us = Number(argv[0], optarg, "number of microseconds");
        break;
      default:
        Usage(argv[0], "there is a flag that it does not have");
    }
  }
  if (optind < argc) Usage(argv[0], "there is more than flags");
  return flags;
}

struct Address {
  sockaddr_storage storage = {};
  socklen_t length = 0;
};

Address UnixAddress(const char* program, const std::string& path) {
  Address address;
  auto& name = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof(name.sun_path))
    Usage(program, path + " is no path of a socket");
  name.sun_family = AF_UNIX;
  memcpy(name.sun_path, path.c_str(), path.size() + 1);
  address.length = sizeof(name);
  return address;
}

// "127.0.0.1:80", "[::1]:80" or "unix:/path".
Address Resolve(const char* program, const std::string& text, int type) {
  static const std::string kUnix = "unix:";
  if (text.compare(0, kUnix.size(), kUnix) == 0)
    return UnixAddress(program, text.substr(kUnix.size()));
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) Usage(program, text + " has no port");
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = type;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), text.substr(colon + 1).c_str(), &hints,
                  &found) != 0)
    Usage(program, text + " is no address");
  Address address;
  memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.length = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

void PinTo(int cpu) {
  if (cpu < 0) return;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0) Die("pin");
}

void PrintAddressOf(int fd) {
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (getsockname(fd, any, &length) != 0) Die("getsockname");
  if (address.ss_family == AF_UNIX) {
    printf("listening on unix:%s\n",
           reinterpret_cast<sockaddr_un&>(address).sun_path);
    fflush(stdout);
    return;
  }
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(any, length, host, sizeof(host), port, sizeof(port),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    Die("getnameinfo");
  const bool v6 = address.ss_family == AF_INET6;
  printf("listening on %s%s%s:%s\n", v6 ? "[" : "", host, v6 ? "]" : "", port);
  fflush(stdout);
}

// A bound socket of `type`; this thread is pinned first.
int BindTo(const char* program, const std::string& listen, int pin, int type) {
  const Address address = Resolve(program, listen, type);
  PinTo(pin);
  const int fd =
      socket(address.storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) Die("socket");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address.storage),
           address.length) != 0)
    Die("bind");
  return fd;
}

}  // namespace

int ListenOn(const char* program, const std::string& listen, int pin) {
  const int fd = BindTo(program, listen, pin, SOCK_STREAM);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // inherited
  if (::listen(fd, 4096) != 0) Die("listen");
  PrintAddressOf(fd);
  return fd;
}

int ListenAsTold(int argc, char** argv, int* spin_us) {
  const Flags flags = Parse(argc, argv);
  if (spin_us != nullptr) {
    *spin_us = flags.spin_us;
  } else if (flags.spin_us > 0) {
    Usage(argv[0], "it does not spin");
  }
  return ListenOn(argv[0], flags.listen, flags.pin);
}

int BindDatagramsAsTold(int argc, char** argv) {
  const Flags flags = Parse(argc, argv);
  if (flags.spin_us > 0) Usage(argv[0], "it does not spin");
  const int fd = BindTo(argv[0], flags.listen, flags.pin, SOCK_DGRAM);
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
