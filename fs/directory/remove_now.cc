// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/remove_now.h"

#include <fcntl.h>

#include <memory>

#include "ringway/backends/operation.h"
#include "ringway/backends/prepare.h"
#include "ringway/fs/directory/directory_reader.h"

namespace ringway::fs::internal {
namespace {

void Empty(Backend& backend, int directory, int levels) {
  Operation read(nullptr);
  auto entries = std::make_unique<EntryBuffer>();
  while (true) {
    PrepareGetDents(read, directory, entries->room());
    const int32_t n_bytes = backend.RunNow(read);
    if (n_bytes <= 0) return;
    entries->Fill(static_cast<size_t>(n_bytes));
    while (!entries->empty())
      RemoveNow(backend, directory, entries->Take().name, levels - 1);
  }
}

}  // namespace

void RemoveNow(Backend& backend, int directory, const std::string& name,
               int levels) {
  Operation op(nullptr);
  PrepareUnlink(op, directory, name.c_str());
  if (backend.RunNow(op) == 0 || levels == 0) return;
  PrepareOpenAt(op, directory, name.c_str(),
                O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const int opened = backend.RunNow(op);
  if (opened < 0) return;
  Empty(backend, opened, levels);
  PrepareClose(op, opened);
  backend.RunNow(op);
  PrepareRmdir(op, directory, name.c_str());
  backend.RunNow(op);
}

}  // namespace ringway::fs::internal
