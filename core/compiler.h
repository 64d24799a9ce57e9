// SPDX-License-Identifier: Apache-2.0
//
// Checks that files including Ringway are compiled with C++20 and exceptions.
// Every public header includes this one, so that a missing option gives one
// clear error.
//
// Exceptions are required because a failed allocation throws one, which costs
// the connection or the task concerned. Code compiled without exceptions
// could not catch it on the way to the worker. Template instances compiled
// both ways have the same name, of which the linker keeps either one, so a
// program built partly without exceptions would be undefined.

#ifndef RINGWAY_CORE_COMPILER_H_
#define RINGWAY_CORE_COMPILER_H_

#if __cplusplus < 202002L
#error "Ringway needs C++20: compile this file with -std=c++20"
#endif

#if !defined(__cpp_exceptions)
#error "Ringway needs exceptions: compile this file without -fno-exceptions"
#endif

#endif  // RINGWAY_CORE_COMPILER_H_
