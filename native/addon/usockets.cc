#include "addon/usockets.h"

#include <dlfcn.h>

#include <mutex>

namespace klystron {
namespace {
std::mutex g_lock;
}  // namespace

USockets& USockets::Get() {
  static USockets sockets;
  return sockets;
}

bool USockets::Load(const char* path) {
  std::lock_guard hold(g_lock);
  if (ready()) return true;
  void* library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return false;
  const auto found_write = reinterpret_cast<decltype(write)>(dlsym(library, "us_socket_write"));
  const auto found_closed = reinterpret_cast<decltype(is_closed)>(dlsym(library, "us_socket_is_closed"));
  const auto found_down = reinterpret_cast<decltype(is_shut_down)>(dlsym(library, "us_socket_is_shut_down"));
  const auto found_socket = reinterpret_cast<decltype(socket_handle)>(dlsym(library, "us_socket_get_native_handle"));
  const auto found_context =
      reinterpret_cast<decltype(context_handle)>(dlsym(library, "us_socket_context_get_native_handle"));
  void* found_passphrase = dlsym(library, "passphrase_cb");
  void* found_sni = dlsym(library, "sni_cb");
  if (found_write == nullptr || found_closed == nullptr || found_down == nullptr) return false;
  if (found_socket != nullptr && found_context != nullptr && found_passphrase != nullptr && found_sni != nullptr) {
    socket_handle = found_socket;
    context_handle = found_context;
    passphrase_cb = found_passphrase;
    sni_cb = found_sni;
  }
  is_closed = found_closed;
  is_shut_down = found_down;
  write = found_write;
  return true;
}

}  // namespace klystron
