{
  "variables": {
    "simdjson_dir": "<!(node -p \"require('path').join(require('path').dirname(require.resolve('@nozbe/simdjson/package.json')), 'src')\")",
    "strict_flags": ["-std=c++20", "-O2", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti"]
  },
  "target_defaults": {
    "defines": ["NAPI_VERSION=9", "SIMDJSON_EXCEPTIONS=0"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-O3"],
    "cflags!": ["-O3"],
    "include_dirs": ["native"]
  },
  "targets": [
    {
      "target_name": "simdjson_unit",
      "type": "static_library",
      "sources": ["native/simdjson_unit.cc"],
      "include_dirs": ["<(simdjson_dir)"],
      "cflags_cc": ["<@(strict_flags)", "-fPIC", "-w"]
    },
    {
      "target_name": "klystron",
      "dependencies": ["simdjson_unit"],
      "sources": ["<!@(node scripts/build-native.mjs --sources)"],
      "cflags_cc": [
        "<@(strict_flags)", "-Wall", "-Wextra", "-Werror", "-isystem", "<(simdjson_dir)",
        "-isystem", "<(node_root_dir)/include/node"
      ],
      "ldflags": ["-Wl,--exclude-libs,ALL"],
      "libraries": ["-ldl", "-pthread"]
    }
  ]
}
