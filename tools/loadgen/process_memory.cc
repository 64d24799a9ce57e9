// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/process_memory.h"

#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"

namespace ringway::loadgen {

ProcessMemory::ProcessMemory(pid_t process)
    : statm_(absl::StrCat("/proc/", process, "/statm")) {}

uint64_t ProcessMemory::ResidentBytes() const {
  std::ifstream file(statm_);
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  if (!(file >> total_pages >> resident_pages)) return 0;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace ringway::loadgen
