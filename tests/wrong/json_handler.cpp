// hubbub: a handler of json::Router takes (session, T const&)
#include <hubbub/json/router.hpp>

struct Session {
    void send(std::string_view) {}
};

void make(Session& session, hubbub::MessageView message) {
    auto const router = hubbub::json::Router{}.on<int>("number", [](int) {});
    router(session, message);
}
