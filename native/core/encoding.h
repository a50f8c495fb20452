// The forms an object is served in. Indexed by EncodingCode of src/native/binding.ts.
#pragma once

namespace klystron {

enum Encoding : int { kJson = 0, kProtobuf = 1, kMetadataJson = 2, kMetadataProtobuf = 3 };

}  // namespace klystron
