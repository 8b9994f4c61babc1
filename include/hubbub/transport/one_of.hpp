#pragma once

#include <memory>
#include <span>
#include <utility>
#include <variant>

#include <hubbub/transport/connection.hpp>

namespace hubbub::inline v0 {

/// The drivers of both kinds, on one loop.
template <ByteConnection A, ByteConnection B>
class OneOfDriver {
   public:
    using Loop = typename A::Driver::Loop;
    struct Options {
        typename A::Driver::Options first;
        typename B::Driver::Options second;
    };

    OneOfDriver(ShardLoop& loop, Options const& options) : first_(loop, options.first), second_(loop, options.second) {}

    typename A::Driver& first() noexcept { return first_; }
    typename B::Driver& second() noexcept { return second_; }
    void commit() {
        first_.commit();
        second_.commit();
    }

   private:
    typename A::Driver first_;
    typename B::Driver second_;
};

/// A socket of either kind.
template <class A, class B>
struct OneOfSocket : std::variant<A, B> {
    using std::variant<A, B>::variant;

    PeerAddress peer() const {
        return std::visit([](auto const& socket) { return socket.peer(); }, *this);
    }
};

/// A connection of either kind, so that one hub has both: sockets and memory, plain and foreign, old and new.
///
/// Threading and lifetime: as every ByteConnection. Cost: one branch a call.
/// Example: `hubbub::Hub<hubbub::OneOf<hubbub::TcpConnection, hubbub::MemoryConnection>> hub{loop, Chat{}};`
template <ByteConnection A, ByteConnection B>
class OneOf {
   public:
    using Driver = OneOfDriver<A, B>;
    using Socket = OneOfSocket<typename A::Socket, typename B::Socket>;

    OneOf(Driver& driver, Socket socket) : connection_(make(driver, std::move(socket))) {}

    void start(ByteConnectionOwner& owner) {
        visit([&owner](auto& connection) { connection.start(owner); });
    }
    WriteResult write(std::span<ws::Slice const> slices) {
        return visit([slices](auto& connection) { return connection.write(slices); });
    }
    void pause_reading() {
        visit([](auto& connection) { connection.pause_reading(); });
    }
    void resume_reading() {
        visit([](auto& connection) { connection.resume_reading(); });
    }
    void shutdown() {
        visit([](auto& connection) { connection.shutdown(); });
    }
    void close() {
        visit([](auto& connection) { connection.close(); });
    }
    void reset() {
        visit([](auto& connection) { connection.reset(); });
    }
    Socket detach() {
        return visit([](auto& connection) { return Socket(connection.detach()); });
    }
    PeerAddress peer() const {
        return std::visit([](auto const& connection) { return connection.peer(); }, connection_);
    }

   private:
    using Either = std::variant<A, B>;

    static Either make(Driver& driver, Socket socket) {
        if (auto* first = std::get_if<0>(&socket)) return Either(std::in_place_index<0>, driver.first(), std::move(*first));
        return Either(std::in_place_index<1>, driver.second(), std::move(*std::get_if<1>(&socket)));
    }
    template <class F>
    decltype(auto) visit(F&& function) {
        return std::visit(std::forward<F>(function), connection_);
    }

    Either connection_;
};

}  // namespace hubbub::inline v0
