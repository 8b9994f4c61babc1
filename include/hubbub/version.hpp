#pragma once

// NOLINTBEGIN(modernize-macro-to-enum): for #if
/// The version of the library. Before 1.0 a new minor version may break what compiled before. CMake reads it from here.
#define HUBBUB_VERSION_MAJOR 0
#define HUBBUB_VERSION_MINOR 1
#define HUBBUB_VERSION_PATCH 0
// NOLINTEND(modernize-macro-to-enum)

/// The same as one number that can be compared: 0.1.0 is 100.
#define HUBBUB_VERSION (HUBBUB_VERSION_MAJOR * 10000 + HUBBUB_VERSION_MINOR * 100 + HUBBUB_VERSION_PATCH)
