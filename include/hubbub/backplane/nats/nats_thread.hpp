#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/backplane/nats/nats_worker.hpp>
#include <hubbub/transport/tcp/asio_thread.hpp>

namespace hubbub::inline v0 {

/// The loop of a NatsBackplane, on a thread of its own, and the thread that holds its connection: nats.c waits, and the loop does not.
///
/// Threading: made and destroyed on another thread than those. Lifetime: its destructor waits until nats.c comes back.
class NatsThread {
   public:
    NatsThread() = default;
    ~NatsThread() {
        std::unique_lock lock(mutex_);
        auto workers = std::exchange(workers_, {});
        lock.unlock();
        for (auto const& [worker, thread] : workers) worker->stop();
        for (auto& [worker, thread] : workers) thread.join();
    }
    NatsThread(NatsThread const&) = delete;
    NatsThread& operator=(NatsThread const&) = delete;

    AsioLoop& loop() noexcept { return thread_.loop(); }
    asio::io_context& context() noexcept { return thread_.context(); }

    /// Runs it on a thread, which ends with `worker->stop()` and is joined by the destructor.
    void run(std::shared_ptr<detail::NatsWorker> worker) {
        std::lock_guard lock(mutex_);
        std::thread thread([worker] { worker->run(); });
        workers_.emplace_back(std::move(worker), std::move(thread));
    }

   private:
    AsioThread thread_;
    std::mutex mutex_;
    std::vector<std::pair<std::shared_ptr<detail::NatsWorker>, std::thread>> workers_;
};

}  // namespace hubbub::inline v0
