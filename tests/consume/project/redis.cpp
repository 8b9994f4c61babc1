#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <hubbub/backplane/redis/redis_backplane.hpp>

namespace {
struct Deaf final : hubbub::BackplaneHost {
    void on_ready(bool, std::string_view) override {}
    void on_subscribed(std::string_view) override {}
    void on_message(std::string_view, std::string_view, hubbub::Position) override {}
    void on_published(std::uint64_t, hubbub::BackplaneOutcome, hubbub::Position) override {}
    void on_history(std::string_view, hubbub::BackplaneHistory const&) override {}
    void on_event(std::string_view, std::string_view) override {}
};
}  // namespace

bool redis_works();
bool redis_works() {
    hubbub::RedisBackplane::Options options;
    options.url = "rediss://127.0.0.1:1";
    options.check();
    auto const thread = hubbub::RedisBackplane::make_thread(options);
    Deaf host;
    bool is_done = false;
    std::mutex mutex;
    std::condition_variable done;
    thread->loop().post([&] {
        std::optional<hubbub::RedisBackplane> backplane(std::in_place, options, std::size_t{0}, std::uint64_t{1}, *thread,
                                                        host);
        backplane->start();
        backplane.reset();
        std::lock_guard const lock(mutex);
        is_done = true;
        done.notify_one();
    });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return is_done; });
    return true;
}
