// The process's resources, found by name or number from every thread (rule G1).
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/resource.h"

namespace klystron {

class Registry {
 public:
  static Registry& Get() {
    static Registry* registry = new Registry();
    return *registry;
  }
  // The resource of that name, made by `make(id)` when there is none.
  template <class Make>
  std::shared_ptr<Resource> Open(const std::string& name, Make make) {
    std::unique_lock hold(lock_);
    std::shared_ptr<Resource>& found = by_name_[name];
    if (found == nullptr) {
      found = make(static_cast<uint32_t>(resources_.size()));
      resources_.push_back(found);
    }
    return found;
  }
  std::shared_ptr<Resource> Find(uint32_t id) const {
    std::shared_lock hold(lock_);
    return id < resources_.size() ? resources_[id] : nullptr;
  }
  // Its number is not used again.
  std::shared_ptr<Resource> Take(uint32_t id) {
    std::unique_lock hold(lock_);
    if (id >= resources_.size() || resources_[id] == nullptr) return nullptr;
    std::shared_ptr<Resource> resource = std::move(resources_[id]);
    const auto named = by_name_.find(resource->shape()->name);
    if (named != by_name_.end() && named->second == resource) by_name_.erase(named);
    return resource;
  }

 private:
  mutable std::shared_mutex lock_;
  std::unordered_map<std::string, std::shared_ptr<Resource>> by_name_;
  std::vector<std::shared_ptr<Resource>> resources_;
};

}  // namespace klystron
