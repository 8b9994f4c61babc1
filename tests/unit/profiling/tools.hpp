#pragma once

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include <hubbub/core/verdict.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/profiling/gperftools.hpp>

/// Tools that do as gperftools would, and note what they were asked for.
namespace profiling_tools {

struct Noted {
    std::atomic<int> starts = 0;
    std::atomic<int> stops = 0;
    std::atomic<bool> starts_fail = false;
    std::string heap = "heap profile: 1: 2 [3: 4] @ heap_v2/5\n";
};
inline Noted& noted() {
    static Noted noted;
    return noted;
}
/// Everything as at first.
inline Noted& begin() {
    noted().starts = noted().stops = 0;
    noted().starts_fail = false;
    noted().heap = Noted().heap;
    return noted();
}

inline hubbub::detail::Gperftools all() {
    hubbub::detail::Gperftools tools;
    tools.start = [](char const* file) {
        if (noted().starts_fail) return 0;
        ++noted().starts;
        std::ofstream(file, std::ios::binary) << "samples";
        return 1;
    };
    tools.stop = [] { ++noted().stops; };
    tools.sample_heap = [](std::string* out) { *out = noted().heap; };
    tools.growth_stacks = [](std::string* out) { *out = "heap profile: 1: 2 [3: 4] @ growthz\n"; };
    return tools;
}

/// The answer to one question, whenever it comes.
struct Answer {
    std::shared_ptr<std::promise<hubbub::http::Response>> promise = std::make_shared<std::promise<hubbub::http::Response>>();
    std::future<hubbub::http::Response> page = promise->get_future();

    hubbub::Verdict<hubbub::http::Response> verdict() const {
        return hubbub::Verdict<hubbub::http::Response>(
            [promise = promise](hubbub::http::Response answered) { promise->set_value(std::move(answered)); });
    }
    bool is_here() const { return page.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
};

}  // namespace profiling_tools
