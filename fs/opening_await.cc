// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/opening_await.h"

#include <cerrno>
#include <utility>

namespace ringway::fs::internal {

OpeningAwait::~OpeningAwait() {
  if (state == OpState::kDone && result >= 0) CloseNow(*loop_, result);
}

std::unique_ptr<FileCore> OpeningAwait::TakeCore(std::string name) {
  auto core = std::make_unique<FileCore>(*loop_, result, std::move(name));
  result = -EBADF;
  return core;
}

}  // namespace ringway::fs::internal
