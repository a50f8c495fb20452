// Short forms of Node-API calls. None of them throws a C++ exception.
#pragma once

#include <node_api.h>

#include <span>
#include <string>
#include <string_view>

namespace klystron {

inline napi_value Number(napi_env env, double value) {
  napi_value out;
  napi_create_double(env, value, &out);
  return out;
}
inline napi_value Undefined(napi_env env) {
  napi_value out;
  napi_get_undefined(env, &out);
  return out;
}
inline napi_value Text(napi_env env, std::string_view text) {
  napi_value out;
  napi_create_string_utf8(env, text.data(), text.size(), &out);
  return out;
}
inline napi_value Boolean(napi_env env, bool value) {
  napi_value out;
  napi_get_boolean(env, value, &out);
  return out;
}
inline napi_valuetype TypeOf(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type;
}
inline double ToDouble(napi_env env, napi_value value) {
  double out = 0;
  napi_get_value_double(env, value, &out);
  return out;
}
inline uint32_t ToUint(napi_env env, napi_value value) {
  uint32_t out = 0;
  napi_get_value_uint32(env, value, &out);
  return out;
}
inline uint64_t ToRevision(napi_env env, napi_value value) {
  const double number = ToDouble(env, value);
  return number > 0 && number < 9007199254740992.0 ? static_cast<uint64_t>(number) : 0;
}
inline bool ToBool(napi_env env, napi_value value) {
  bool out = false;
  napi_get_value_bool(env, value, &out);
  return out;
}
inline std::string ToString(napi_env env, napi_value value) {
  size_t size = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) return {};
  std::string out(size, '\0');
  napi_get_value_string_utf8(env, value, out.data(), size + 1, &size);
  return out;
}
// A string of up to 1023 bytes without an allocation, longer ones with.
class ShortString {
 public:
  ShortString(napi_env env, napi_value value) {
    size_t size = 0;
    if (napi_get_value_string_utf8(env, value, buffer_, sizeof(buffer_), &size) != napi_ok) return;
    if (size < sizeof(buffer_) - 4) { view_ = {buffer_, size}; return; }
    long_ = ToString(env, value);
    view_ = long_;
  }
  std::string_view view() const { return view_; }

 private:
  char buffer_[1024];
  std::string long_;
  std::string_view view_;
};
// Borrowed until return to JavaScript.
inline std::span<char> ToBytes(napi_env env, napi_value value) {
  void* data = nullptr;
  size_t size = 0;
  if (napi_get_buffer_info(env, value, &data, &size) != napi_ok) return {};
  return {static_cast<char*>(data), size};
}
inline std::string_view ToView(napi_env env, napi_value value) {
  const std::span<char> bytes = ToBytes(env, value);
  return {bytes.data(), bytes.size()};
}
// False when it is undefined or missing.
inline bool Property(napi_env env, napi_value object, const char* name, napi_value* out) {
  if (napi_get_named_property(env, object, name, out) != napi_ok) return false;
  const napi_valuetype type = TypeOf(env, *out);
  return type != napi_undefined && type != napi_null;
}
inline void SetProperty(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}
template <class Visit>
void EachElement(napi_env env, napi_value array, Visit visit) {
  uint32_t size = 0;
  if (napi_get_array_length(env, array, &size) != napi_ok) return;
  for (uint32_t i = 0; i < size; i++) {
    napi_value element;
    if (napi_get_element(env, array, i, &element) == napi_ok) visit(element);
  }
}

// The arguments of a call; absent ones are undefined.
template <size_t N>
struct Arguments {
  napi_value at[N];
  Arguments(napi_env env, napi_callback_info info) {
    size_t count = N;
    napi_get_cb_info(env, info, &count, at, nullptr, nullptr);
  }
  napi_value operator[](size_t i) const { return at[i]; }
};

// Copies `bytes` to the start of `target`: their number, or -number - 100 when they do not fit.
inline double CopyOut(std::string_view bytes, std::span<char> target) {
  if (bytes.size() > target.size()) return -static_cast<double>(bytes.size()) - 100;
  if (!bytes.empty()) __builtin_memcpy(target.data(), bytes.data(), bytes.size());
  return static_cast<double>(bytes.size());
}

struct Method { const char* name; napi_callback call; };

}  // namespace klystron
