// An echo that shows profiles of itself, and leaks when it is told to: for profiling.py and docs/operations/profiling.md.
//   hubbub_profiled_server
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <hubbub/profiling/add_profiling.hpp>
#include <hubbub/server/server.hpp>

/// Named, and in a frame of its own, so that a profile can name it.
extern "C" [[gnu::noinline]] void* planted_leak(std::size_t bytes) {
    static void* volatile last;
    last = std::malloc(bytes);
    return last;
}

namespace {
struct NoLimitOfRate : hubbub::DefaultPolicy {
    using Rates = hubbub::NoRates;
};
struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) {
        if (message.view() == "leak") static_cast<void>(planted_leak(std::size_t{1} << 20));
        session.send(message);
    }
};
}  // namespace

int main() {
    using namespace std::chrono_literals;
    // A page that is being measured is waited for when the server ends, as long as the drain lasts.
    hubbub::Server<NoLimitOfRate> server{
        Echo{}, {.port = 0, .threads = 2, .drain = {.deadline = 500ms}, .on_ready = [](hubbub::Endpoint const& where) {
                     std::cout << "listening on " << where.to_string() << std::endl;
                 }}};
    // [add]
    hubbub::add_profiling(server.routes());
    // [/add]
    // No loop is on the first thread, so that what a profile has of loops it has of others.
    std::thread loops([&] { server.run_until_signal(); });
    loops.join();
}
