// SPDX-License-Identifier: Apache-2.0
//
// CpuPause: for spin loops that wait for another core.

#ifndef RINGWAY_CORE_CPU_PAUSE_H_
#define RINGWAY_CORE_CPU_PAUSE_H_

namespace ringway {

// Yields the core to its other hardware thread for a few dozen cycles. Not a
// system call; does nothing if the processor has no such hint.
#if defined(__x86_64__) || defined(__i386__)
inline void CpuPause() { __builtin_ia32_pause(); }
#elif defined(__aarch64__)
inline void CpuPause() { asm volatile("yield"); }
#else
inline void CpuPause() {}
#endif

}  // namespace ringway

#endif  // RINGWAY_CORE_CPU_PAUSE_H_
