// SPDX-License-Identifier: Apache-2.0
//
// A user's own header, of a name that Ringway has, too.

#ifndef NET_TCP_H_
#define NET_TCP_H_

inline constexpr int kUsersOwnPort = 7;

#endif  // NET_TCP_H_
