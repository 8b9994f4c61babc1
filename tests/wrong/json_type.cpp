// hubbub: json::Router::on<T> needs a T that can be read
#include <hubbub/json/router.hpp>

struct Point {  // without NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE
    int x, y;
};
struct Session {
    void send(std::string_view) {}
};

void make(Session& session, hubbub::MessageView message) {
    auto const router = hubbub::json::Router{}.on<Point>("point", [](auto&, Point const&) {});
    router(session, message);
}
