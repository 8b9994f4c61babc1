#ifndef HUBBUB_TEST_HUBS_PRECOMPILED  // else the code of the precompiled header has them
#include "tests/support/hubs.hpp"
#endif
