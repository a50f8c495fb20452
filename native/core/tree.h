// An ordered set of shared items (by SortKey) whose copies are snapshots: copying costs one
// reference, and a change copies only the nodes that a snapshot still holds. Each node knows how
// many items are below it and their Weight, so ranks and sums of ranges cost O(log n).
//
// Threads: a Tree object is used by one thread at a time (or under a lock); its copies are
//   independent and may go to other threads (rule M2).
#pragma once

#include <atomic>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "core/counted.h"
#include "core/ref.h"

namespace klystron {

// Bytes in the nodes of all trees of the process.
inline std::atomic<int64_t> g_tree_bytes{0};

template <class T>
class Tree {
  static constexpr int kMax = 32;

  struct Node {
    Count count;
    bool leaf;
    int n = 0;
    uint64_t items = 0;
    uint64_t weight = 0;
    T* first[kMax + 1];  // leaf: the items, owned; inner: each child's smallest item, borrowed
    Node* kids[];

    static size_t Size(bool leaf) { return sizeof(Node) + (leaf ? 0 : sizeof(Node*) * (kMax + 1)); }
    static Node* New(bool leaf) {
      Node* node = new (std::malloc(Size(leaf))) Node();
      node->leaf = leaf;
      g_tree_bytes.fetch_add(static_cast<int64_t>(Size(leaf)), std::memory_order_relaxed);
      return node;
    }
    void Acquire() { count.Up(); }
    void Release() {
      if (!count.Down()) return;
      for (int i = 0; i < n; i++) {
        if (leaf) first[i]->Release();
        else kids[i]->Release();
      }
      g_tree_bytes.fetch_sub(static_cast<int64_t>(Size(leaf)), std::memory_order_relaxed);
      std::free(this);
    }
    void Sum() {
      items = leaf ? static_cast<uint64_t>(n) : 0;
      weight = 0;
      for (int i = 0; i < n; i++) {
        if (leaf) weight += first[i]->Weight();
        else { items += kids[i]->items; weight += kids[i]->weight; first[i] = kids[i]->first[0]; }
      }
    }
    // Index of the first entry whose key is >= key (leaf), or of the child to descend to (inner).
    int Find(std::string_view key) const {
      int low = 0, high = n;
      while (low < high) {
        const int middle = (low + high) / 2;
        if (first[middle]->SortKey() < key) low = middle + 1;
        else high = middle;
      }
      if (leaf || (low < n && first[low]->SortKey() == key)) return low;
      return low == 0 ? 0 : low - 1;
    }
  };

 public:
  Tree() = default;

  uint64_t size() const { return root_ ? root_->items : 0; }
  uint64_t weight() const { return root_ ? root_->weight : 0; }

  T* Find(std::string_view key) const {
    Node* node = root_.get();
    while (node != nullptr) {
      const int i = node->Find(key);
      if (node->leaf) return i < node->n && node->first[i]->SortKey() == key ? node->first[i] : nullptr;
      node = node->kids[i];
    }
    return nullptr;
  }

  struct Rank { uint64_t items = 0, weight = 0; };
  // How many items, of what weight, come before `key`.
  Rank Before(std::string_view key) const {
    Rank rank;
    Node* node = root_.get();
    while (node != nullptr) {
      const int at = node->Find(key);
      for (int i = 0; i < at; i++) {
        rank.items += node->leaf ? 1 : node->kids[i]->items;
        rank.weight += node->leaf ? node->first[i]->Weight() : node->kids[i]->weight;
      }
      node = node->leaf ? nullptr : node->kids[at];
    }
    return rank;
  }
  uint64_t WeightBefore(uint64_t rank) const {
    uint64_t weight = 0;
    Node* node = root_.get();
    while (node != nullptr && rank > 0) {
      Node* next = nullptr;
      for (int i = 0; i < node->n && rank > 0; i++) {
        const uint64_t items = node->leaf ? 1 : node->kids[i]->items;
        if (items > rank) { next = node->kids[i]; break; }
        rank -= items;
        weight += node->leaf ? node->first[i]->Weight() : node->kids[i]->weight;
      }
      node = next;
    }
    return weight;
  }

  // Takes `item` in; gives back the item of the same key that it replaces.
  Ref<T> Put(Ref<T> item) {
    if (!root_) root_ = Ref<Node>::Adopt(Node::New(true));
    Ref<T> old;
    Node* right = nullptr;
    Node* root = PutIn(root_.Detach(), std::move(item), &old, &right);
    if (right != nullptr) {
      Node* top = Node::New(false);
      top->n = 2;
      top->kids[0] = root;
      top->kids[1] = right;
      top->Sum();
      root = top;
    }
    root_ = Ref<Node>::Adopt(root);
    return old;
  }

  Ref<T> Erase(std::string_view key) {
    if (Find(key) == nullptr) return {};
    Ref<T> old;
    Node* root = EraseIn(root_.Detach(), key, &old);
    while (root != nullptr && !root->leaf && root->n == 1) {
      Node* only = root->kids[0];
      only->Acquire();
      root->Release();
      root = only;
    }
    root_ = Ref<Node>::Adopt(root);
    return old;
  }

  // Walks in order. Valid as long as the Tree it came from is neither changed nor destroyed.
  class Cursor {
   public:
    Cursor() = default;
    // The next item, or null at the end.
    T* Next() {
      while (depth_ > 0) {
        Frame& top = stack_[depth_ - 1];
        if (top.at >= top.node->n) { depth_--; continue; }
        const int i = top.at++;
        if (top.node->leaf) return top.node->first[i];
        Push(top.node->kids[i], 0);
      }
      return nullptr;
    }

   private:
    friend class Tree;
    struct Frame { Node* node; int at; };
    void Push(Node* node, int at) { assert(depth_ < 16); stack_[depth_++] = {node, at}; }
    Frame stack_[16];
    int depth_ = 0;
  };
  Cursor From(std::string_view key) const {
    Cursor cursor;
    Node* node = root_.get();
    while (node != nullptr) {
      const int i = node->Find(key);
      cursor.Push(node, node->leaf ? i : i + 1);
      node = node->leaf ? nullptr : node->kids[i];
    }
    return cursor;
  }
  Cursor At(uint64_t rank) const {
    Cursor cursor;
    Node* node = root_.get();
    while (node != nullptr) {
      int i = 0;
      if (node->leaf) { cursor.Push(node, static_cast<int>(rank)); break; }
      while (i < node->n - 1 && rank >= node->kids[i]->items) rank -= node->kids[i++]->items;
      cursor.Push(node, i + 1);
      node = node->kids[i];
    }
    return cursor;
  }
  bool SameAs(const Tree& other) const { return root_.get() == other.root_.get(); }

 private:
  // Gives a node that only the caller holds, in exchange for the caller's reference.
  static Node* Own(Node* node) {
    if (node->count.Only()) return node;
    Node* copy = Node::New(node->leaf);
    copy->n = node->n;
    copy->items = node->items;
    copy->weight = node->weight;
    std::memcpy(copy->first, node->first, sizeof(T*) * static_cast<size_t>(node->n));
    if (!node->leaf) std::memcpy(copy->kids, node->kids, sizeof(Node*) * static_cast<size_t>(node->n));
    for (int i = 0; i < node->n; i++) {
      if (node->leaf) node->first[i]->Acquire();
      else node->kids[i]->Acquire();
    }
    node->Release();
    return copy;
  }
  static Node* SplitOff(Node* node) {
    Node* right = Node::New(node->leaf);
    // Ascending inserts (a first fill) leave full nodes behind.
    const int keep = node->n * 3 / 4;
    right->n = node->n - keep;
    const size_t moved = static_cast<size_t>(right->n);
    std::memcpy(right->first, node->first + keep, sizeof(T*) * moved);
    if (!node->leaf) std::memcpy(right->kids, node->kids + keep, sizeof(Node*) * moved);
    node->n = keep;
    node->Sum();
    right->Sum();
    return right;
  }
  static Node* PutIn(Node* node, Ref<T> item, Ref<T>* old, Node** right) {
    node = Own(node);
    const int at = node->Find(item->SortKey());
    if (node->leaf) {
      if (at < node->n && node->first[at]->SortKey() == item->SortKey()) {
        node->weight += item->Weight() - node->first[at]->Weight();
        *old = Ref<T>::Adopt(node->first[at]);
        node->first[at] = item.Detach();
        return node;
      }
      std::memmove(node->first + at + 1, node->first + at, sizeof(T*) * static_cast<size_t>(node->n - at));
      node->weight += item->Weight();
      node->items++;
      node->first[at] = item.Detach();
      node->n++;
    } else {
      Node* added = nullptr;
      node->kids[at] = PutIn(node->kids[at], std::move(item), old, &added);
      if (added != nullptr) {
        const size_t rest = static_cast<size_t>(node->n - at - 1);
        std::memmove(node->kids + at + 2, node->kids + at + 1, sizeof(Node*) * rest);
        node->kids[at + 1] = added;
        node->n++;
      }
      node->Sum();
    }
    if (node->n > kMax) *right = SplitOff(node);
    return node;
  }
  // Null when nothing is left below.
  static Node* EraseIn(Node* node, std::string_view key, Ref<T>* old) {
    node = Own(node);
    const int at = node->Find(key);
    if (node->leaf) {
      *old = Ref<T>::Adopt(node->first[at]);
      node->n--;
      std::memmove(node->first + at, node->first + at + 1, sizeof(T*) * static_cast<size_t>(node->n - at));
    } else {
      node->kids[at] = EraseIn(node->kids[at], key, old);
      if (node->kids[at] == nullptr) RemoveKid(node, at);
      else Merge(node, at);
    }
    if (node->n == 0) { node->Release(); return nullptr; }
    node->Sum();
    return node;
  }
  static void RemoveKid(Node* node, int at) {
    node->n--;
    std::memmove(node->kids + at, node->kids + at + 1, sizeof(Node*) * static_cast<size_t>(node->n - at));
  }
  // Joins a thin child with its neighbour.
  static void Merge(Node* node, int at) {
    if (node->kids[at]->n >= kMax / 4 || node->n < 2) return;
    const int left = at > 0 ? at - 1 : at;
    if (node->kids[left]->n + node->kids[left + 1]->n > kMax * 3 / 4) return;
    Node* into = node->kids[left] = Own(node->kids[left]);
    Node* from = node->kids[left + 1] = Own(node->kids[left + 1]);
    const size_t moved = static_cast<size_t>(from->n);
    std::memcpy(into->first + into->n, from->first, sizeof(T*) * moved);
    if (!into->leaf) std::memcpy(into->kids + into->n, from->kids, sizeof(Node*) * moved);
    into->n += from->n;
    from->n = 0;
    from->Release();
    into->Sum();
    RemoveKid(node, left + 1);
  }

  Ref<Node> root_;
};

}  // namespace klystron
