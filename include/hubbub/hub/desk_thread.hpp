#pragma once

#include <memory>
#include <utility>

#include <hubbub/hub/broker_desk.hpp>

namespace hubbub::inline v0 {

/// A hub's desk at its brokers, and the thread that it has.
///
/// Threading: made and destroyed on the hub's thread; the desk lives on its own. Its
/// destructor waits for the turn that runs; what the broker has not got by then is lost: see Hub::drain.
template <HubPolicy Policy>
class DeskThread {
   public:
    explicit DeskThread(HubOptions<Policy> const& options) : thread_(Policy::Backplane::make_thread(options.backplane)) {}
    ~DeskThread() {
        ShardLoop& loop = thread_->loop();
        if (loop.runs_here() && !loop.in_turn()) {
            desk_->reset();
        } else {  // with its loop, if that does not come to it
            loop.post([desk = std::move(desk_)] { desk->reset(); });
        }
    }
    DeskThread(DeskThread const&) = delete;
    DeskThread& operator=(DeskThread const&) = delete;

    ShardLoop& loop() noexcept { return thread_->loop(); }
    void start(HubOptions<Policy> const& options, DeskShared const& shared) {
        thread_->loop().post([options, shared, desk = desk_, thread = thread_.get()] {
            *desk = std::make_unique<BrokerDesk<Policy>>(options, shared, *thread);
        });
    }

   private:
    using Desk = std::unique_ptr<BrokerDesk<Policy>>;
    std::unique_ptr<typename Policy::Backplane::Thread> thread_;
    std::shared_ptr<Desk> desk_ = std::make_shared<Desk>();  // made on its thread
};

namespace detail {
template <HubPolicy Policy>
struct DeskOf {
    struct type {};
};
template <HubPolicy Policy>
    requires RemoteBackplane<typename Policy::Backplane>
struct DeskOf<Policy> {
    using type = DeskThread<Policy>;
};
}  // namespace detail

/// What a hub has of it: nothing without a broker.
template <HubPolicy Policy>
using DeskOf = typename detail::DeskOf<Policy>::type;

}  // namespace hubbub::inline v0
