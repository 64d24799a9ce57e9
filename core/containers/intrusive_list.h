// SPDX-License-Identifier: Apache-2.0
//
// A doubly linked list whose links live inside the elements: O(1) everywhere,
// no allocation.
//
// An element derives from ListNode and is in at most one list at a time. The
// list owns nothing: an element must be unlinked before it is destroyed
// (checked). An element can leave its list without knowing which one that is,
// so an operation moves between "pending", "in flight" and "done" with one
// pair of pointers.
//
//   struct Job : ListNode { int id; };
//   IntrusiveList<Job> queue;
//   queue.PushBack(job);
//   while (Job* next = queue.PopFront()) Run(*next);

#ifndef RINGWAY_CORE_CONTAINERS_INTRUSIVE_LIST_H_
#define RINGWAY_CORE_CONTAINERS_INTRUSIVE_LIST_H_

#include <cstddef>

#include "ringway/core/check.h"

namespace ringway {

// The links of an element. Immovable, because its neighbours point to it.
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() {
    RINGWAY_CHECK(!linked(), "a list element was destroyed while in a list");
  }

  bool linked() const { return next_ != nullptr; }

  // Leaves the list it is in. Requires linked().
  void Unlink() {
    RINGWAY_DCHECK(linked(), "Unlink() of an element that is in no list");
    next_->prev_ = prev_;
    prev_->next_ = next_;
    next_ = prev_ = nullptr;
  }

  // Takes the place of `other` in the list that that one is in, and leaves it
  // in none. Requires other.linked() and !linked().
  void Replace(ListNode& other) {
    RINGWAY_DCHECK(other.linked(), "Replace() of an element in no list");
    RINGWAY_DCHECK(!linked(), "an element can be in one list only");
    next_ = other.next_;
    prev_ = other.prev_;
    next_->prev_ = this;
    prev_->next_ = this;
    other.next_ = other.prev_ = nullptr;
  }

 private:
  template <typename T>
  friend class IntrusiveList;

  ListNode* next_ = nullptr;
  ListNode* prev_ = nullptr;
};

// A FIFO of T, where T derives from ListNode (publicly). Immovable; contents
// move by Append().
template <typename T>
class IntrusiveList {
 public:
  IntrusiveList() { Reset(); }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    RINGWAY_CHECK(empty(),
                  "an intrusive list was destroyed with elements in it");
    head_.next_ = head_.prev_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }

  // The first element, or null.
  T* front() { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  // The last element, or null.
  T* back() { return empty() ? nullptr : static_cast<T*>(head_.prev_); }

  // The element after `element`, or null at the end.
  T* Next(T& element) {
    ListNode* next = static_cast<ListNode&>(element).next_;
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }

  void PushBack(T& element) { InsertBefore(element, head_); }
  void PushFront(T& element) { InsertBefore(element, *head_.next_); }

  // Removes and returns the first element, or returns null.
  T* PopFront() {
    T* first = front();
    if (first != nullptr) static_cast<ListNode*>(first)->Unlink();
    return first;
  }

  // Moves all of `other` behind this list's elements, keeping their order.
  // O(1).
  void Append(IntrusiveList& other) {
    if (other.empty()) return;
    ListNode* first = other.head_.next_;
    ListNode* last = other.head_.prev_;
    first->prev_ = head_.prev_;
    head_.prev_->next_ = first;
    last->next_ = &head_;
    head_.prev_ = last;
    other.Reset();
  }

 private:
  void Reset() { head_.next_ = head_.prev_ = &head_; }

  static void InsertBefore(T& element, ListNode& position) {
    ListNode& node = element;
    RINGWAY_DCHECK(!node.linked(), "an element can be in one list only");
    node.next_ = &position;
    node.prev_ = position.prev_;
    position.prev_->next_ = &node;
    position.prev_ = &node;
  }

  ListNode head_;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_CONTAINERS_INTRUSIVE_LIST_H_
