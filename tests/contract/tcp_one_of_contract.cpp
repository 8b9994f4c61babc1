#include <hubbub/transport/one_of.hpp>

#include "tests/contract/byte_connection_contract.hpp"
#include "tests/contract/memory_fixture.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_contract;

namespace {

using Both = hubbub::OneOf<hubbub::TcpConnection, hubbub::MemoryConnection>;

/// A loop whose driver serves both kinds, with connections of the one or of the other.
template <bool in_memory>
class BothFixture {
   public:
    using Connection = Both;
    using Peer = std::conditional_t<in_memory, MemoryPeer, hubbub_test::RawPeer>;
    struct Pair {
        Both::Socket socket;
        Peer peer;
    };

    BothFixture() { loop_.attach(&hook_); }
    ~BothFixture() { loop_.attach(nullptr); }

    Both::Driver& driver() { return driver_; }
    hubbub::ShardLoop& loop() { return loop_; }

    Pair connect() {
        if constexpr (in_memory) {
            // The mode that holds between turns: the commit of the second driver is needed too.
            hubbub::MemorySocket socket = MemoryNetwork::connect(hubbub::MemoryMode::deferred);
            Peer peer(socket.wire);
            return {Both::Socket(std::in_place_index<1>, std::move(socket)), std::move(peer)};
        } else {
            auto pair = tcp_.connect();
            return {Both::Socket(std::in_place_index<0>, std::move(pair.socket)), std::move(pair.peer)};
        }
    }
    bool pump_until(std::function<bool()> const& is_done) {
        for (int i = 0; i < 20000; ++i) {
            if (is_done()) return true;
            (void)pump(i < 10 ? 0 : 1);
        }
        return is_done();
    }
    bool settles() {
        int idle = 0;
        for (int i = 0; i < 1000; ++i)
            if (!pump(0) && ++idle == 5) return true;
        return false;
    }

   private:
    struct Hook final : hubbub::TurnHook {
        explicit Hook(Both::Driver& of) : driver(of) {}
        void on_turn_begin() noexcept override {}
        void on_turn_end() noexcept override { driver.commit(); }
        void on_wake() noexcept override {}
        Both::Driver& driver;
    };

    bool pump(int milliseconds) {
        if constexpr (in_memory)
            return MemoryNetwork::move(loop_, driver_.second());
        else
            return loop_.run_turn() || loop_.poll_watched(milliseconds);
    }

    hubbub::ManualLoop loop_;
    Both::Driver driver_{loop_, {}};
    Hook hook_{driver_};
    hubbub_test::TcpFixture tcp_{hubbub_test::TcpFixture::epoll_without_asio};  // only to make sockets with
};
using First = BothFixture<false>;
using Second = BothFixture<true>;

}  // namespace

TEMPLATE_TEST_CASE("OneOf writes as a ByteConnection must", "[tcp]", First, Second) { writing_keeps_the_contract<TestType>(); }

TEMPLATE_TEST_CASE("OneOf reads as a ByteConnection must", "[tcp]", First, Second) { reading_keeps_the_contract<TestType>(); }

TEMPLATE_TEST_CASE("OneOf ends as a ByteConnection must", "[tcp]", First, Second) { ending_keeps_the_contract<TestType>(); }

TEMPLATE_TEST_CASE("OneOf moves as a ByteConnection must", "[tcp]", First, Second) { moving_keeps_the_contract<TestType>(); }
