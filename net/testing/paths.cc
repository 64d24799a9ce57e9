// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/paths.h"

#include <fcntl.h>

#include <cerrno>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"

namespace ringway::net::testing {
namespace {

using ringway::testing::System;
using ringway::testing::TestFd;

std::unique_ptr<Backend> Make(System& system, const BackendOptions& options) {
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      system.MakeBackend(options);
  RINGWAY_CHECK(backend.ok(), "%s", backend.status().ToString().c_str());
  return *std::move(backend);
}

void CheckDone(int32_t result, const char* what, const std::string& path) {
  RINGWAY_CHECK(result >= 0, "%s %s: errno %d", what, path.c_str(), -result);
}

}  // namespace

Paths::Paths(System& system, const BackendOptions& options)
    : system_(system), driver_(Make(system, options)) {}

int32_t Paths::Open(const std::string& path, int flags) {
  PrepareOpenAt(op_, AT_FDCWD, path.c_str(), flags | O_CLOEXEC, 0600);
  const int32_t fd = driver_.RunToEnd(op_);
  CheckDone(fd, "open", path);
  return fd;
}

void Paths::MakeFile(const std::string& path, std::string_view content) {
  const TestFd file = system_.Own(Open(path, O_WRONLY | O_CREAT | O_EXCL));
  PrepareWrite(op_, file.get(), std::as_bytes(std::span(content)), 0);
  const int32_t n = driver_.RunToEnd(op_);
  RINGWAY_CHECK(n == static_cast<int32_t>(content.size()),
                "write of %zu bytes to %s gave %d", content.size(),
                path.c_str(), n);
}

void Paths::MakeLink(const std::string& target, const std::string& path) {
  PrepareSymlink(op_, target.c_str(), AT_FDCWD, path.c_str());
  CheckDone(driver_.RunToEnd(op_), "symlink", path);
}

std::string Paths::Content(const std::string& path) {
  const TestFd file = system_.Own(Open(path, O_RDONLY));
  return system_.Content(file.get());
}

mode_t Paths::TypeOf(const std::string& path) {
  struct statx status = {};
  PrepareLstat(op_, path.c_str(), &status);
  const int32_t result = driver_.RunToEnd(op_);
  if (result == -ENOENT) return 0;
  CheckDone(result, "lstat", path);
  return status.stx_mode & S_IFMT;
}

}  // namespace ringway::net::testing
