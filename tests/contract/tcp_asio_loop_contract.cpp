#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <hubbub/transport/tcp/asio_loop.hpp>

#include "tests/contract/shard_loop_contract.hpp"

namespace {

/// An io_context that other threads run: one, or three with the loop as a strand.
template <hubbub::Threading threading>
class AsioFixture {
   public:
    static constexpr bool knows_threads = true;

    AsioFixture() : loop_(context_, threading), work_(asio::make_work_guard(context_)) {}
    ~AsioFixture() {
        work_.reset();
        context_.stop();
        for (auto& thread : threads_) thread.join();
    }

    hubbub::ShardLoop& loop() { return loop_; }
    void start() {
        for (int i = 0; i < (threading == hubbub::Threading::one_thread ? 1 : 3); ++i)
            threads_.emplace_back([this] { context_.run(); });
    }
    void in_loop(std::function<void()> const& function) {
        if (threads_.empty()) start();
        auto const done = std::make_shared<std::promise<void>>();
        hubbub::AsioLoop::Timer timer(loop_.executor(), std::chrono::seconds(0));
        loop_.wait_in_loop(timer, [this, &function, done](std::error_code) {
            loop_.claim();
            function();
            done->set_value();
        });
        done->get_future().wait();
    }
    bool pump_until(std::function<bool()> const& is_done) {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!is_done() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        return is_done();
    }
    void settle() {
        for (int i = 0; i < 10; ++i) in_loop([] {});
    }
    void pass(hubbub::Duration) {}  // it does so by itself

   private:
    asio::io_context context_;
    hubbub::AsioLoop loop_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::vector<std::thread> threads_;
};

using OneThread = AsioFixture<hubbub::Threading::one_thread>;
using Strand = AsioFixture<hubbub::Threading::several_threads>;

}  // namespace

TEMPLATE_TEST_CASE("AsioLoop posts as a ShardLoop must", "[tcp]", OneThread, Strand) {
    hubbub_contract::posting_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("AsioLoop wakes as a ShardLoop must", "[tcp]", OneThread, Strand) {
    hubbub_contract::waking_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("AsioLoop watches as a ShardLoop must", "[tcp]", OneThread, Strand) {
    hubbub_contract::watching_keeps_the_contract<TestType>();
}
