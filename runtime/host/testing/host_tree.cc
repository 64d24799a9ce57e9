// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/testing/host_tree.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"

namespace ringway::testing {

HostTree::HostTree() : root_(::testing::TempDir() + "/host.XXXXXX") {
  RINGWAY_CHECK(mkdtemp(root_.data()) != nullptr, "mkdtemp %s: errno %d",
                root_.c_str(), errno);
}

HostTree::~HostTree() { std::filesystem::remove_all(root_); }

void HostTree::Write(std::string_view path, std::string_view content) {
  const std::filesystem::path file = absl::StrCat(root_, path);
  std::filesystem::create_directories(file.parent_path());
  std::ofstream stream(file);
  stream << content << std::flush;
  RINGWAY_CHECK(stream.good(), "write %s", file.c_str());
}

void HostTree::Remove(std::string_view path) {
  const std::string file = absl::StrCat(root_, path);
  RINGWAY_CHECK(std::filesystem::remove(file), "there is no %s", file.c_str());
}

void HostTree::WriteCpu(int number, int package, int core,
                        std::string_view siblings) {
  const std::string folder =
      absl::StrCat("/sys/devices/system/cpu/cpu", number, "/topology/");
  Write(folder + "physical_package_id", absl::StrCat(package, "\n"));
  Write(folder + "core_id", absl::StrCat(core, "\n"));
  Write(folder + "thread_siblings_list", absl::StrCat(siblings, "\n"));
}

}  // namespace ringway::testing
