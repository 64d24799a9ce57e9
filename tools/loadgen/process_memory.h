// SPDX-License-Identifier: Apache-2.0
//
// ProcessMemory: the resident memory of a process, as the kernel counts it in
// /proc/PID/statm. The count lags by up to 64 pages for each of its threads.

#ifndef RINGWAY_TOOLS_LOADGEN_PROCESS_MEMORY_H_
#define RINGWAY_TOOLS_LOADGEN_PROCESS_MEMORY_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

namespace ringway::loadgen {

class ProcessMemory {
 public:
  explicit ProcessMemory(pid_t process);
  // For tests: another file in the format of statm.
  explicit ProcessMemory(std::string statm) : statm_(std::move(statm)) {}

  // Bytes; 0 once the process has ended.
  //
  // Cost: opens and reads a file of /proc.
  uint64_t ResidentBytes() const;

 private:
  std::string statm_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PROCESS_MEMORY_H_
