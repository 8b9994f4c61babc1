#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/one_of_decoder.hpp>

namespace hubbub::inline v0 {

/// The drivers of both kinds, on one loop.
template <ByteConnection A, Connection B>
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
    bool writes_at_once() const noexcept { return hubbub::writes_at_once(first_) && hubbub::writes_at_once(second_); }
    std::size_t footprint() const noexcept {
        std::size_t sum = 0;
        if constexpr (requires { first_.footprint(); }) sum += first_.footprint();
        if constexpr (requires { second_.footprint(); }) sum += second_.footprint();
        return sum;
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
    /// Null: it is a socket of the first kind.
    B* second() noexcept { return std::get_if<1>(this); }
};

/// A connection of either kind, so that one hub has both: sockets and memory, plain and foreign, old and new. The second may be one of
/// an engine that owns the protocol.
///
/// Threading and lifetime: as every Connection. Cost: one branch a call.
/// Example: `hubbub::Hub<hubbub::OneOf<hubbub::TcpConnection, hubbub::MemoryConnection>> hub{loop, Chat{}};`
template <ByteConnection A, Connection B>
class OneOf {
   public:
    using Driver = OneOfDriver<A, B>;
    using Socket = OneOfSocket<typename A::Socket, typename B::Socket>;
    using Decoder = std::conditional_t<MessageConnection<B> || std::is_same_v<DecoderOf<A>, DecoderOf<B>>, DecoderOf<A>,
                                       OneOfDecoder<DecoderOf<A>, DecoderOf<B>>>;

    OneOf(Driver& driver, Socket socket) : connection_(make(driver, std::move(socket))) {}

    void start(ByteConnectionOwner& owner) {
        visit([&owner](auto& connection) {
            if constexpr (requires { connection.start(owner); }) connection.start(owner);
        });
    }
    void start(ByteConnectionOwner& of_bytes, MessageConnectionOwner& of_messages)
        requires MessageConnection<B>
    {
        if (B* const second = std::get_if<1>(&connection_)) return second->start(of_messages);
        start(of_bytes);
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
        if (A* const first = std::get_if<0>(&connection_)) return Socket(std::in_place_index<0>, first->detach());
        return Socket(std::in_place_index<1>, std::get_if<1>(&connection_)->detach());
    }
    PeerAddress peer() const {
        return std::visit([](auto const& connection) { return connection.peer(); }, connection_);
    }
    auto certificate() const
        requires requires(A const& first) { first.certificate(); }
    {
        A const* const first = std::get_if<0>(&connection_);
        return first ? first->certificate() : nullptr;
    }
    /// It is a B.
    bool is_second() const noexcept { return connection_.index() == 1; }

    // ---- of an engine
    bool has_engine() const noexcept
        requires MessageConnection<B>
    {
        return is_second();
    }
    void send_ping(std::span<std::byte const> payload)
        requires MessageConnection<B>
    {
        std::get_if<1>(&connection_)->send_ping(payload);
    }
    void send_close(CloseCode code, std::string_view reason)
        requires MessageConnection<B>
    {
        std::get_if<1>(&connection_)->send_close(code, reason);
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
