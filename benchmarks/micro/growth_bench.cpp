// What one operation costs among a thousand, ten thousand and a hundred thousand of whatever it is done among. It may grow as far as
// the caches make it, never with the number itself; tools/guard sees to that by counting instructions.
#include <string>

#include <benchmark/benchmark.h>

#include "../growth/growth_jobs.hpp"

namespace {

int const growth_registered = [] {
    for (growth::Named const& job : growth::jobs) {
        auto* const registered =
            benchmark::RegisterBenchmark((std::string("growth/") + job.name).c_str(), [&job](benchmark::State& state) {
                auto const made = job.make(static_cast<std::size_t>(state.range(0)));
                std::uint64_t operations = 0;
                for (auto _ : state) {
                    std::uint64_t const of_round = made->round();
                    if (of_round == 0) return state.SkipWithError("not all was done");
                    operations += of_round;
                }
                state.SetItemsProcessed(static_cast<std::int64_t>(operations));
            });
        bool const is_queue = std::string_view(job.name) == "expiry_in_a_queue";  // which is bounded
        for (int const size : {10, 100, 1'000, 10'000, 100'000})
            if (!is_queue || size <= 10'000) registered->Arg(size);
    }
    return 0;
}();

}  // namespace
