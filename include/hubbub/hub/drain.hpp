#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include <hubbub/core/completes.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/ws/close_code.hpp>

namespace hubbub::inline v0 {

/// How a hub goes away.
struct DrainOptions {
    CloseCode code = CloseCode::service_restart;  ///< 1012: come again
    std::string reason = "the server restarts";
    std::size_t per_second = 5'000;  ///< sessions that are closed in a second, over all shards
    /// Then what is left is reset. So long it also waits for a broker to get what was published, but at least a second from when the last
    /// session has gone.
    std::chrono::milliseconds deadline{8'000};
};

/// A drain that is under way: new connections are refused, sessions are closed in paced batches, each after what it was sent. With a broker
/// each shard waits behind that until it has got what was published.
///
/// Threading: shared by the shards.
class Drain {
   public:
    /// `completion` runs once, on the loop of the shard that was last.
    Drain(DrainOptions options, std::size_t shards, UniqueFunction<void()> completion)
        : options_(std::move(options)), full_(shards), left_(shards), shards_(shards), completion_(std::move(completion)) {}

    DrainOptions const& options() const noexcept { return options_; }
    /// Sessions that one shard may close in a tick of that length.
    std::size_t batch(std::chrono::milliseconds tick) const noexcept {
        auto const whole = options_.per_second * static_cast<std::size_t>(tick.count()) / 1000 / shards_;
        return whole ? whole : 1;
    }
    /// Each shard, once, if there is a broker: its sessions have gone, and what they have published has been posted. True: it was the last.
    bool shard_is_empty() noexcept { return full_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
    /// The broker has not got everything. True for the shard that is the first to say so.
    bool is_told_unpublished() noexcept { return !unpublished_.exchange(true, std::memory_order_relaxed); }
    /// Each shard, once.
    void shard_is_done() {
        if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1 && completion_) completes([this] { completion_(); });
    }

   private:
    DrainOptions options_;
    std::atomic<std::size_t> full_, left_;  ///< shards
    std::atomic<bool> unpublished_{false};
    std::size_t shards_;
    UniqueFunction<void()> completion_;
};

}  // namespace hubbub::inline v0
