// What is the same for all records of a resource, and their account of bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace klystron {

struct StructType;

struct Shape {
  std::string name;
  std::string api_version;
  std::string kind;
  const StructType* type = nullptr;  // null for custom resources
  bool namespaced = false;
  std::vector<std::string> field_paths;
  // `{"kind":"Pod","apiVersion":"v1",`; empty for custom resources.
  std::string prefix;
  // Set once somebody asked for protobuf: from then on the writer makes it with each record, so that
  // the threads that serve do not have to.
  std::atomic<bool> wants_proto{false};
  // Bytes of all living records, wherever they are held.
  std::atomic<int64_t> record_bytes{0};
};

}  // namespace klystron
