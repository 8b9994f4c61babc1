// The hub's simulation without a test framework, so that it compiles quickly: FIRST and LAST seed as arguments.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/simulation/hub_run.hpp"
#if __has_include(<zlib.h>)
#include "tests/simulation/deflated_run.hpp"
#endif

int main(int count, char** arguments) {
    if (count != 3) return 2;
    for (auto seed = std::strtoull(arguments[1], nullptr, 10); seed <= std::strtoull(arguments[2], nullptr, 10); ++seed) {
        try {
            hub_simulation::HubRun(seed).run(80);
#if __has_include(<zlib.h>)
            // What only compressed sessions can notice; the others are quicker without them.
            char const* const mutant = std::getenv("HUBBUB_MUTANT");
            if (!mutant || !*mutant || std::string_view(mutant).starts_with("variant_")) hub_simulation::DeflatedRun(seed).run(80);
#endif
        } catch (std::exception const& violation) {
            std::printf("seed %llu: %s\n", seed, violation.what());
            return 1;
        }
    }
}
