// The types of the API with a text form of their own: quantities, times, durations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace klystron {

// Appends the canonical form of a quantity (`1000m` is `1`); false when it is not one.
bool CanonicalQuantity(std::string_view text, std::string* out);
// True for most canonical quantities at a glance; false says nothing.
bool IsCanonicalQuantity(std::string_view text);
// Appends RFC 3339 in UTC; with six digits of a second's fraction when `micro`.
void AppendTime(int64_t seconds, int32_t nanos, bool micro, std::string* out);
bool ParseTime(std::string_view text, int64_t* seconds, int32_t* nanos);
// Go's time.Duration: `1h0m0.5s`.
void AppendDuration(int64_t nanos, std::string* out);
bool ParseDuration(std::string_view text, int64_t* nanos);

}  // namespace klystron
