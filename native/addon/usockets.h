// The few functions of uSockets that the pinned uWebSockets.js binary exports and the addon calls.
#pragma once

struct us_socket;  // opaque

namespace klystron {

struct USockets {
  int (*write)(int ssl, us_socket*, const char* data, int size, int more) = nullptr;
  int (*is_closed)(int ssl, us_socket*) = nullptr;
  int (*is_shut_down)(int ssl, us_socket*) = nullptr;
  // Of its TLS; null where the library lacks one of them.
  void* (*socket_handle)(int ssl, us_socket*) = nullptr;
  void* (*context_handle)(int ssl, void* context) = nullptr;
  void* passphrase_cb = nullptr;
  void* sni_cb = nullptr;

  // Process-wide; every function is null until Load found it.
  static USockets& Get();
  // `path` is the file that is already loaded; it is not loaded again.
  bool Load(const char* path);
  bool ready() const { return write != nullptr; }
  bool has_tls() const { return sni_cb != nullptr; }
};

}  // namespace klystron
