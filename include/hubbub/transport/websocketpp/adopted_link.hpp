#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <websocketpp/common/asio.hpp>
#include <websocketpp/common/network.hpp>
#include <websocketpp/connection.hpp>

#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/websocketpp/adopt_options.hpp>
#include <hubbub/transport/websocketpp/adopted_port.hpp>
#include <hubbub/ws/close_payload.hpp>

namespace hubbub::inline v0::detail {

/// What the shard wants done with a connection by the endpoint.
enum class AdoptedTask : std::uint8_t { send, ping, close, leave, reset };

/// The two sides of an adopted connection: its endpoint's thread or strand (E), and the shard's loop (S).
///
/// Threading: each call says which side. Lifetime: shared by the connection's handlers, the socket or session, and what is under
/// way. It refers to the connection weakly.
/// Cost: a batch that is sent takes no allocation: what counts its references lives in here.
///
/// Why it is long: the two sides are one state, and what each may touch when has to be seen in one place.
template <class Con>
class AdoptedLink final : public AdoptedSender, public std::enable_shared_from_this<AdoptedLink<Con>> {
   public:
    using MessagePtr = typename Con::message_ptr;
    using Executor = decltype(std::declval<Con&>().get_raw_socket().get_executor());

    AdoptedLink(Con& connection, AdoptOptions options)
        : connection_(connection.get_shared()),
          executor_(connection.get_raw_socket().get_executor()),
          options_(std::move(options)) {}

    std::shared_ptr<Con> connection() const { return connection_.lock(); }
    bool is_gone() const noexcept { return connection_.expired(); }
    Executor const& executor() const noexcept { return executor_; }

    // ---- E

    Identity take_identity() { return std::move(options_.identity); }
    /// Sets the handlers.
    void install(Con& connection);
    /// Does what the shard wants, in its order.
    void perform(AdoptedTask task, MessagePtr message);
    /// The same from any thread, on the endpoint's.
    void post(AdoptedTask task) {
        websocketpp::lib::asio::post(executor_, [self = this->shared_from_this(), task] { self->perform(task, nullptr); });
    }

    // ---- S

    /// Now that shard is told. `late`: word of what is written may go behind what the endpoint is doing.
    void attach(std::shared_ptr<AdoptedPort> port, MessageConnectionOwner& owner, bool late);
    /// It is told no more, for a while or, if `for_good`, for ever.
    void detach(bool for_good);
    void forget_owner() noexcept { owner_ = nullptr; }
    void set_paused(bool paused);
    void hold(std::uint32_t bytes) noexcept { held_ = bytes; }
    bool is_over() const noexcept { return is_over_; }
    void deliver(AdoptedPort const& port) override;

   private:
    struct Event {
        enum class Kind : std::uint8_t { message, pong, peer_close, violation, lost };
        Kind kind = Kind::lost;
        CloseCode code = CloseCode::abnormal;
        MessagePtr message{};
        std::string text{};

        std::size_t cost() const { return 128 + (message ? message->get_payload().size() : text.size()); }
    };
    /// Keeps the message that a batch shares with others.
    struct Share {
        MessagePtr message;
        void operator()(void*) const noexcept {}
    };
    /// Gives the room in the link to what counts the references of a batch; that it comes back says that websocketpp is done with it.
    template <class T>
    struct Room {
        using value_type = T;
        AdoptedLink* link;

        explicit Room(AdoptedLink* whose) noexcept : link(whose) {}
        template <class U>
        Room(Room<U> const& other) noexcept : link(other.link) {}
        T* allocate(std::size_t) {
            static_assert(sizeof(T) <= sizeof link->room_ && alignof(T) <= alignof(std::max_align_t));
            return reinterpret_cast<T*>(link->room_);
        }
        void deallocate(T*, std::size_t) noexcept { link->on_released(); }
        template <class U>
        bool operator==(Room<U> const& other) const noexcept {
            return link == other.link;
        }
    };
    static constexpr std::size_t most_unread_pongs = 4096;  // bytes

    void send(Con& connection, MessagePtr message);
    void close(Con& connection, MessagePtr const& message);
    void reset(Con& connection);
    void on_released() noexcept;
    void on_event(Event event);
    void on_closed(Con& connection);
    bool wants_pong(Con& connection) const {
        // RFC 6455 5.5.3: not each ping needs its own. Else who sends pings and reads nothing fills websocketpp's queue.
        return connection.get_buffered_amount() <= in_flight_ + most_unread_pongs;
    }
    bool take_event(Event& event);
    /// Reads from it again.
    void resume(std::shared_ptr<Con> stopped);
    /// With the mutex.
    void call() {
        if (port_ && !is_called_ && !is_paused_ && next_ != events_.size()) {
            is_called_ = true;
            port_->call(this->shared_from_this());
        }
    }

    std::weak_ptr<Con> connection_;
    Executor executor_;

    AdoptOptions options_;               // E, and the next four
    std::shared_ptr<AdoptedLink> self_;  ///< while a batch of ours is in websocketpp's hands
    std::size_t in_flight_ = 0;          ///< bytes of it
    std::optional<std::string> pinged_;  ///< what the hub's ping said
    bool is_refused_ = false, has_closed_ = false;
    bool is_idle_ = false;  ///< no read is under way, or none will be when this one is dealt with

    std::mutex mutex_;
    std::shared_ptr<AdoptedPort> port_;  // these with the mutex
    std::vector<Event> events_;
    std::size_t next_ = 0, waiting_ = 0;  ///< the first event that is not told; what all of them cost
    bool is_called_ = false, is_late_ = false, is_paused_ = false, is_deaf_ = false;
    std::shared_ptr<Con> stopped_;  ///< the connection, while it is not read from: else websocketpp forgets one without a read
    bool is_released_ = false;      ///< the batch is out, and that is not told

    MessageConnectionOwner* owner_ = nullptr;  // S
    std::uint32_t held_ = 0;
    bool is_over_ = false;  ///< that the connection has ended was told

    alignas(std::max_align_t) std::byte room_[96];
};

// ---- the endpoint's side

template <class Con>
void AdoptedLink<Con>::install(Con& connection) {
    // websocketpp finds the order of bytes out when it first sends a control frame, and keeps it where two threads race: once, before.
    [[maybe_unused]] static auto const order = websocketpp::lib::net::_htonll(1);
    auto const self = this->shared_from_this();
    connection.set_message_handler([self](websocketpp::connection_hdl const&, MessagePtr message) {
        self->on_event({.kind = Event::Kind::message, .message = std::move(message)});
    });
    connection.set_pong_handler([self](websocketpp::connection_hdl const& hdl, std::string payload) {
        bool const is_ours = self->pinged_ == payload;
        if (is_ours) self->pinged_.reset();
        self->on_event({.kind = Event::Kind::pong, .text = payload});
        if (!is_ours && self->options_.on_pong) self->options_.on_pong(hdl, std::move(payload));
    });
    connection.set_ping_handler([self](websocketpp::connection_hdl const& hdl, std::string payload) {
        auto const con = self->connection_.lock();
        return con && self->wants_pong(*con) && (!self->options_.on_ping || self->options_.on_ping(hdl, std::move(payload)));
    });
    connection.set_close_handler([self](websocketpp::connection_hdl const& hdl) {
        if (auto const con = self->connection_.lock()) self->on_closed(*con);
        if (self->options_.on_close) self->options_.on_close(hdl);
    });
}

template <class Con>
void AdoptedLink<Con>::perform(AdoptedTask task, MessagePtr message) {
    auto const con = connection_.lock();
    if (!con) return;
    auto const act = [](AdoptedLink& link, Con& connection, AdoptedTask what, MessagePtr with) {
        switch (what) {
            case AdoptedTask::send: return link.send(connection, std::move(with));
            case AdoptedTask::ping: {
                link.pinged_ = with->get_payload();
                websocketpp::lib::error_code unless_open;
                return connection.ping(*link.pinged_, unless_open);
            }
            case AdoptedTask::close: return link.close(connection, with);
            case AdoptedTask::leave: {
                link.has_closed_ = true;
                websocketpp::lib::error_code unless_open;
                return connection.close(websocketpp::close::status::going_away, {}, unless_open);
            }
            case AdoptedTask::reset: return link.reset(connection);
        }
    };
    auto const strand = con->get_strand();
    if (!strand) return act(*this, *con, task, std::move(message));
    // Here and now, unless another thread is in the strand.
    websocketpp::lib::asio::dispatch(*strand, [act, self = this->shared_from_this(), con, task, message = std::move(message)] {
        act(*self, *con, task, message);
    });
}

template <class Con>
void AdoptedLink<Con>::send(Con& connection, MessagePtr message) {
    if (connection.get_state() != websocketpp::session::state::open) return;  // the end is near, and will be told
    in_flight_ = message->get_payload().size();
    self_ = this->shared_from_this();
    auto* const bytes = message.get();
    MessagePtr const batch(bytes, Share{std::move(message)}, Room<std::byte>(this));
    is_refused_ = static_cast<bool>(connection.send(batch));
}

template <class Con>
void AdoptedLink<Con>::close(Con& connection, MessagePtr const& message) {
    has_closed_ = true;
    auto const said = ws::parse_close_payload(std::as_bytes(std::span(message->get_payload())));
    websocketpp::lib::error_code error;
    connection.close(static_cast<websocketpp::close::status::value>(said.code), std::string(said.reason), error);
    if (error && connection.get_state() == websocketpp::session::state::open) reset(connection);
}

template <class Con>
void AdoptedLink<Con>::reset(Con& connection) {
    has_closed_ = true;
    websocketpp::lib::asio::error_code ignored;
    auto& socket = connection.get_raw_socket();
    socket.set_option(websocketpp::lib::asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
    connection.terminate(std::make_error_code(std::errc::connection_aborted));
}

/// websocketpp has written the batch, or dropped it because the connection is lost: then that is told next.
template <class Con>
void AdoptedLink<Con>::on_released() noexcept {
    auto const self = std::move(self_);
    in_flight_ = 0;
    if (std::exchange(is_refused_, false)) return;
    bool posts_late = false;
    std::shared_ptr<AdoptedPort> port;
    {
        std::lock_guard lock(mutex_);
        if (!port_) return;
        is_released_ = true;
        if (std::exchange(is_called_, true)) return;
        if (!is_late_) return port_->call(self);
        posts_late = port_->call_late(self);
        if (posts_late) port = port_;
    }
    if (posts_late) websocketpp::lib::asio::post(executor_, [port = std::move(port)] { port->post_late(); });
}

template <class Con>
void AdoptedLink<Con>::on_event(Event event) {
    std::shared_ptr<Con> stops;
    {
        std::lock_guard lock(mutex_);
        if (is_deaf_) return;
        waiting_ += event.cost();
        events_.push_back(std::move(event));
        if (waiting_ > options_.inbound_bytes && !stopped_) stops = stopped_ = connection_.lock();
        call();
    }
    if (!stops) return;
    // Not `pause_reading`, which takes effect when the next read is under way: a resumption before that one ends would begin a second.
    stops->handle_pause_reading();
    is_idle_ = true;
}

template <class Con>
void AdoptedLink<Con>::on_closed(Con& connection) {
    std::shared_ptr<Con> stopped;
    {
        std::lock_guard lock(mutex_);
        stopped.swap(stopped_);
    }
    using Kind = typename Event::Kind;
    constexpr auto none = websocketpp::close::status::abnormal_close;
    constexpr auto empty = websocketpp::close::status::no_status;
    auto const remote = connection.get_remote_close_code();
    auto const local = connection.get_local_close_code();
    auto const& remote_reason = connection.get_remote_close_reason();
    auto const& local_reason = connection.get_local_close_reason();
    bool const heard = remote == empty || (remote != none && is_valid_on_wire(remote));
    // websocketpp answers a Close with what it said, and an empty one with 1000.
    bool const answered = (local == remote && local_reason == remote_reason) || remote == empty;
    if (heard && (has_closed_ || answered || local == none))
        on_event({.kind = Kind::peer_close, .code = static_cast<CloseCode>(remote), .text = remote_reason});
    else if (!has_closed_ && local != none)
        on_event({.kind = Kind::violation, .code = static_cast<CloseCode>(local), .text = local_reason});
    else
        on_event({.kind = Kind::lost});
}

// ---- the shard's side

template <class Con>
void AdoptedLink<Con>::attach(std::shared_ptr<AdoptedPort> port, MessageConnectionOwner& owner, bool late) {
    owner_ = &owner;
    std::lock_guard lock(mutex_);
    if (port_ == port) return call();
    port_ = std::move(port);
    is_late_ = late;
    is_called_ = false;
    call();
}

template <class Con>
void AdoptedLink<Con>::detach(bool for_good) {
    owner_ = nullptr;
    held_ = 0;
    std::vector<Event> dropped;
    std::shared_ptr<Con> stopped;
    {
        std::lock_guard lock(mutex_);
        port_ = nullptr;
        is_called_ = is_paused_ = is_released_ = false;
        if (!for_good) return;
        is_deaf_ = true;
        dropped.swap(events_);
        stopped.swap(stopped_);
        next_ = waiting_ = 0;
    }
    if (stopped) resume(std::move(stopped));
}

template <class Con>
void AdoptedLink<Con>::set_paused(bool paused) {
    std::lock_guard lock(mutex_);
    is_paused_ = paused;
    call();
}

template <class Con>
void AdoptedLink<Con>::deliver(AdoptedPort const& port) {
    bool is_released = false;
    std::size_t left = 0;  // what comes meanwhile waits for the next turn
    {
        std::lock_guard lock(mutex_);
        if (port_.get() != &port) return;  // it has another one by now
        is_called_ = false;
        is_released = std::exchange(is_released_, false);
        left = events_.size() - next_;
    }
    if (is_released && owner_) owner_->on_written(std::exchange(held_, 0));
    Event event;
    for (; left && owner_ && take_event(event); --left) {
        switch (event.kind) {
            case Event::Kind::message: {
                std::string const& payload = event.message->get_payload();
                bool const is_text = event.message->get_opcode() == websocketpp::frame::opcode::text;
                owner_->on_message({is_text ? ws::Opcode::text : ws::Opcode::binary, std::as_bytes(std::span(payload))});
                break;
            }
            case Event::Kind::pong: owner_->on_pong(std::as_bytes(std::span(event.text))); break;
            case Event::Kind::peer_close: owner_->on_peer_close(event.code, event.text); break;
            case Event::Kind::violation: owner_->on_peer_violation(event.code, event.text); break;
            case Event::Kind::lost: break;
        }
        if (event.kind == Event::Kind::message || event.kind == Event::Kind::pong) continue;
        is_over_ = true;  // what is queued can no longer be written
        if (owner_ && (held_ || event.kind == Event::Kind::lost)) std::exchange(owner_, nullptr)->on_lost();
    }
    if (!owner_) return;  // who has moved calls when it starts again
    std::lock_guard lock(mutex_);
    call();
}

template <class Con>
bool AdoptedLink<Con>::take_event(Event& event) {
    std::shared_ptr<Con> stopped;
    {
        std::lock_guard lock(mutex_);
        if (is_paused_ || next_ == events_.size()) return false;
        event = std::move(events_[next_++]);
        waiting_ -= event.cost();
        if (next_ == events_.size() || next_ >= 64) {
            events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(next_));
            next_ = 0;
        }
        if (waiting_ <= options_.inbound_bytes / 2) stopped.swap(stopped_);
    }
    if (stopped) resume(std::move(stopped));
    return true;
}

template <class Con>
void AdoptedLink<Con>::resume(std::shared_ptr<Con> stopped) {
    websocketpp::lib::asio::post(executor_, [self = this->shared_from_this(), con = std::move(stopped)] {
        auto const act = [self, con] {
            {
                std::lock_guard lock(self->mutex_);
                if (self->stopped_) return;  // there was more behind it in what had been read
            }
            if (!std::exchange(self->is_idle_, false)) return;
            // A violation ends the reading, and nothing that follows it may be read.
            if (con->get_state() == websocketpp::session::state::open || self->has_closed_) con->handle_resume_reading();
        };
        if (auto const strand = con->get_strand())
            websocketpp::lib::asio::dispatch(*strand, act);
        else
            act();
    });
}

}  // namespace hubbub::inline v0::detail
