// SPDX-License-Identifier: Apache-2.0
//
// Pipe: the two ends of a pipe.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_PIPE_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_PIPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "ringway/backends/sim/environment/description.h"
#include "ringway/backends/sim/network/byte_queue.h"

namespace ringway::sim {

class PipeEnd final : public Description {
 public:
  // The read end and the write end.
  static std::pair<std::shared_ptr<PipeEnd>, std::shared_ptr<PipeEnd>> MakePair(
      Environment& environment);

  // Use MakePair().
  struct State;
  PipeEnd(Environment& environment, std::shared_ptr<State> state, bool reads);
  ~PipeEnd() override;

  std::string_view kind() const override;
  uint32_t Ready() override;
  int64_t Read(Buffers& to, int64_t offset) override;
  int64_t Write(Buffers& from, int64_t offset) override;
  size_t Room() override;

 private:
  bool other_is_open() const { return !other_.expired(); }
  void TellOther(uint32_t events);

  const std::shared_ptr<State> state_;
  const bool reads_;
  std::weak_ptr<PipeEnd> other_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_PIPE_H_
