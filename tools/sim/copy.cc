// SPDX-License-Identifier: Apache-2.0
//
// The copy scenario: a file is copied safely - to a temporary name, synced,
// renamed - on a disk with faults and a machine with power failures.

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/sim/files/open_file.h"
#include "ringway/core/check.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/tools/sim/operations.h"
#include "ringway/tools/sim/payload_stream.h"
#include "ringway/tools/sim/scenarios.h"

namespace ringway::simulation {
namespace {

constexpr char kSource[] = "/source";
constexpr char kPartial[] = "/target.partial";
constexpr char kTarget[] = "/target";
constexpr uint64_t kMaxBytes = 100'000;
constexpr size_t kChunkBytes = 4096;
constexpr absl::Duration kLongestRun = absl::Milliseconds(400);

// Copies a file. Results are 0 or -errno.
class Copier {
 public:
  explicit Copier(uint64_t n_bytes) : n_bytes_(n_bytes) {}

  Task<int32_t> Run() {
    const int32_t from = co_await Open(kSource, O_RDONLY);
    if (from < 0) co_return from;
    const int32_t to =
        co_await Open(kPartial, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int32_t result = to;
    if (to >= 0) {
      result = co_await CopyHalves(from, to);
      if (result == 0) result = co_await Fsync(to);
      const int32_t closed = co_await CloseWhateverComes(to);
      if (result == 0) result = closed;
    }
    co_await CloseWhateverComes(from);
    if (result == 0) result = co_await Rename(kPartial, kTarget);
    if (result == 0) result = co_await MakeNamesSafe();
    co_return result;
  }

 private:
  // Two concurrent tasks, so that operations overtake each other.
  Task<int32_t> CopyHalves(int from, int to) {
    const uint64_t middle = n_bytes_ / 2;
    Task<int32_t> low = CopyRange(from, to, 0, middle);
    Task<int32_t> high = CopyRange(from, to, middle, n_bytes_);
    auto [low_result, high_result] =
        co_await WhenAll(std::move(low), std::move(high));
    if (!low_result.ok() || !high_result.ok()) co_return -ECANCELED;
    co_return std::min(*low_result, *high_result);
  }

  Task<int32_t> CopyRange(int from, int to, uint64_t offset, uint64_t end) {
    std::array<std::byte, kChunkBytes> chunk;
    while (offset < end) {
      const size_t wanted = std::min<uint64_t>(chunk.size(), end - offset);
      const int32_t n = co_await Read(from, std::span(chunk).first(wanted),
                                      static_cast<int64_t>(offset));
      if (n <= 0) co_return n == 0 ? -EIO : n;
      for (int32_t written = 0; written < n;) {
        const int32_t m = co_await Write(
            to,
            std::span(chunk).subspan(static_cast<size_t>(written),
                                     static_cast<size_t>(n - written)),
            static_cast<int64_t>(offset) + written);
        if (m < 0) co_return m;
        written += m;
      }
      offset += static_cast<uint64_t>(n);
    }
    co_return 0;
  }

  Task<int32_t> MakeNamesSafe() {
    const int32_t directory = co_await Open("/", O_RDONLY | O_DIRECTORY);
    if (directory < 0) co_return directory;
    const int32_t result = co_await Fsync(directory);
    co_await CloseWhateverComes(directory);
    co_return result;
  }

  static Task<int32_t> CloseWhateverComes(int fd) {
    Shield shield;
    co_return co_await Close(fd);
  }

  const uint64_t n_bytes_;
};

// After a power failure at any time, a copy that was reported as done must be
// complete, and a file under the final name must be complete.
class CopyRun {
 public:
  explicit CopyRun(Trial& trial)
      : trial_(trial),
        host_(trial.AddMachine()),
        n_bytes_(trial.rng().Between(1, kMaxBytes)) {
    WriteSource();
    if (trial_.faults() && trial_.rng().Chance(0.2)) {
      trial_.world().files().set_capacity(n_bytes_ * 3 / 2);
    }
  }

  absl::Status Run() {
    Copier copier(n_bytes_);
    JoinHandle<int32_t> copying = host_.executor().Spawn(copier.Run());
    Simulation& simulation = trial_.simulation();
    const bool power_fails = trial_.faults() && trial_.rng().Chance(0.5);
    const auto done = [&] { return copying.done(); };
    absl::Status ended =
        power_fails
            ? simulation.RunFor(
                  trial_.rng().Between(absl::ZeroDuration(), kLongestRun), done)
            : simulation.RunUntil(done);
    if (!ended.ok()) return ended;
    const int32_t result = copying.done() ? *copying.TakeResult() : -EIO;
    const bool ran_to_its_end = !copying.valid();
    copying.Detach();
    simulation.DestroyHosts();
    trial_.world().files().Crash(trial_.rng().Next());
    return Judge(result, ran_to_its_end);
  }

 private:
  void WriteSource() {
    std::string content(n_bytes_, '\0');
    FillPayload(n_bytes_, 0, std::as_writable_bytes(std::span(content)));
    std::shared_ptr<sim::OpenFile> file, directory;
    sim::FileStore& files = trial_.world().files();
    int error = files.Open({nullptr, kSource}, O_WRONLY | O_CREAT, 0600, &file);
    sim::Buffers bytes(content.data(), content.size());
    file->Write(bytes, 0);
    file->Sync();
    error |= files.Open({nullptr, "/"}, O_RDONLY, 0, &directory);
    directory->Sync();
    RINGWAY_CHECK(error == 0, "a fresh file store takes no file");
    source_ = std::move(content);
  }

  absl::Status Judge(int32_t result, bool ran_to_its_end) {
    if (IsMistake(-result) || (result < 0 && !trial_.may_fail())) {
      return absl::InternalError(absl::StrCat("the copy ended with ", result));
    }
    std::shared_ptr<sim::OpenFile> file;
    const int found =
        trial_.world().files().Open({nullptr, kTarget}, O_RDONLY, 0, &file);
    if (found != 0 && result >= 0) {
      return absl::DataLossError("a copy that was done is gone");
    }
    if (found == 0 && Content(*file) != source_) {
      return absl::DataLossError("the copy differs");
    }
    return ran_to_its_end ? trial_.simulation().Check() : absl::OkStatus();
  }

  static std::string Content(sim::OpenFile& file) {
    std::string content(file.inode()->content.size(), '\0');
    sim::Buffers to(content.data(), content.size());
    file.Read(to, 0);
    return content;
  }

  Trial& trial_;
  SimulatedHost& host_;
  const uint64_t n_bytes_;
  std::string source_;
};

}  // namespace

Verdict RunCopy(const Options& options) { return VerdictOf<CopyRun>(options); }

}  // namespace ringway::simulation
