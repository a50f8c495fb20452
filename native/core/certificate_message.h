// The TLS handshake message in which a client presents its certificates: RFC 5246, 7.4.6 and RFC
// 8446, 4.4.2.
#pragma once

#include <cstddef>
#include <string>

namespace klystron {

// Appends the certificates of the message's body as PEM, in their order; nothing when it is malformed.
void AppendPem(const unsigned char* body, size_t size, bool tls13, std::string* out);

}  // namespace klystron
