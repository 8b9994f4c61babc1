// hubbub: Policy::EventSink needs void on_event(Event const&) noexcept
#include <hubbub/server/server.hpp>

struct Policy : hubbub::DefaultPolicy {
    struct EventSink {
        void on_event(hubbub::Event const&) {}
    };
};

void make() { hubbub::Server<Policy> server{hubbub::NoopHandler{}, {.port = 8080}}; }
