#pragma once

#include "arguments.hpp"

namespace load {

// Each in a file of its own, since it brings a hub of another kind and websocketpp with it. Where websocketpp was not found they end
// the program with a sentence.
void run_websocketpp(Arguments const& arguments);
void run_websocketpp_adopted(Arguments const& arguments);
// The same for permessage-deflate and zlib.
void run_deflate(Arguments const& arguments);

}  // namespace load
