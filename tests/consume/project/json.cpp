#include <nlohmann/json_fwd.hpp>

#include <hubbub/ws/frame.hpp>

// Only that it is found: nlohmann_json takes longer to compile than all that is tested here.
bool json_works();
bool json_works() { return hubbub::Frame::text("{}").size() == 2; }
