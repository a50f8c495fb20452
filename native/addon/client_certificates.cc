#include "addon/client_certificates.h"

#include <cstdint>
#include <cstring>
#include <unordered_map>

#include "addon/usockets.h"
#include "core/certificate_message.h"

namespace klystron {
namespace {

constexpr int kHandshakeRecord = 22;
constexpr unsigned char kClientHello = 1;
constexpr unsigned char kCertificate = 11;
constexpr int kTls13 = 0x0304;
constexpr size_t kMessageBytesMax = 64 * 1024;
// Of connections that have not asked for anything yet, together.
constexpr size_t kThreadBytesMax = 64 * 1024 * 1024;

struct Presented {
  std::unordered_map<const void*, std::string> by_ssl;
  size_t bytes = 0;

  void Erase(const void* ssl) {
    const auto found = by_ssl.find(ssl);
    if (found == by_ssl.end()) return;
    bytes -= found->second.size();
    by_ssl.erase(found);
  }
};
thread_local Presented t_presented;

// BoringSSL's msg_callback. A ClientHello begins a new connection: what was kept under the same
// address belongs to one that is gone.
void OnMessage(int is_write, int version, int type, const void* data, size_t size, void* ssl, void*) {
  if (is_write != 0 || type != kHandshakeRecord || size < 4) return;
  const auto* bytes = static_cast<const unsigned char*>(data);
  if (bytes[0] != kClientHello && bytes[0] != kCertificate) return;
  t_presented.Erase(ssl);
  if (bytes[0] == kClientHello || size > kMessageBytesMax) return;
  std::string pem;
  AppendPem(bytes + 4, size - 4, version == kTls13, &pem);
  if (pem.empty() || t_presented.bytes + pem.size() > kThreadBytesMax) return;
  t_presented.bytes += pem.size();
  t_presented.by_ssl.emplace(ssl, std::move(pem));
}

// BoringSSL's custom_verify_callback: authentication decides, not the handshake.
int Accept(void*, unsigned char*) { return 0; }

// Where the fields of BoringSSL's SSL_CTX are, by the two callbacks of uSockets within it and what
// stands around them. SSL_CTX is allocated with its size before it.
struct ContextFields {
  uintptr_t* verify = nullptr;
  uintptr_t* message = nullptr;

  ContextFields(void* context, void* owner) {
    const USockets& sockets = USockets::Get();
    auto* words = static_cast<uintptr_t*>(context);
    const size_t size = words[-1];
    if (size < 256 || size > 4096) return;
    const size_t count = size / sizeof(uintptr_t);
    size_t password = 0, name = 0;
    for (size_t i = 10; i + 1 < count; i++) {
      if (words[i] == reinterpret_cast<uintptr_t>(sockets.passphrase_cb)) password = i;
      if (words[i] == reinterpret_cast<uintptr_t>(sockets.sni_cb)) name = i;
    }
    if (password == 0 || name < password + 12) return;
    const bool password_fits = words[password + 1] != 0 && words[password - 1] == 0 &&
                               words[password - 2] == 0 && words[password - 3] == 0;
    // cert, msg_callback, its argument, verify_mode, its callback, param, two callbacks, sizes.
    const uintptr_t* at = words + name - 9;
    const bool message_fits = at[0] != 0 && at[1] == 0 && at[2] == 0 && static_cast<int>(at[3]) == 1 &&
                              at[4] == 0 && at[5] != 0 && at[6] == 0 && at[7] == 0 &&
                              (at[8] >> 16 & 0xffff) == 16384 &&
                              at[10] == reinterpret_cast<uintptr_t>(owner);
    if (!password_fits || !message_fits) return;
    verify = words + password - 1;
    message = words + name - 8;
  }
};

}  // namespace

bool ClientCertificates::Collect(void* app) {
  const USockets& sockets = USockets::Get();
  if (!sockets.has_tls() || app == nullptr) return false;
  void* owner = *static_cast<void**>(app);  // a TemplatedApp begins with its HttpContext
  void* context = owner == nullptr ? nullptr : sockets.context_handle(1, owner);
  if (context == nullptr) return false;
  const ContextFields fields(context, owner);
  if (fields.verify == nullptr) return false;
  *fields.verify = reinterpret_cast<uintptr_t>(&Accept);
  *fields.message = reinterpret_cast<uintptr_t>(&OnMessage);
  return true;
}

std::string ClientCertificates::Take(us_socket* socket) {
  if (socket == nullptr || !USockets::Get().has_tls()) return {};
  const void* ssl = USockets::Get().socket_handle(1, socket);
  const auto found = t_presented.by_ssl.find(ssl);
  if (found == t_presented.by_ssl.end()) return {};
  std::string pem = std::move(found->second);
  t_presented.bytes -= pem.size();
  t_presented.by_ssl.erase(found);
  return pem;
}

void ClientCertificates::Forget(us_socket* socket) {
  if (socket == nullptr || !USockets::Get().has_tls()) return;
  t_presented.Erase(USockets::Get().socket_handle(1, socket));
}

}  // namespace klystron
