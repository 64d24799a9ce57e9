// SPDX-License-Identifier: Apache-2.0
//
// HostTree: files of /proc and /sys for a test.
//
//   HostTree tree;
//   tree.Write("/sys/devices/system/cpu/online", "0-3\n");
//   CpuTopology::Read({}, tree.root());

#ifndef RINGWAY_RUNTIME_HOST_TESTING_HOST_TREE_H_
#define RINGWAY_RUNTIME_HOST_TESTING_HOST_TREE_H_

#include <string>
#include <string_view>

namespace ringway::testing {

// A folder of its own, removed at the end with its content. All functions abort
// on failure.
class HostTree {
 public:
  HostTree();
  HostTree(const HostTree&) = delete;
  HostTree& operator=(const HostTree&) = delete;
  ~HostTree();

  // What comes before /proc and /sys.
  const std::string& root() const { return root_; }

  // Makes the folders of `path`, too. Replaces what is there.
  void Write(std::string_view path, std::string_view content);
  void Remove(std::string_view path);

  // Files of a CPU as the kernel writes them; `die` as well as NUMA nodes are
  // left out.
  void WriteCpu(int number, int package, int core, std::string_view siblings);

 private:
  std::string root_;
};

}  // namespace ringway::testing

#endif  // RINGWAY_RUNTIME_HOST_TESTING_HOST_TREE_H_
