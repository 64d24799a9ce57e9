// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/choose_representation.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "ringway/http/files/gzip.h"
#include "ringway/http/files/protocol/content_coding.h"
#include "ringway/http/files/representation.h"
#include "ringway/pools/blocking/run_blocking.h"

namespace ringway::http::internal {

namespace {

// Up to so many bytes are compressed on the worker: some 300 us.
constexpr uint64_t kMostGzipHere = 16 * 1024;

// Whether gzip may be applied for this request: ranges are of bytes that stay
// the same.
bool MayMakeGzip(const FileCache& cache, const CachedFile& file,
                 const Headers& request) {
  return cache.MayGzip(file) && !request.Has("Range");
}

// Compresses the file; null if that makes it no smaller, or is not possible.
Task<absl::StatusOr<SharedRepresentation>> MakeGzip(FileCache& cache,
                                                    SharedFile file) {
  const Representation& plain = *file->plain;
  Task<absl::StatusOr<std::string>> read = ReadPart(plain, 0, plain.size);
  absl::StatusOr<std::string> content = co_await std::move(read);
  if (!content.ok()) co_return content.status();
  const int level = cache.options().gzip_level;
  std::string compressed;
  if (plain.size <= kMostGzipHere) {
    compressed = Gzip(*content, level);
  } else {
    const auto compress = [level](const std::string& text) {
      return Gzip(text, level);
    };
    absl::StatusOr<std::string> done =
        co_await RunBlocking(compress, *std::move(content));
    if (absl::IsCancelled(done.status())) co_return done.status();
    if (!done.ok()) co_return SharedRepresentation();
    compressed = *std::move(done);
  }
  if (compressed.empty() || compressed.size() >= plain.size) {
    cache.KeepGzip(file, nullptr);
    co_return SharedRepresentation();
  }
  Description description;
  description.content_type = file->type.value;
  description.coding = Coding::kGzip;
  description.made = description.varies = true;
  auto made = std::make_shared<Representation>(
      Describe(file->info, description, cache.options()));
  made->size = compressed.size();
  made->content = std::move(compressed);
  cache.KeepGzip(file, made);
  co_return SharedRepresentation(std::move(made));
}

}  // namespace

SharedRepresentation FindReady(const FileCache& cache, const CachedFile& file,
                               const Headers& request) {
  const bool beside = cache.options().precompressed;
  const bool made = MayMakeGzip(cache, file, request);
  if (!beside && !made) return file.plain;
  for (const Coding coding : AcceptedCodings(request)) {
    if (coding == Coding::kIdentity) break;
    if (beside) {
      const auto& variant = file.variants[static_cast<size_t>(coding)];
      if (!variant.has_value() || *variant != nullptr)
        return variant.value_or(nullptr);
    }
    if (!made || coding != Coding::kGzip) continue;
    if (!file.made_gzip.has_value() || *file.made_gzip != nullptr)
      return file.made_gzip.value_or(nullptr);
  }
  return file.plain;
}

Task<absl::StatusOr<SharedRepresentation>> ChooseRepresentation(
    FileCache& cache, SharedFile file, const Headers& request) {
  const bool beside = cache.options().precompressed;
  const bool made = MayMakeGzip(cache, *file, request);
  if (!beside && !made) co_return file->plain;
  for (const Coding coding : AcceptedCodings(request)) {
    if (coding == Coding::kIdentity) break;
    if (beside) {
      Task<absl::StatusOr<SharedRepresentation>> get =
          cache.GetVariant(file, coding);
      absl::StatusOr<SharedRepresentation> variant = co_await std::move(get);
      if (!variant.ok() || *variant != nullptr) co_return variant;
    }
    if (!made || coding != Coding::kGzip) continue;
    if (file->made_gzip.has_value()) {
      if (*file->made_gzip != nullptr) co_return *file->made_gzip;
      continue;
    }
    Task<absl::StatusOr<SharedRepresentation>> make = MakeGzip(cache, file);
    absl::StatusOr<SharedRepresentation> gzip = co_await std::move(make);
    if (!gzip.ok() || *gzip != nullptr) co_return gzip;
  }
  co_return file->plain;
}

}  // namespace ringway::http::internal
