// An intrusive reference: the pointee has Acquire() and Release(), both safe from any thread.
#pragma once

#include <utility>

namespace klystron {

template <class T>
class Ref {
 public:
  Ref() = default;
  // Takes over one reference that the caller already holds.
  static Ref Adopt(T* pointer) { Ref ref; ref.pointer_ = pointer; return ref; }
  static Ref Share(T* pointer) {
    if (pointer != nullptr) pointer->Acquire();
    return Adopt(pointer);
  }
  Ref(const Ref& other) : pointer_(other.pointer_) { if (pointer_ != nullptr) pointer_->Acquire(); }
  Ref(Ref&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  Ref& operator=(Ref other) noexcept { std::swap(pointer_, other.pointer_); return *this; }
  ~Ref() { if (pointer_ != nullptr) pointer_->Release(); }

  T* get() const { return pointer_; }
  T* operator->() const { return pointer_; }
  T& operator*() const { return *pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }
  T* Detach() { return std::exchange(pointer_, nullptr); }

 private:
  T* pointer_ = nullptr;
};

}  // namespace klystron
