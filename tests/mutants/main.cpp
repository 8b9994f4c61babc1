// The hub's simulation without a test framework, so that it compiles quickly: FIRST and LAST seed as arguments.
#include <cstdio>
#include <cstdlib>

#include "tests/simulation/hub_run.hpp"

int main(int count, char** arguments) {
    if (count != 3) return 2;
    for (auto seed = std::strtoull(arguments[1], nullptr, 10); seed <= std::strtoull(arguments[2], nullptr, 10); ++seed) {
        try {
            hub_simulation::HubRun(seed).run(80);
        } catch (std::exception const& violation) {
            std::printf("seed %llu: %s\n", seed, violation.what());
            return 1;
        }
    }
}
