// Moves a watch's events to its uWS socket: one write for everything that is ready.
#pragma once

#include "addon/thread.h"

namespace klystron {

// What this thread's pump has done so far.
struct PumpStats { double writes = 0, bytes = 0, events = 0, blocked = 0; };

class Pump {
 public:
  static PumpStats& Stats() {
    static thread_local PumpStats stats;
    return stats;
  }
  enum Result { kIdle, kMore, kBlocked, kFinished };
  // Makes and writes the next batch of one watch.
  Result Drive(Watcher* watch);
  // Lets go of the batch that is kept for the next watch with the same one.
  void Forget() { last_.clear(); }

 private:
  void Build(const Watcher& watch);

  std::string bytes_;
  std::vector<Piece> last_;  // the pieces of bytes_, when it is a plain batch
  Encoding last_encoding_ = kJson;
  std::string frames_;
};

}  // namespace klystron
