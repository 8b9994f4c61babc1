#include <hubbub/operations/live/operations_server.hpp>

bool operations_works();
bool operations_works() {
    hubbub::Server server{hubbub::NoopHandler{}, {.port = 0, .threads = 1}};
    hubbub::OperationsServer const operations{server.hub(), {.port = 0}};
    return operations.port() != 0;
}
