#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/verdict.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/http/status.hpp>
#include <hubbub/profiling/cpu_profiler.hpp>
#include <hubbub/profiling/gperftools.hpp>
#include <hubbub/profiling/profile_page.hpp>
#include <hubbub/profiling/profiling_options.hpp>
#include <hubbub/profiling/symbol_names.hpp>

namespace hubbub::inline v0::detail {

/// The pages of one program.
///
/// Threading: on any thread.
class ProfilingPages {
   public:
    ProfilingPages(ProfilingOptions options, Gperftools const& tools)
        : options_(std::move(options)), tools_(tools), profiler_(tools) {
        options_.check();
    }

    http::OperatorsOnly const& allow() const noexcept { return options_.allow; }

    void profile(http::Request const& request, Verdict<http::Response> verdict);
    http::Response heap(http::Request const& request) const;
    http::Response growth(http::Request const& request) const;
    static http::Response cmdline(http::Request const& request);
    static http::Response symbol(http::Request const& request);

   private:
    static http::Response no_parameters() { return no_profile(http::Status::bad_request, "this page takes no parameters"); }
    /// Of "seconds=N"; without it what the tools take for granted, or less where less is allowed.
    std::optional<std::chrono::seconds> length_of(std::string_view query) const;

    ProfilingOptions options_;
    Gperftools tools_;
    CpuProfiler profiler_;
};

inline std::optional<std::chrono::seconds> ProfilingPages::length_of(std::string_view query) const {
    static constexpr std::string_view name = "seconds=";
    static constexpr std::chrono::seconds usual{30};
    if (query.empty()) return std::min(usual, options_.most);
    if (!query.starts_with(name)) return std::nullopt;
    query.remove_prefix(name.size());
    std::chrono::seconds::rep seconds = 0;
    auto const [end, error] = std::from_chars(query.data(), query.data() + query.size(), seconds);
    if (error != std::errc{} || end != query.data() + query.size() || seconds < 1 || seconds > options_.most.count())
        return std::nullopt;
    return std::chrono::seconds(seconds);
}

inline void ProfilingPages::profile(http::Request const& request, Verdict<http::Response> verdict) {
    if (!profiler_.is_linked())
        return verdict.answer(
            no_profile(http::Status::service_unavailable,
                       "this program has no CPU profiler: link libprofiler of gperftools (hubbub::gperftools)"));
    auto const length = length_of(request.query());
    if (!length)
        return verdict.answer(no_profile(http::Status::bad_request,
                                         "the only parameter is seconds=N, from 1 to " + std::to_string(options_.most.count()) +
                                             ": nobody waits longer for a page (ProfilingOptions::most)"));
    // Nothing is measured for who wants no body, so that its length is not known.
    if (request.is_head()) return verdict.answer(http::Response(http::Status::no_content));
    profiler_.take(*length, std::move(verdict));
}

inline http::Response ProfilingPages::heap(http::Request const& request) const {
    if (!request.query().empty()) return no_parameters();
    if (!tools_.sample_heap)
        return no_profile(http::Status::service_unavailable,
                          "this program does not allocate with tcmalloc: link it, or start the program with "
                          "LD_PRELOAD=libtcmalloc.so.4, and with TCMALLOC_SAMPLE_PARAMETER=524288");
    std::string sample;
    tools_.sample_heap(&sample);
    // Else it is a warning about that, in several lines.
    if (!sample.starts_with("heap profile:"))
        return no_profile(
            http::Status::service_unavailable,
            "tcmalloc takes no samples of the heap: start the program with TCMALLOC_SAMPLE_PARAMETER=524288, and not "
            "with tcmalloc_minimal");
    return profile_page(std::move(sample));
}

inline http::Response ProfilingPages::growth(http::Request const& request) const {
    if (!request.query().empty()) return no_parameters();
    if (!tools_.growth_stacks)
        return no_profile(http::Status::service_unavailable,
                          "this program does not allocate with tcmalloc: link it, or start the program with "
                          "LD_PRELOAD=libtcmalloc.so.4");
    std::string stacks;
    tools_.growth_stacks(&stacks);
    return profile_page(std::move(stacks));
}

inline http::Response ProfilingPages::cmdline(http::Request const& request) {
    if (!request.query().empty()) return no_parameters();
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    std::string words{std::istreambuf_iterator<char>(file), {}};
    if (words.empty()) return no_profile(http::Status::service_unavailable, "/proc/self/cmdline cannot be read");
    if (words.back() == '\0') words.pop_back();  // a NUL separates them
    return profile_page(std::move(words));
}

inline http::Response ProfilingPages::symbol(http::Request const& request) {
    auto names = symbol_names(request.query());
    if (!names) return no_profile(http::Status::bad_request, "the query is a list of addresses, as in 0x401000+0x401020");
    return profile_page(std::move(*names));
}
}  // namespace hubbub::inline v0::detail
