// SPDX-License-Identifier: Apache-2.0
//
// The two concurrent programs of an end: sequences of calls determined by the
// end's seed. Each returns when its direction has ended.

#ifndef RINGWAY_NET_STREAM_MODEL_PROGRAMS_H_
#define RINGWAY_NET_STREAM_MODEL_PROGRAMS_H_

#include "ringway/executor/task/task.h"
#include "ringway/net/stream_model/random.h"
#include "ringway/net/stream_model/world.h"

namespace ringway::net::model {

Task<void> WriteProgram(End& end, Random random);
Task<void> ReadProgram(End& end, Random random);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_PROGRAMS_H_
