// The certificates that clients present, kept unverified: uSockets would end the handshake of a
// client whose certificate it can not verify, where an API server answers 401.
#pragma once

#include <string>

struct us_socket;  // opaque

namespace klystron {

class ClientCertificates {
 public:
  // Makes the TLS context of the uWS app at `app` take any client certificate and hand its messages
  // to this thread. False, and nothing is changed, unless BoringSSL's struct looks as expected; the
  // app needs a passphrase and a file of authorities for that.
  static bool Collect(void* app);
  // What the client of `socket` presented as PEM, leaf first; "" without a certificate, or once
  // taken. A resumed session presents nothing.
  static std::string Take(us_socket* socket);
  // Of a connection that is gone.
  static void Forget(us_socket* socket);
};

}  // namespace klystron
