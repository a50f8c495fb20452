// Negative results of the addon's calls; NativeError in src/native/binding.ts has the same list.
#pragma once

namespace klystron {

enum Status : int {
  kOk = 0,
  kBadValue = -1,
  kNotFound = -2,
  kExpired = -3,
  kTooNew = -4,
  kNoProtobuf = -5,
  kNotReady = -6,
  kOtherVersion = -7,
  kIncomplete = -8,
};

}  // namespace klystron
