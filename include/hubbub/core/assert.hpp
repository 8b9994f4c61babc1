#pragma once

#include <cassert>

/// Checks a precondition in debug builds. A host may define its own before the first include of hubbub.
#ifndef HUBBUB_ASSERT
#define HUBBUB_ASSERT(condition) assert(condition)
#endif
