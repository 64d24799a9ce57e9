// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/kernel/kernel_probe.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace ringway::net::internal {
namespace {

// The kernel's own list of the protocols above TCP; a module is on it once it
// is loaded, which the probe does.
TEST(ProbeKernelCiphers, FindsSomeIfTheKernelHasKernelTls) {
  const KernelCiphers found = ProbeKernelCiphers();
  std::ifstream file("/proc/sys/net/ipv4/tcp_available_ulp");
  const std::string list{std::istreambuf_iterator<char>(file), {}};
  if (list.empty()) GTEST_SKIP() << "no list of protocols above TCP";
  EXPECT_EQ(found.empty(), list.find("tls") == std::string::npos) << list;
  for (const KernelCipher& cipher : AllKernelCiphers()) {
    printf("version %#x, cipher %d: %s\n", cipher.version, cipher.cipher,
           found.Contains(cipher) ? "yes" : "no");
  }
}

}  // namespace
}  // namespace ringway::net::internal
