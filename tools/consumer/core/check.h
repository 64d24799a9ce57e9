// SPDX-License-Identifier: Apache-2.0
//
// A header of the user's own, in a folder and under a name that Ringway has,
// too.

#ifndef CONSUMER_CORE_CHECK_H_
#define CONSUMER_CORE_CHECK_H_

inline int UsersOwnCheck(int value) { return value; }

#endif  // CONSUMER_CORE_CHECK_H_
