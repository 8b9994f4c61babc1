// A redis-server of a test: on a free port, with a folder of its own, without persistence.
#pragma once

#include <signal.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <hiredis/hiredis.h>

#include "tests/support/child_process.hpp"

namespace hubbub_test {

/// Says something to a server, and waits for the reply, which it writes as text; "(lost)" if none came.
inline std::string ask_redis(std::uint16_t port, std::initializer_list<std::string_view> words,
                             std::string const& password = {}) {
    timeval const limit{5, 0};
    std::unique_ptr<redisContext, void (*)(redisContext*)> const context(::redisConnectWithTimeout("127.0.0.1", port, limit),
                                                                         ::redisFree);
    if (!context || context->err != 0) return "(lost)";
    ::redisSetTimeout(context.get(), limit);
    auto const say = [&](std::initializer_list<std::string_view> said) -> std::string {
        std::vector<char const*> pointers;
        std::vector<std::size_t> sizes;
        for (std::string_view const word : said) {
            pointers.push_back(word.data());
            sizes.push_back(word.size());
        }
        auto* const reply = static_cast<redisReply*>(
            ::redisCommandArgv(context.get(), static_cast<int>(pointers.size()), pointers.data(), sizes.data()));
        if (!reply) return "(lost)";
        std::string text;
        if (reply->type == REDIS_REPLY_INTEGER) text = std::to_string(reply->integer);
        if (reply->str) text.assign(reply->str, reply->len);
        for (std::size_t i = 0; i < reply->elements; ++i)
            if (reply->element[i]->str) text.append(reply->element[i]->str, reply->element[i]->len).append("\n");
        ::freeReplyObject(reply);
        return text;
    };
    if (!password.empty()) say({"AUTH", password});
    return say(words);
}

class RedisServer {
   public:
    static bool is_installed() { return !find_program("redis-server").empty(); }

    explicit RedisServer(std::vector<std::string> options = {}) : options_(std::move(options)), port_(free_port()) { start(); }

    void start() {
        launch();
        wait_until([&] { return ask({"PING"}) != "(lost)" && !ask({"PING"}).starts_with("LOADING"); });
    }
    /// Begins it, and does not wait until it answers.
    void launch(std::vector<std::string> const& more = {}) {
        std::vector<std::string> words{find_program("redis-server")};
        auto const add = [&](std::vector<std::string> const& some) { words.insert(words.end(), some.begin(), some.end()); };
        add({"--port", port_text(), "--bind", "127.0.0.1", "--dir", folder_.text()});
        add({"--save", "", "--appendonly", "no", "--loglevel", "verbose", "--repl-diskless-sync-delay", "0"});
        add(options_);
        add(more);
        process_.emplace(std::move(words), folder_ / "log");
    }
    template <class Condition>
    static void wait_until(Condition&& is_so) {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!is_so()) {
            if (std::chrono::steady_clock::now() > end)
                throw std::runtime_error("a redis-server did not do what a test waits for");
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    void end() { process_.reset(); }
    void restart() {
        end();
        start();
    }
    void freeze() { process_->send(SIGSTOP); }
    void thaw() { process_->send(SIGCONT); }
    std::string ask(std::initializer_list<std::string_view> words, std::string const& password = {}) const {
        return ask_redis(port_, words, password);
    }
    std::uint16_t port() const { return port_; }
    std::string port_text() const { return std::to_string(port_); }
    std::string path(std::string const& name) const { return folder_ / name; }

   private:
    ScratchFolder folder_;
    std::vector<std::string> options_;
    std::uint16_t port_;
    std::optional<ChildProcess> process_;
};

}  // namespace hubbub_test
