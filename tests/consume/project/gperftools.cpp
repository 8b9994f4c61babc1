#include <hubbub/http/routes.hpp>
#include <hubbub/profiling/add_profiling.hpp>

bool gperftools_works();
bool gperftools_works() {
    hubbub::http::Routes routes;
    hubbub::add_profiling(routes);
    // The profiler is there, also for a linker that leaves out what is only named weakly.
    return routes.contains("/debug/pprof/profile") && hubbub::detail::Gperftools::linked().start;
}
