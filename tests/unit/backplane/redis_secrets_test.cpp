#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <hubbub/backplane/redis/redis_backplane.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/secrets.hpp"

namespace redis_secrets {

using namespace hubbub;

/// A server that knows no AUTH and quotes what it is told, as Redis does with commands that it does not know.
class ServerThatQuotes {
   public:
    ServerThatQuotes() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(listener_, 4) == 0);
        REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ServerThatQuotes(ServerThatQuotes const&) = delete;
    ServerThatQuotes& operator=(ServerThatQuotes const&) = delete;
    ~ServerThatQuotes() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    std::uint16_t port() const { return port_; }

   private:
    void serve() const {
        while (true) {
            int const client = ::accept(listener_, nullptr, nullptr);
            if (client < 0) return;
            std::array<char, 4096> said{};
            ssize_t const size = ::recv(client, said.data(), said.size(), 0);
            std::string quoted(said.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
            for (char& each : quoted)
                if (each == '\r' || each == '\n') each = ' ';
            std::string const answer =
                "-ERR unknown command 'AUTH', with args beginning with: '" + quoted + "'\r\n+OK\r\n+OK\r\n";
            (void)::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
            while (::recv(client, said.data(), said.size(), 0) > 0) continue;
            ::close(client);
        }
    }

    int listener_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

/// Keeps what a sink would be told.
struct Host final : BackplaneHost {
    void on_ready(bool, std::string_view reason) override { add("ready", reason); }
    void on_subscribed(std::string_view) override {}
    void on_message(std::string_view, std::string_view, Position) override {}
    void on_published(std::uint64_t, BackplaneOutcome, Position) override {}
    void on_history(std::string_view, BackplaneHistory const&) override {}
    void on_event(std::string_view name, std::string_view detail) override { add(name, detail); }

    void add(std::string_view name, std::string_view detail) {
        std::lock_guard const lock(mutex);
        log.append(name).append(" ").append(detail).append("\n");
        changed.notify_one();
    }
    std::string wait_for(std::string_view text) {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, std::chrono::seconds(10), [&] { return log.find(text) != std::string::npos; });
        return log;
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::string log;
};

/// What is told of a URL, up to that text.
inline std::string told_of(std::string const& url, std::string_view text) {
    RedisBackplane::Options options;
    options.url = url;
    auto const thread = RedisBackplane::make_thread(options);
    Host host;
    std::optional<RedisBackplane> backplane;
    thread->loop().post([&] {
        backplane.emplace(options, std::size_t{0}, std::uint64_t{1}, *thread, host);
        backplane->start();
    });
    std::string const log = host.wait_for(text);
    std::mutex mutex;
    std::condition_variable ended;
    bool has_ended = false;
    thread->loop().post([&] {
        backplane.reset();
        std::lock_guard const lock(mutex);
        has_ended = true;
        ended.notify_one();
    });
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return has_ended; });
    return log;
}

}  // namespace redis_secrets

using namespace redis_secrets;

TEST_CASE("The password of a Redis is in no event, also where the server quotes it") {
    hubbub_test::Secrets secrets;
    std::string const login = secrets.plant("user") + ':' + secrets.plant("password") + '@';
    SECTION("a server that quotes") {
        ServerThatQuotes const server;
        std::string const log = told_of("redis://" + login + "127.0.0.1:" + std::to_string(server.port()), "AUTH");
        CHECK(log.find("AUTH: ERR unknown command 'AUTH'") != std::string::npos);
        CHECK(secrets.found_in(log) == std::vector<std::string>());
    }
    SECTION("no server") {
        for (std::string const& url : {"redis://" + login + "127.0.0.1:1", "redis://" + login + "no-such-host.invalid:1",
                                       "sentinel://" + login + "127.0.0.1:1/name", "redis-cluster://" + login + "127.0.0.1:1",
                                       "unix:///nowhere?password=" + secrets.plant("unixPassword")}) {
            std::string const log = told_of(url, "backplane_retry");
            INFO(url);
            CHECK(log.find("backplane_retry") != std::string::npos);
            CHECK(secrets.found_in(log) == std::vector<std::string>());
        }
    }
    CHECK(secrets.found_in(login).size() >= 2);
}

TEST_CASE("What a Redis quotes of a command that it does not know is cut from its error") {
    CHECK(detail::redis_error("ERR unknown command 'FOO', with args beginning with: 'bar' ") == "ERR unknown command 'FOO'");
    CHECK(detail::redis_error("WRONGPASS invalid") == "WRONGPASS invalid");
    CHECK(detail::redis_error("").empty());
}
