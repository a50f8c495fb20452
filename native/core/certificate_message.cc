#include "core/certificate_message.h"

#include "transcode/json_writer.h"

namespace klystron {
namespace {

size_t ReadU24(const unsigned char* at) { return static_cast<size_t>(at[0]) << 16 | at[1] << 8 | at[2]; }

}  // namespace

void AppendPem(const unsigned char* body, size_t size, bool tls13, std::string* out) {
  const size_t before = out->size();
  const unsigned char* at = body;
  const unsigned char* const end = body + size;
  const auto left = [&] { return static_cast<size_t>(end - at); };
  if (tls13) {  // certificate_request_context
    if (left() < 1 || left() < 1u + at[0]) return;
    at += 1 + at[0];
  }
  if (left() < 3 || left() != 3 + ReadU24(at)) return;
  at += 3;
  std::string base64;
  while (left() >= 3) {
    const size_t length = ReadU24(at);
    if (length == 0 || length > left() - 3) break;
    base64.clear();
    AppendBase64({reinterpret_cast<const char*>(at + 3), length}, &base64);
    out->append("-----BEGIN CERTIFICATE-----\n");
    for (size_t i = 0; i < base64.size(); i += 64) out->append(base64, i, 64).push_back('\n');
    out->append("-----END CERTIFICATE-----\n");
    at += 3 + length;
    if (!tls13) continue;
    if (left() < 2) break;
    const size_t extensions = static_cast<size_t>(at[0] << 8 | at[1]);
    if (extensions > left() - 2) break;
    at += 2 + extensions;
  }
  if (left() != 0) out->resize(before);
}

}  // namespace klystron
