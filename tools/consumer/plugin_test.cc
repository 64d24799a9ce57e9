// SPDX-License-Identifier: Apache-2.0
//
// A program without Ringway opens a plugin that contains it, several times.

#include <dlfcn.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (int i = 0; i < 3; ++i) {
    void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
      fprintf(stderr, "plugin_test: %s\n", dlerror());
      return 1;
    }
    using Function = int (*)();
    const auto run = reinterpret_cast<Function>(dlsym(plugin, "RunPlugin"));
    const int answer = run == nullptr ? 0 : run();
    if (answer != 42) {
      fprintf(stderr, "plugin_test: the plugin's answer is %d\n", answer);
      return 1;
    }
    dlclose(plugin);
  }
  return 0;
}
