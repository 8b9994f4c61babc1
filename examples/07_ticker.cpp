// Prices for everybody: of each share a slow client gets the newest, and never an old one behind it.
//   07_ticker               serves ws://127.0.0.1:8080
//   07_ticker --self-test
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

// [topics]
/// Of a topic with prices a full queue keeps the newest of each key; other topics follow the policy.
struct PricesByKey {
    hubbub::TopicOptions options_for(std::string_view topic) const {
        if (topic == "prices") return {hubbub::OverflowAction::replace_key};
        return {};
    }
};
struct TickerPolicy : hubbub::DefaultPolicy {
    using Topics = PricesByKey;
};
// [/topics]

struct Ticker : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("prices"); }
};

/// A thread of the program; `publish` may be called on any.
static void quote(hubbub::Server<TickerPolicy>& server, std::atomic<bool> const& goes_on) {
    constexpr std::string_view shares[] = {"ACME", "HUB", "LOUD"};
    auto const broadcaster = server.hub().broadcaster();
    for (std::uint64_t price = 100; goes_on; ++price) {
        // [publish]
        std::uint64_t const share = price % 3;
        hubbub::PublishOptions options;
        options.key = share + 1;
        auto const frame = hubbub::Frame::text(std::string(shares[share]) + " " + std::to_string(price));
        static_cast<void>(broadcaster.publish("prices", frame, std::move(options)));
        // [/publish]
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    hubbub::Server<TickerPolicy> server{Ticker{}, {.port = static_cast<std::uint16_t>(is_test ? 0 : 8080)}};
    std::atomic<bool> goes_on{true};
    std::thread quotes([&] { quote(server, goes_on); });
    bool fine = true;
    if (is_test) {
        std::thread runner([&] { server.run(); });
        {
            hubbub::testing::SocketClient client(server.port());
            for (int i = 0; i < 6; ++i) fine = fine && client.receive().find(' ') != std::string::npos;
        }
        server.stop();
        runner.join();
    } else {
        std::cout << "ws://127.0.0.1:" << server.port() << std::endl;
        server.run_until_signal();
    }
    goes_on = false;
    quotes.join();
    return fine ? 0 : 1;
}
