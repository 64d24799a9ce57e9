// SPDX-License-Identifier: Apache-2.0
//
// A loop of pread(2) or pwrite(2), without Ringway: what the calls cost. Takes
// the flags of tools/bench/files that apply, and prints the same JSON.

#include <fcntl.h>
#include <getopt.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ringway/tools/bench/peers/peer.h"

namespace {

struct Options {
  std::string file;
  uint64_t block = 4096;
  bool direct = false;
  bool write = false;
  bool sequential = false;
  double seconds = 2;
};

Options Parse(int argc, char** argv) {
  static const option kLong[] = {
      {"file", required_argument, nullptr, 'f'},
      {"block", required_argument, nullptr, 'b'},
      {"direct", no_argument, nullptr, 'd'},
      {"write", no_argument, nullptr, 'w'},
      {"sequential", no_argument, nullptr, 's'},
      {"seconds", required_argument, nullptr, 't'},
      {nullptr, 0, nullptr, 0},
  };
  Options options;
  for (int c; (c = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    switch (c) {
      case 'f':
        options.file = optarg;
        break;
      case 'b':
        options.block = strtoull(optarg, nullptr, 10);
        break;
      case 'd':
        options.direct = true;
        break;
      case 'w':
        options.write = true;
        break;
      case 's':
        options.sequential = true;
        break;
      case 't':
        options.seconds = strtod(optarg, nullptr);
        break;
      default:
        exit(2);
    }
  }
  return options;
}

double CpuMicroseconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return 1e6 * static_cast<double>(usage.ru_utime.tv_sec +
                                   usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  const Options options = Parse(argc, argv);
  const int fd = open(options.file.c_str(),
                      (options.write ? O_RDWR : O_RDONLY) |
                          (options.direct ? O_DIRECT : 0) | O_CLOEXEC);
  if (fd < 0) peer::Die("open");
  struct stat info;
  if (fstat(fd, &info) != 0) peer::Die("fstat");
  void* buffer = nullptr;
  if (posix_memalign(&buffer, 4096, options.block) != 0)
    peer::Die("posix_memalign");
  const uint64_t n_blocks = static_cast<uint64_t>(info.st_size) / options.block;
  if (n_blocks == 0) peer::Die("a file without one block");

  uint64_t n = 0;
  uint64_t random = 1;
  const double cpu_before = CpuMicroseconds();
  const Clock::time_point start = Clock::now();
  const auto end = start + std::chrono::duration<double>(options.seconds);
  do {
    for (int i = 0; i < 16; ++i, ++n) {  // the clock costs something, too
      random = random * 6364136223846793005u + 1442695040888963407u;
      const uint64_t block = (options.sequential ? n : random >> 16) % n_blocks;
      const auto offset = static_cast<off_t>(block * options.block);
      const ssize_t done = options.write
                               ? pwrite(fd, buffer, options.block, offset)
                               : pread(fd, buffer, options.block, offset);
      if (done != static_cast<ssize_t>(options.block)) peer::Die("transfer");
    }
  } while (Clock::now() < end);
  const double seconds =
      std::chrono::duration<double>(Clock::now() - start).count();
  printf(
      "{\"iops\": %.1f, \"operations\": %llu, \"seconds\": %.3f, "
      "\"cpu_us_per_operation\": %.4f, \"system_calls_per_operation\": 1.0}\n",
      static_cast<double>(n) / seconds, static_cast<unsigned long long>(n),
      seconds, (CpuMicroseconds() - cpu_before) / static_cast<double>(n));
  free(buffer);
  close(fd);
  return 0;
}
