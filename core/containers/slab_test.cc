// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/containers/slab.h"

#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(SlabKey, DefaultKeyIsInvalidAndNamesNothing) {
  Slab<int> slab(4);
  slab.Emplace(7);

  EXPECT_FALSE(SlabKey().valid());
  EXPECT_EQ(slab.Get(SlabKey()), nullptr);
  EXPECT_FALSE(slab.Erase(SlabKey()));
}

TEST(Slab, FindsAnElementByItsKey) {
  Slab<std::string> slab(4);

  std::string* element = slab.Emplace("hello");
  const SlabKey key = slab.KeyOf(*element);

  EXPECT_TRUE(key.valid());
  EXPECT_EQ(slab.Get(key), element);
  EXPECT_EQ(*slab.Get(key), "hello");
  EXPECT_EQ(slab.size(), 1u);
}

TEST(Slab, FindsNothingOutsideOfWhatWasEverUsed) {
  Slab<int> slab(1000);
  slab.Emplace(1);

  EXPECT_EQ(slab.Get({.index = 1, .generation = 1}), nullptr);
  EXPECT_EQ(slab.Get({.index = 999, .generation = 1}), nullptr);
  EXPECT_EQ(slab.Get({.index = 0xffffffff, .generation = 1}), nullptr);
}

TEST(Slab, RefusesMoreThanItsCapacity) {
  Slab<int> slab(1);
  int* first = slab.Emplace(1);

  EXPECT_EQ(slab.Emplace(2), nullptr);
  slab.Erase(*first);
  EXPECT_NE(slab.Emplace(3), nullptr);
}

TEST(Slab, OfCapacityZeroRefusesEverything) {
  Slab<int> slab(0);

  EXPECT_EQ(slab.Emplace(1), nullptr);
}

TEST(Slab, StaleKeyNeverFindsTheNextOccupant) {
  Slab<int> slab(1);
  std::vector<SlabKey> stale;
  for (int i = 0; i < 1000; ++i) {
    int* element = slab.Emplace(i);
    ASSERT_NE(element, nullptr);
    for (const SlabKey key : stale) ASSERT_EQ(slab.Get(key), nullptr);
    stale.push_back(slab.KeyOf(*element));
    EXPECT_TRUE(slab.Erase(stale.back()));
    EXPECT_FALSE(slab.Erase(stale.back()));
  }
}

TEST(Slab, ReusesTheSlotFreedLastFirst) {
  Slab<int> slab(8);
  int* a = slab.Emplace(1);
  int* b = slab.Emplace(2);
  slab.Emplace(3);

  slab.Erase(*a);
  slab.Erase(*b);

  EXPECT_EQ(slab.Emplace(4), b);
  EXPECT_EQ(slab.Emplace(5), a);
}

TEST(Slab, ElementsNeverMove) {
  Slab<int> slab(100'000);
  int* first = slab.Emplace(42);

  for (int i = 1; i < 100'000; ++i) ASSERT_NE(slab.Emplace(i), nullptr);

  EXPECT_EQ(*first, 42);
  EXPECT_EQ(slab.Get({.index = 0, .generation = 1}), first);
}

TEST(Slab, RetiresASlotWhoseGenerationsAreUsedUp) {
  Slab<int> slab(1, /*first_generation=*/0xfffffffe);
  std::set<std::pair<uint32_t, uint32_t>> keys;
  for (int i = 0; i < 5; ++i) {
    int* element = slab.Emplace(i);
    ASSERT_NE(element, nullptr);
    const SlabKey key = slab.KeyOf(*element);
    EXPECT_TRUE(key.valid());
    EXPECT_TRUE(keys.emplace(key.index, key.generation).second);
    slab.Erase(key);
  }

  // Two generations in each slot, then the next one.
  EXPECT_TRUE(keys.count({0, 0xffffffff}));
  EXPECT_TRUE(keys.count({2, 0xfffffffe}));
  EXPECT_EQ(slab.Get({.index = 0, .generation = 0}), nullptr);
}

TEST(Slab, DestroysEveryElementOnce) {
  auto token = std::make_shared<int>(0);
  {
    Slab<std::shared_ptr<int>> slab(300);
    for (int i = 0; i < 300; ++i) slab.Emplace(token);
    slab.Erase(SlabKey{.index = 17, .generation = 1});
    EXPECT_EQ(token.use_count(), 300);
  }
  EXPECT_EQ(token.use_count(), 1);
}

struct ThrowsOnDemand {
  explicit ThrowsOnDemand(bool demand) {
    if (demand) throw std::runtime_error("demanded");
  }
};

TEST(Slab, IsUnchangedWhenAConstructorThrows) {
  Slab<ThrowsOnDemand> slab(1);

  EXPECT_THROW(slab.Emplace(true), std::runtime_error);

  EXPECT_EQ(slab.size(), 0u);
  EXPECT_NE(slab.Emplace(false), nullptr);
}

// Erases and replaces others from its destructor, as a task that drops its
// children does.
struct Parent {
  Parent(Slab<Parent>& home, SlabKey child) : home(home), child(child) {}
  ~Parent() {
    EXPECT_EQ(home.Get(self), nullptr);
    home.Erase(child);
    if (replace) replacement = home.Emplace(home, SlabKey());
  }

  Slab<Parent>& home;
  SlabKey child;
  SlabKey self;
  bool replace = false;
  static inline Parent* replacement = nullptr;
};

TEST(Slab, DestructorMayUseTheSlab) {
  Slab<Parent> slab(8);
  Parent* child = slab.Emplace(slab, SlabKey());
  Parent* parent = slab.Emplace(slab, slab.KeyOf(*child));
  parent->self = slab.KeyOf(*parent);
  parent->replace = true;

  slab.Erase(*parent);

  EXPECT_EQ(slab.size(), 1u);
  EXPECT_EQ(Parent::replacement, child) << "its slot was freed last";
  EXPECT_EQ(slab.Get(slab.KeyOf(*Parent::replacement)), Parent::replacement);
}

TEST(Slab, ForEachVisitsTheLiveInSlotOrder) {
  Slab<int> slab(8);
  for (int i = 0; i < 5; ++i) slab.Emplace(i);
  slab.Erase(SlabKey{.index = 2, .generation = 1});

  std::vector<int> seen;
  slab.ForEach([&](int& value) { seen.push_back(value); });

  EXPECT_EQ(seen, (std::vector<int>{0, 1, 3, 4}));
}

TEST(Slab, ForEachToleratesErasingTheCurrentElement) {
  Slab<int> slab(1000);
  for (int i = 0; i < 1000; ++i) slab.Emplace(i);

  int n_seen = 0;
  slab.ForEach([&](int& value) {
    ++n_seen;
    slab.Erase(value);
  });

  EXPECT_EQ(n_seen, 1000);
  EXPECT_EQ(slab.size(), 0u);
}

struct alignas(64) Aligned {
  char byte = 0;
};

TEST(Slab, KeepsTheAlignmentOfItsElements) {
  Slab<Aligned> slab(100);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(slab.Emplace()) % 64, 0u);
  }
}

TEST(SlabDeathTest, AbortsOnAnElementOfAnotherSlab) {
  Slab<int> slab(2);
  Slab<int> other(2);
  slab.Emplace(1);
  int* foreign = other.Emplace(2);

  EXPECT_DEATH(slab.Erase(*foreign), "not live in this slab");
}

TEST(SlabDeathTest, AbortsOnErasingAnElementTwice) {
  Slab<int> slab(2);
  int* element = slab.Emplace(1);
  slab.Erase(*element);

  EXPECT_DEATH(slab.Erase(*element), "not live in this slab");
}

// Compared with a map from every key so far to its value.
TEST(Slab, AgreesWithAModelUnderRandomUse) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Slab<int> slab(64, /*first_generation=*/0xffffff00);
    std::vector<SlabKey> keys;
    std::map<size_t, int> live;  // position in `keys` -> value
    for (int step = 0; step < 5000; ++step) {
      if (random() % 2 == 0) {
        int* element = slab.Emplace(step);
        ASSERT_EQ(element == nullptr, live.size() == 64);
        if (element == nullptr) continue;
        live[keys.size()] = step;
        keys.push_back(slab.KeyOf(*element));
      } else if (!keys.empty()) {
        const size_t i = random() % keys.size();
        ASSERT_EQ(slab.Erase(keys[i]), live.erase(i) == 1);
      }
      ASSERT_EQ(slab.size(), live.size());
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      int* element = slab.Get(keys[i]);
      ASSERT_EQ(element != nullptr, live.contains(i));
      if (element != nullptr) {
        ASSERT_EQ(*element, live[i]);
      }
    }
  }
}

}  // namespace
}  // namespace ringway
