// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/stream/handshake_place.h"

#include <cstddef>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace ringway::net::internal {
namespace {

class Place final : public HandshakePlace {
 public:
  Place(HandshakePlaces& places, size_t limit)
      : HandshakePlace(places, limit) {}

  int ended = 0;

 private:
  void End() override { ++ended; }
};

constexpr size_t kLimit = 3;

class HandshakePlaceTest : public ::testing::Test {
 protected:
  // Fills the places with handshakes that wait, the first the longest.
  HandshakePlaceTest() {
    for (size_t i = 0; i < kLimit; ++i) {
      waiting_.push_back(std::make_unique<Place>(places_, kLimit));
      waiting_.back()->Wait(/*anew=*/true);
    }
  }

  std::vector<bool> Displaced() const {
    std::vector<bool> displaced;
    for (const std::unique_ptr<Place>& place : waiting_) {
      EXPECT_EQ(place->ended, place->displaced() ? 1 : 0);
      EXPECT_NE(place->taken(), place->displaced());
      displaced.push_back(place->displaced());
    }
    return displaced;
  }

  HandshakePlaces places_;
  std::vector<std::unique_ptr<Place>> waiting_;
};

TEST_F(HandshakePlaceTest, OneMoreGetsThatOfWhoHasWaitedLongest) {
  const Place first(places_, kLimit);
  EXPECT_TRUE(first.taken());
  EXPECT_EQ(Displaced(), (std::vector{true, false, false}));
  const Place second(places_, kLimit);
  EXPECT_TRUE(second.taken());
  EXPECT_EQ(Displaced(), (std::vector{true, true, false}));
  EXPECT_EQ(places_.taken(), kLimit);
}

TEST_F(HandshakePlaceTest, AnotherFlightIsAnotherWait) {
  waiting_[0]->Wait(/*anew=*/true);
  waiting_[1]->Wait(/*anew=*/false);  // a part of the one that it waits for
  const Place more(places_, kLimit);
  EXPECT_EQ(Displaced(), (std::vector{false, true, false}));
}

TEST_F(HandshakePlaceTest, OneThatDoesNotWaitForItsPeerKeepsItsOwn) {
  for (const std::unique_ptr<Place>& place : waiting_) place->StopWaiting();
  const Place refused(places_, kLimit);
  EXPECT_FALSE(refused.taken());
  EXPECT_EQ(Displaced(), (std::vector{false, false, false}));
  waiting_[2]->Wait(/*anew=*/false);
  const Place more(places_, kLimit);
  EXPECT_TRUE(more.taken());
  EXPECT_EQ(Displaced(), (std::vector{false, false, true}));
}

TEST_F(HandshakePlaceTest, OneThatHasLostItsOwnWaitsForNoOther) {
  const Place more(places_, kLimit);
  waiting_[0]->Wait(/*anew=*/true);
  waiting_.erase(waiting_.begin());
  EXPECT_EQ(places_.taken(), kLimit);
  const Place last(places_, kLimit);
  EXPECT_EQ(Displaced(), (std::vector{true, false}));
}

TEST_F(HandshakePlaceTest, OneThatIsOverLeavesItsOwn) {
  waiting_.clear();
  EXPECT_EQ(places_.taken(), 0u);
  const Place place(places_, kLimit);
  EXPECT_TRUE(place.taken());
}

}  // namespace
}  // namespace ringway::net::internal
