// The few functions of uSockets that the pinned uWebSockets.js binary exports and the pump calls.
#pragma once

struct us_socket;  // opaque

namespace klystron {

struct USockets {
  int (*write)(int ssl, us_socket*, const char* data, int size, int more) = nullptr;
  int (*is_closed)(int ssl, us_socket*) = nullptr;
  int (*is_shut_down)(int ssl, us_socket*) = nullptr;

  // Process-wide; every function is null until Load found them all.
  static USockets& Get();
  // `path` is the file that is already loaded; it is not loaded again.
  bool Load(const char* path);
  bool ready() const { return write != nullptr; }
};

}  // namespace klystron
