// SPDX-License-Identifier: Apache-2.0
//
// CpuPause: what a loop that waits for another core does between two looks.

#ifndef RINGWAY_CORE_CPU_PAUSE_H_
#define RINGWAY_CORE_CPU_PAUSE_H_

namespace ringway {

// Leaves the core to its other hardware thread for a few dozen cycles. Not a
// system call, and nothing to do where the processor has no such hint.
#if defined(__x86_64__) || defined(__i386__)
inline void CpuPause() { __builtin_ia32_pause(); }
#elif defined(__aarch64__)
inline void CpuPause() { asm volatile("yield"); }
#else
inline void CpuPause() {}
#endif

}  // namespace ringway

#endif  // RINGWAY_CORE_CPU_PAUSE_H_
