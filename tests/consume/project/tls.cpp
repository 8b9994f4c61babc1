#include <stdexcept>

#include <hubbub/server/server.hpp>

bool tls_works();
bool tls_works() {
    try {
        hubbub::Server const server{hubbub::NoopHandler{},
                                    {.port = 0, .tls = {.certificate = "-----BEGIN nothing"}, .threads = 1}};
    } catch (std::invalid_argument const&) {  // what was linked looks into the text
        return true;
    }
    return false;
}
