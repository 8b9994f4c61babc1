#ifndef __clang__  // there the code of the precompiled header has them
#include "tests/support/hubs.hpp"
#endif
