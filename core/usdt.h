// SPDX-License-Identifier: Apache-2.0
//
// RINGWAY_PROBE: a static probe point (USDT) of the provider "ringway", for
// gdb, perf, bpftrace and SystemTap. docs/observability.md lists the probes.
//
//   RINGWAY_PROBE1(task__resume, task);
//
// A probe is one nop, and a note in the ELF file that says where the nop is
// and where its arguments are: about 60 bytes that are not loaded, and 4 that
// are. Nothing is computed for the arguments, and nothing checks whether a
// tracer is attached; a tracer puts a breakpoint in the place of the nop. So an
// argument should be a value that is in a register anyway; it must be a pointer
// or a 64-bit integer.
//
// The notes are those of SystemTap's sys/sdt.h, version 3, without
// semaphores. On x86-64 and aarch64; elsewhere a probe is nothing.

#ifndef RINGWAY_CORE_USDT_H_
#define RINGWAY_CORE_USDT_H_

#include <limits>
#include <type_traits>

#include "ringway/core/compiler.h"

// RINGWAY_PROBE(name), with one argument, with two. `name` is an identifier;
// tools show "__" as "-".
#define RINGWAY_PROBE(name) RINGWAY_PROBE_NOTE_(#name, "", )
#define RINGWAY_PROBE1(name, a) \
  RINGWAY_PROBE_NOTE_(#name, "8@%[arg1]", RINGWAY_PROBE_ARG_(arg1, a))
#define RINGWAY_PROBE2(name, a, b)                  \
  RINGWAY_PROBE_NOTE_(#name, "8@%[arg1] 8@%[arg2]", \
                      RINGWAY_PROBE_ARG_(arg1, a)   \
                          RINGWAY_PROBE_COMMA_ RINGWAY_PROBE_ARG_(arg2, b))

#define RINGWAY_PROBE_COMMA_ ,

#if defined(__x86_64__) || defined(__aarch64__)

// In a register, or a constant. Not in memory, which clang would choose always,
// and store there what is in a register.
#define RINGWAY_PROBE_ARG_(place, value) \
  [place] "nr"(::ringway::internal::ProbeArgument(value))

// The sections belong to the section group of the code ("?"), which the linker
// keeps or drops as a whole. The address of .stapsdt.base tells tools by how
// much a later change of the file has moved the code. "R" keeps a section
// although no code refers to it.
//
// With --gc-sections a note does not keep its function: lld then leaves the
// note with the address 0, and gold fails. So the function is kept, by four
// bytes that refer to it.
#define RINGWAY_PROBE_NOTE_(name, arguments, operands)      \
  __asm__ __volatile__(                                     \
      "990: nop\n"                                          \
      ".pushsection .ringway.probes,\"aR?\",\"progbits\"\n" \
      ".4byte 990b - .\n"                                   \
      ".popsection\n"                                       \
      ".pushsection .note.stapsdt,\"?\",\"note\"\n"         \
      ".balign 4\n"                                         \
      ".4byte 992f-991f, 994f-993f, 3\n"                    \
      "991: .asciz \"stapsdt\"\n"                           \
      "992: .balign 4\n"                                    \
      "993: .8byte 990b, _.stapsdt.base, 0\n"               \
      ".asciz \"ringway\"\n"                                \
      ".asciz \"" name                                      \
      "\"\n"                                                \
      ".asciz \"" arguments                                 \
      "\"\n"                                                \
      "994: .balign 4\n"                                    \
      ".popsection\n"                                       \
      ".ifndef _.stapsdt.base\n"                            \
      ".pushsection .stapsdt.base,\"aGR\",\"progbits\","    \
      ".stapsdt.base,comdat\n"                              \
      ".weak _.stapsdt.base\n"                              \
      ".hidden _.stapsdt.base\n"                            \
      "_.stapsdt.base: .space 1\n"                          \
      ".size _.stapsdt.base, 1\n"                           \
      ".popsection\n"                                       \
      ".endif\n" ::operands)

namespace ringway::internal {

template <typename T>
concept Is64Bits = std::is_pointer_v<T> || std::numeric_limits<T>::digits >= 63;

template <Is64Bits T>
constexpr T ProbeArgument(T value) {
  return value;
}

}  // namespace ringway::internal

#else

#define RINGWAY_PROBE_ARG_(place, value) value
#define RINGWAY_PROBE_NOTE_(name, arguments, operands) static_cast<void>(0)

#endif

#endif  // RINGWAY_CORE_USDT_H_
