// hubbub: the handler needs on_message(
#include <hubbub/server/server.hpp>

struct Handler : hubbub::NoopHandler {
    void on_message(auto&, std::string) {}  // a MessageView is no string: it may be binary
};

void make() { hubbub::Server server{Handler{}, {.port = 8080}}; }
