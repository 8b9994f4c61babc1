#pragma once

// One include for Catch2 2.x and 3.x, so that a test need not know which of them is installed.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
