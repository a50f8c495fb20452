// The one translation unit of simdjson, compiled without our warning flags.
#include "simdjson.cpp"
