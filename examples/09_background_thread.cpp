// A thread that works for clients and tells them what comes of it, with a Broadcaster that may outlive the hub.
//   09_background_thread               serves ws://127.0.0.1:8080: say a number, hear its factors
//   09_background_thread --self-test
#include <condition_variable>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

/// Work for one thread, from any.
class Works {
   public:
    using Broadcaster = hubbub::Server<>::HubType::BroadcasterType;

    ~Works() {
        if (thread_.joinable()) end();
    }
    // [broadcaster]
    void begin(Broadcaster broadcaster) {
        thread_ = std::thread([this, broadcaster = std::move(broadcaster)] { run(broadcaster); });
    }
    // [/broadcaster]
    void add(hubbub::SessionId who, unsigned long number) {
        std::lock_guard const lock(mutex_);
        waiting_.emplace_back(who, number);
        changed_.notify_one();
    }
    void end() {
        {
            std::lock_guard const lock(mutex_);
            ends_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

   private:
    void run(Broadcaster const& broadcaster) {
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
            if (ends_) return;
            auto const [who, number] = waiting_.front();
            waiting_.pop_front();
            lock.unlock();
            std::string text = std::to_string(number) + " =";
            unsigned long left = number;
            for (unsigned long factor = 2; left > 1 && factor <= left; ++factor)
                for (; left % factor == 0; left /= factor) text.append(" ").append(std::to_string(factor));
            // [send]
            broadcaster.send(who, hubbub::Frame::text(text));  // nothing happens, if it has gone meanwhile
            // [/send]
        }
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::pair<hubbub::SessionId, unsigned long>> waiting_;
    bool ends_ = false;
    std::thread thread_;
};

// [handler]
struct Asker : hubbub::NoopHandler {
    std::shared_ptr<Works> works = std::make_shared<Works>();  // each loop's copy of the handler shares it
    void on_message(auto& session, hubbub::MessageView message) {
        works->add(session.id(), std::strtoul(std::string(message.view()).c_str(), nullptr, 10));
    }
};
// [/handler]

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    Asker asker;
    hubbub::Server server{asker, {.port = static_cast<std::uint16_t>(is_test ? 0 : 8080)}};
    asker.works->begin(server.hub().broadcaster());
    if (!is_test) {
        std::cout << "ws://127.0.0.1:" << server.port() << std::endl;
        server.run_until_signal();
        return 0;
    }
    std::thread runner([&] { server.run(); });
    hubbub::testing::SocketClient client(server.port());
    client.send("84");
    bool const fine = client.receive() == "84 = 2 2 3 7";
    server.stop();
    static_cast<void>(client.receive_close());
    runner.join();
    return fine ? 0 : 1;
}
