// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/containers/intrusive_list.h"

#include <list>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

struct Element : ListNode {
  explicit Element(int id = 0) : id(id) {}
  int id;
};

// Empties `list`.
std::vector<int> Drain(IntrusiveList<Element>& list) {
  std::vector<int> ids;
  while (Element* element = list.PopFront()) ids.push_back(element->id);
  return ids;
}

using Ids = std::vector<int>;

TEST(IntrusiveList, HasNoElementsAtFirst) {
  IntrusiveList<Element> list;

  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(list.PopFront(), nullptr);
}

TEST(IntrusiveList, PopsInTheOrderOfPushBack) {
  IntrusiveList<Element> list;
  Element a(1), b(2), c(3);
  list.PushBack(a);
  list.PushBack(b);
  list.PushBack(c);

  EXPECT_EQ(list.front(), &a);
  EXPECT_EQ(list.back(), &c);
  EXPECT_EQ(Drain(list), (Ids{1, 2, 3}));
}

TEST(IntrusiveList, PushFrontGoesFirst) {
  IntrusiveList<Element> list;
  Element a(1), b(2);
  list.PushBack(a);
  list.PushFront(b);

  EXPECT_EQ(Drain(list), (Ids{2, 1}));
}

TEST(IntrusiveList, WalksByNext) {
  IntrusiveList<Element> list;
  Element a(1), b(2);
  list.PushBack(a);
  list.PushBack(b);

  EXPECT_EQ(list.Next(a), &b);
  EXPECT_EQ(list.Next(b), nullptr);
  Drain(list);
}

TEST(IntrusiveList, ElementLeavesWithoutKnowingItsList) {
  IntrusiveList<Element> list;
  Element a(1), b(2), c(3);
  list.PushBack(a);
  list.PushBack(b);
  list.PushBack(c);

  b.Unlink();

  EXPECT_FALSE(b.linked());
  EXPECT_EQ(Drain(list), (Ids{1, 3}));
}

TEST(IntrusiveList, ReplaceTakesThePlaceOfAnother) {
  for (const int replaced : {0, 1, 2}) {
    IntrusiveList<Element> list;
    Element elements[] = {Element(1), Element(2), Element(3)}, other(9);
    for (Element& element : elements) list.PushBack(element);

    other.Replace(elements[replaced]);

    EXPECT_FALSE(elements[replaced].linked());
    Ids expected = {1, 2, 3};
    expected[static_cast<size_t>(replaced)] = 9;
    EXPECT_EQ(Drain(list), expected);
  }
}

TEST(IntrusiveList, ReplaceTheOnlyElement) {
  IntrusiveList<Element> list;
  Element only(1), other(2);
  list.PushBack(only);

  other.Replace(only);

  EXPECT_EQ(list.front(), &other);
  EXPECT_EQ(list.back(), &other);
  EXPECT_EQ(Drain(list), (Ids{2}));
}

TEST(IntrusiveList, PoppedElementMayEnterAnotherList) {
  IntrusiveList<Element> pending, done;
  Element a(1);
  pending.PushBack(a);
  EXPECT_TRUE(a.linked());

  done.PushBack(*pending.PopFront());

  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(Drain(done), Ids{1});
  EXPECT_FALSE(a.linked());
}

TEST(IntrusiveList, AppendMovesEverythingBehind) {
  IntrusiveList<Element> list, other;
  Element a(1), b(2), c(3);
  list.PushBack(a);
  other.PushBack(b);
  other.PushBack(c);

  list.Append(other);

  EXPECT_TRUE(other.empty());
  EXPECT_EQ(Drain(list), (Ids{1, 2, 3}));
}

TEST(IntrusiveList, AppendToAndOfEmptyLists) {
  IntrusiveList<Element> list, other;
  list.Append(other);
  EXPECT_TRUE(list.empty());

  Element a(1);
  other.PushBack(a);
  list.Append(other);
  list.Append(other);

  EXPECT_EQ(Drain(list), Ids{1});
}

TEST(IntrusiveListDeathTest, AbortsWhenALinkedElementIsDestroyed) {
  EXPECT_DEATH(
      {
        IntrusiveList<Element> list;
        auto element = std::make_unique<Element>();
        list.PushBack(*element);
        element.reset();
      },
      "destroyed while in a list");
}

TEST(IntrusiveListDeathTest, AbortsWhenDestroyedWithElements) {
  auto lose_an_element = [] {
    Element element;
    IntrusiveList<Element> list;
    list.PushBack(element);
  };
  EXPECT_DEATH(lose_an_element(), "destroyed with elements");
}

TEST(IntrusiveList, AgreesWithAModelUnderRandomUse) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::vector<Element> elements(20);
    IntrusiveList<Element> lists[2];
    std::list<int> models[2];
    for (int i = 0; i < 20; ++i) elements[i].id = i;
    for (int step = 0; step < 2000; ++step) {
      const int which = static_cast<int>(random() % 2);
      Element& element = elements[random() % elements.size()];
      if (element.linked()) {
        element.Unlink();
        for (auto& model : models) model.remove(element.id);
      } else if (random() % 2 == 0) {
        lists[which].PushBack(element);
        models[which].push_back(element.id);
      } else {
        lists[which].PushFront(element);
        models[which].push_front(element.id);
      }
      if (random() % 50 == 0) {
        lists[which].Append(lists[1 - which]);
        models[which].splice(models[which].end(), models[1 - which]);
      }
    }
    for (int which : {0, 1}) {
      EXPECT_EQ(Drain(lists[which]),
                Ids(models[which].begin(), models[which].end()));
    }
  }
}

}  // namespace
}  // namespace ringway
