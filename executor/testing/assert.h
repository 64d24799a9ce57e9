// SPDX-License-Identifier: Apache-2.0
//
// RINGWAY_ASSERT_*: ASSERT_* for coroutines without a result (Task<void>):
// they end the coroutine by co_return.
//
//   RINGWAY_ASSERT_OK(co_await stream.Write(request)) << "the request";
//   RINGWAY_ASSERT_EQ(reply.size(), 4u);
//
// As with ASSERT_*, only the function with the assertion ends. Its caller, or
// the joining task, continues; ::testing::Test::HasFatalFailure() is then
// true.

#ifndef RINGWAY_EXECUTOR_TESTING_ASSERT_H_
#define RINGWAY_EXECUTOR_TESTING_ASSERT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/core/compiler.h"

namespace ringway::internal {

inline ::testing::AssertionResult IsOk(const char* expression,
                                       const absl::Status& status) {
  if (status.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << expression << " is " << status;
}
template <typename T>
::testing::AssertionResult IsOk(const char* expression,
                                const absl::StatusOr<T>& result) {
  return IsOk(expression, result.status());
}

}  // namespace ringway::internal

// For a Status or a StatusOr.
#define RINGWAY_EXPECT_OK(result)                           \
  GTEST_ASSERT_(::ringway::internal::IsOk(#result, result), \
                GTEST_NONFATAL_FAILURE_)
#define RINGWAY_ASSERT_OK(result)                           \
  GTEST_ASSERT_(::ringway::internal::IsOk(#result, result), \
                RINGWAY_FATAL_FAILURE_)

#define RINGWAY_ASSERT_TRUE(condition)                    \
  GTEST_TEST_BOOLEAN_(condition, #condition, false, true, \
                      RINGWAY_FATAL_FAILURE_)
#define RINGWAY_ASSERT_FALSE(condition)                      \
  GTEST_TEST_BOOLEAN_(!(condition), #condition, true, false, \
                      RINGWAY_FATAL_FAILURE_)

#define RINGWAY_ASSERT_EQ(a, b) \
  RINGWAY_ASSERT_COMPARE_(::testing::internal::EqHelper::Compare, a, b)
#define RINGWAY_ASSERT_NE(a, b) \
  RINGWAY_ASSERT_COMPARE_(::testing::internal::CmpHelperNE, a, b)
#define RINGWAY_ASSERT_LT(a, b) \
  RINGWAY_ASSERT_COMPARE_(::testing::internal::CmpHelperLT, a, b)
#define RINGWAY_ASSERT_LE(a, b) \
  RINGWAY_ASSERT_COMPARE_(::testing::internal::CmpHelperLE, a, b)
#define RINGWAY_ASSERT_GT(a, b) \
  RINGWAY_ASSERT_COMPARE_(::testing::internal::CmpHelperGT, a, b)
#define RINGWAY_ASSERT_GE(a, b) \
  RINGWAY_ASSERT_COMPARE_(::testing::internal::CmpHelperGE, a, b)

// Include gmock/gmock.h for it.
#define RINGWAY_ASSERT_THAT(value, matcher)                             \
  GTEST_ASSERT_(::testing::internal::MakePredicateFormatterFromMatcher( \
                    matcher)(#value, value),                            \
                RINGWAY_FATAL_FAILURE_)

#define RINGWAY_ASSERT_COMPARE_(compare, a, b) \
  GTEST_ASSERT_(compare(#a, #b, a, b), RINGWAY_FATAL_FAILURE_)
#define RINGWAY_FATAL_FAILURE_(message) \
  co_return GTEST_MESSAGE_(message, ::testing::TestPartResult::kFatalFailure)

#endif  // RINGWAY_EXECUTOR_TESTING_ASSERT_H_
