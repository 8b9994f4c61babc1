#include <hubbub/ws/frame.hpp>

#ifdef WITH_TCP
bool tcp_works();
#else
static bool tcp_works() { return true; }
#endif

#ifdef WITH_URING
bool uring_works();
#else
static bool uring_works() { return true; }
#endif

#ifdef WITH_TLS
bool tls_works();
#else
static bool tls_works() { return true; }
#endif

#ifdef WITH_JSON
bool json_works();
#else
static bool json_works() { return true; }
#endif

#ifdef WITH_WEBSOCKETPP
bool websocketpp_works();
#else
static bool websocketpp_works() { return true; }
#endif

#ifdef WITH_JWT
bool jwt_works();
#else
static bool jwt_works() { return true; }
#endif

#ifdef WITH_DEFLATE
bool deflate_works();
#else
static bool deflate_works() { return true; }
#endif

#ifdef WITH_REDIS
bool redis_works();
#else
static bool redis_works() { return true; }
#endif
#ifdef WITH_NATS
bool nats_works();
#else
static bool nats_works() { return true; }
#endif
#ifdef WITH_PROMETHEUS
bool prometheus_works();
#else
static bool prometheus_works() { return true; }
#endif
#ifdef WITH_OPERATIONS
bool operations_works();
#else
static bool operations_works() { return true; }
#endif
#ifdef WITH_GPERFTOOLS
bool gperftools_works();
#else
static bool gperftools_works() { return true; }
#endif
#ifdef WITH_SPDLOG
bool spdlog_works();
#else
static bool spdlog_works() { return true; }
#endif

int main() {
    auto const frame = hubbub::Frame::text("hello");
    bool const works = tcp_works() && uring_works() && tls_works() && json_works() && websocketpp_works() && jwt_works() &&
                       deflate_works() && redis_works() && nats_works() && prometheus_works() && operations_works() &&
                       gperftools_works() && spdlog_works();
    return frame.size() == 5 && frame.wire().size() == 7 && works ? 0 : 1;
}
