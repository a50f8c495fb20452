// The tables of functions that addon.cc puts on its exports, one a file of this folder.
#pragma once

#include <span>

#include "addon/napi.h"
#include "core/selector.h"

namespace klystron {

std::span<const Method> TranscodeMethods();
std::span<const Method> WriterMethods();
std::span<const Method> ReadMethods();
std::span<const Method> ListMethods();
std::span<const Method> WatchMethods();
std::span<const Method> PumpMethods();
std::span<const Method> MemoryMethods();

// Reads a Selection of src/native/binding.ts.
void ReadSelection(napi_env env, napi_value object, const Shape& shape, Selector* out);

}  // namespace klystron
