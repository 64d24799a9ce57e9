// SPDX-License-Identifier: Apache-2.0
//
// What a file that includes Ringway is compiled with: C++20 and exceptions.
// Every public header includes this one, so that a missing option is one clear
// line.
//
// Why exceptions are no choice: a failed allocation arrives as one, and costs
// the connection or the task that it hit. Without exceptions nothing in a
// user's coroutine catches it on the way to the worker. Templates compiled in
// both ways have one name, of which the linker keeps either: a program that is
// built half with exceptions and half without would run by luck.

#ifndef RINGWAY_CORE_COMPILER_H_
#define RINGWAY_CORE_COMPILER_H_

#if __cplusplus < 202002L
#error "Ringway needs C++20: compile this file with -std=c++20"
#endif

#if !defined(__cpp_exceptions)
#error "Ringway needs exceptions: compile this file without -fno-exceptions"
#endif

#endif  // RINGWAY_CORE_COMPILER_H_
