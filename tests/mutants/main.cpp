// The hub's simulation without a test framework, so that it compiles quickly: FIRST and LAST seed as arguments.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/simulation/cluster_run.hpp"
#include "tests/simulation/hub_run.hpp"
#include "tests/simulation/recovery_run.hpp"
#if __has_include(<zlib.h>)
#include "tests/simulation/deflated_run.hpp"
#endif

int main(int count, char** arguments) {
    if (count != 3) return 2;
    for (auto seed = std::strtoull(arguments[1], nullptr, 10); seed <= std::strtoull(arguments[2], nullptr, 10); ++seed) {
        try {
            // Each kind of bug where it can be noticed, and the library without one in all of them.
            char const* const named = std::getenv("HUBBUB_MUTANT");
            std::string_view const mutant(named ? named : "");
            if (mutant.empty() || mutant.starts_with("recovery_")) recovery_simulation::RecoveryRun(seed).run(120);
            if (mutant.empty() || mutant.starts_with("cluster_")) cluster_simulation::ClusterRun(seed).run(150);
            if (mutant.starts_with("recovery_") || mutant.starts_with("cluster_")) continue;
            hub_simulation::HubRun(seed).run(80);
#if __has_include(<zlib.h>)
            if (mutant.empty() || mutant.starts_with("variant_")) hub_simulation::DeflatedRun(seed).run(80);
#endif
        } catch (std::exception const& violation) {
            std::printf("seed %llu: %s\n", seed, violation.what());
            return 1;
        }
    }
}
