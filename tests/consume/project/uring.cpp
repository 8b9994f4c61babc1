#include <asio/io_context.hpp>

#include <hubbub/transport/tcp/tcp_driver.hpp>

bool uring_works();
bool uring_works() {
    asio::io_context context;
    hubbub::AsioLoop loop(context);
    hubbub::TcpDriver const driver(loop);  // the ring's, or epoll's and why
    return driver.engine_name() == "uring" || !driver.engine_remark().empty();
}
