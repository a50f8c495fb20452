// The reference count of an immutable shared object (rule M1 of docs/SHARED-MEMORY.md).
#pragma once

#include <atomic>
#include <cstdint>

namespace klystron {

class Count {
 public:
  void Up() { value_.fetch_add(1, std::memory_order_relaxed); }
  // True when this was the last reference: everything others did before is visible.
  bool Down() { return value_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  // True when the caller's own reference is the only one.
  bool Only() const { return value_.load(std::memory_order_acquire) == 1; }

 private:
  std::atomic<uint32_t> value_{1};
};

}  // namespace klystron
