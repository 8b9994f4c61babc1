#include <hubbub/transport/memory/manual_loop.hpp>

#include "tests/contract/shard_loop_contract.hpp"

namespace {

class ManualFixture {
   public:
    /// All manual loops run on one thread.
    static constexpr bool knows_threads = false;

    hubbub::ShardLoop& loop() { return loop_; }
    void start() {}
    void in_loop(std::function<void()> const& function) { function(); }
    bool pump_until(std::function<bool()> const& is_done) {
        for (int i = 0; i < 1000 && !is_done(); ++i) (void)step();
        return is_done();
    }
    void settle() {
        for (int i = 0; i < 1000 && step(); ++i) {}
    }
    void pass(hubbub::Duration duration) { loop_.run_for(duration); }

   private:
    bool step() { return loop_.run_turn() || loop_.run_timer() || loop_.poll_watched(0); }

    hubbub::ManualLoop loop_;
};

}  // namespace

TEST_CASE("ManualLoop posts as a ShardLoop must") { hubbub_contract::posting_keeps_the_contract<ManualFixture>(); }

TEST_CASE("ManualLoop wakes as a ShardLoop must") { hubbub_contract::waking_keeps_the_contract<ManualFixture>(); }

TEST_CASE("ManualLoop watches as a ShardLoop must") { hubbub_contract::watching_keeps_the_contract<ManualFixture>(); }
