#pragma once

#include <optional>
#include <thread>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <hubbub/transport/tcp/asio_loop.hpp>

namespace hubbub::inline v0 {

/// A loop with a thread of its own, for what must not wait for the loops of sessions nor hold them up.
///
/// Threading: made and destroyed on another thread than its own. Lifetime: its destructor waits for the turn that runs, and no more;
/// what was posted and has not run is destroyed by it.
class AsioThread {
   public:
    AsioThread() : work_(context_.get_executor()), loop_(std::in_place, context_), thread_([this] { context_.run(); }) {}
    ~AsioThread() {
        context_.stop();
        thread_.join();
        loop_.reset();
    }
    AsioThread(AsioThread const&) = delete;
    AsioThread& operator=(AsioThread const&) = delete;

    AsioLoop& loop() noexcept { return *loop_; }
    asio::io_context& context() noexcept { return context_; }

   private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::optional<AsioLoop> loop_;
    std::thread thread_;
};

}  // namespace hubbub::inline v0
