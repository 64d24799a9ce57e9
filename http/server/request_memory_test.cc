// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/request_memory.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

std::unique_ptr<RequestMemory> MemoryOf(size_t n_bytes) {
  auto memory = std::make_unique<RequestMemory>();
  for (Headers* headers : {&memory->request, &memory->response}) {
    headers->Add("x", std::string(n_bytes, 'x'));
    headers->Clear();
  }
  for (std::string* text : {&memory->target, &memory->out}) {
    text->assign(n_bytes, 'x');
    text->clear();
  }
  return memory;
}

size_t BytesOf(const RequestMemory& memory) {
  return memory.request.memory_bytes() + memory.response.memory_bytes() +
         memory.target.capacity() + memory.out.capacity();
}

TEST(RequestMemory, IsUsedAgain) {
  RequestMemoryPool pool;
  EXPECT_LT(BytesOf(*pool.Take()), 100u);
  pool.Put(MemoryOf(1000));
  EXPECT_GE(BytesOf(*pool.Take()), 4000u);
  EXPECT_LT(BytesOf(*pool.Take()), 100u);
}

// A large request makes no worker larger for good.
TEST(RequestMemory, IsGivenBackIfItIsLarge) {
  RequestMemoryPool pool;
  pool.Put(MemoryOf(RequestMemoryPool::kKeptBytes + 1));
  EXPECT_LT(BytesOf(*pool.Take()), 100u);
}

// Nor do many at a time.
TEST(RequestMemory, KeepsSomeOnly) {
  RequestMemoryPool pool;
  for (size_t i = 0; i < 2 * RequestMemoryPool::kKept; ++i)
    pool.Put(MemoryOf(1000));
  for (size_t i = 0; i < RequestMemoryPool::kKept; ++i)
    EXPECT_GE(BytesOf(*pool.Take()), 4000u);
  EXPECT_LT(BytesOf(*pool.Take()), 100u);
}

}  // namespace
}  // namespace ringway::http::internal
