#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hiredis/hiredis.h>
#include <asio/post.hpp>

#include <hubbub/backplane/redis/redis_options.hpp>
#include <hubbub/backplane/redis/redis_reader.hpp>
#include <hubbub/backplane/redis/redis_socket.hpp>
#include <hubbub/backplane/redis/redis_url.hpp>
#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>

namespace hubbub::inline v0::detail {

class RedisLink;

/// What a link tells whoever made it; in a turn of the loop.
struct RedisLinkOwner {
    /// It is connected and authenticated: what it is told from here on is sent.
    virtual void on_link_up(RedisLink& link) = 0;
    /// A reply that answers no call.
    virtual void on_link_push(RedisLink& link, redisReply const& reply) = 0;
    /// It is closed, and its calls are not answered yet: see `fail_calls`.
    virtual void on_link_lost(RedisLink& link, std::string_view why) = 0;

   protected:
    ~RedisLinkOwner() = default;
};

/// As whom a link speaks.
struct RedisLogin {
    std::string user, password, name;
    std::uint32_t database = 0;
};

/// One connection: bytes of commands out, replies in. Handlers keep the link and, while they run, its owner.
///
/// Threading: the loop's. Cost: a command is copied once from what hiredis has made of it; all of a turn are one write.
class RedisLink : public std::enable_shared_from_this<RedisLink> {
   public:
    /// Null: the link was lost before the answer came.
    using Answer = UniqueFunction<void(redisReply const*)>;

    RedisLink(AsioLoop& loop, RedisOptions const& options, std::weak_ptr<RedisLinkOwner> owner)
        : loop_(loop),
          socket_(loop.context()),
          limit_(loop.executor()),
          owner_(std::move(owner)),
          reader_(options.longest_reply) {}

    void connect(RedisUrl::Place const& place, RedisTls const* tls, RedisLogin const& login, std::chrono::milliseconds limit);

    /// One command. Its answer comes in the order of the calls.
    void call(std::span<std::string_view const> words, Answer answer) {
        append(words);
        answers_.push_back(std::move(answer));
    }
    void call(std::initializer_list<std::string_view> words, Answer answer) {
        call(std::span(words.begin(), words.size()), std::move(answer));
    }
    /// One command that is answered by pushes.
    void say(std::span<std::string_view const> words) { append(words); }

    /// It ends as if it had been cut, because of what only its owner sees. In a turn.
    void lose(std::string_view why) {
        if (auto const owner = owner_.lock()) lose(*owner, std::string(redis_error(why)));
    }

    /// What was told goes out, in one write if the last one has ended.
    void flush() {
        if (!writing_ && !closed_ && is_open_ && !unsent_.empty()) write();
    }

    /// All that it had to do within the limit is done.
    void settled() noexcept {
        is_settled_ = true;
        limit_.cancel();
    }

    /// Ends it; nobody is told.
    void close() noexcept {
        if (std::exchange(closed_, true)) return;
        owner_.reset();
        limit_.cancel();
        socket_.close();
    }
    /// Answers what is open, of a link that is closed. The answers may do anything.
    void fail_calls() {
        while (!answers_.empty()) {
            Answer answer = take_answer();
            answer(nullptr);
        }
    }

    std::string const& address() const noexcept { return address_; }
    bool is_closed() const noexcept { return closed_; }
    bool is_settled() const noexcept { return is_settled_; }

   private:
    template <class Function>
    void in_turn(Function&& function) {
        auto const owner = owner_.lock();  // it lives until the turn has ended
        if (closed_ || !owner) return;
        loop_.claim();
        loop_.turn([&] { function(*owner); });
    }
    Answer take_answer() {
        Answer answer = std::move(answers_.front());
        answers_.pop_front();
        return answer;
    }
    void append(std::span<std::string_view const> words);
    void log_in(RedisLogin const& login);
    void expect_ok(std::string what);
    void lose(RedisLinkOwner& owner, std::string const& why) {
        if (closed_) return;
        close();
        owner.on_link_lost(*this, address_ + ": " + why);
    }
    void read();
    void on_read(std::size_t size, RedisLinkOwner& owner);
    void write();

    AsioLoop& loop_;
    RedisSocket socket_;
    AsioLoop::Timer limit_;
    std::weak_ptr<RedisLinkOwner> owner_;
    RedisReader reader_;
    std::string address_;
    std::string unsent_, sending_;
    std::deque<Answer> answers_;
    std::string refusal_;  // what the server said to the login
    bool is_open_ = false, is_settled_ = false, writing_ = false, closed_ = false;
    std::vector<char const*> pointers_;
    std::vector<std::size_t> sizes_;
    std::array<char, 16384> incoming_;
};

inline void RedisLink::connect(RedisUrl::Place const& place, RedisTls const* tls, RedisLogin const& login,
                               std::chrono::milliseconds limit) {
    address_ = place.text();
    limit_.expires_after(limit);
    limit_.async_wait([self = shared_from_this()](std::error_code error) {
        if (error || self->is_settled_) return;
        self->in_turn([&](RedisLinkOwner& owner) { self->lose(owner, "no answer within the limit"); });
    });
    auto const connected = [self = shared_from_this(), login](std::error_code error) {
        self->in_turn([&](RedisLinkOwner& owner) {
            if (error) return self->lose(owner, error.message());
            self->is_open_ = true;
            self->log_in(login);
            self->read();
        });
    };
    if (std::string const wrong = tls ? socket_.use_tls(*tls, place.host) : std::string(); !wrong.empty()) {
        asio::post(loop_.executor(), [self = shared_from_this(), wrong] {
            self->in_turn([&](RedisLinkOwner& owner) { self->lose(owner, wrong); });
        });
        return;
    }
    socket_.connect(place, connected);
}

inline void RedisLink::append(std::span<std::string_view const> words) {
    pointers_.clear();
    sizes_.clear();
    for (std::string_view const word : words) {
        pointers_.push_back(word.data() ? word.data() : "");
        sizes_.push_back(word.size());
    }
    char* command = nullptr;
    int const size = ::redisFormatCommandArgv(&command, static_cast<int>(words.size()), pointers_.data(), sizes_.data());
    if (size < 0) detail::throw_exception(std::bad_alloc());
    unsent_.append(command, static_cast<std::size_t>(size));
    ::redisFreeCommand(command);
}

inline void RedisLink::expect_ok(std::string what) {
    answers_.emplace_back([this, what = std::move(what)](redisReply const* reply) {
        if (reply && reply->type == REDIS_REPLY_ERROR && refusal_.empty())
            refusal_ = what + ": " + std::string(redis_error(redis_text(*reply)));
    });
}

inline void RedisLink::log_in(RedisLogin const& login) {
    if (!login.password.empty()) {
        std::array<std::string_view, 3> const words{"AUTH", login.user.empty() ? std::string_view(login.password) : login.user,
                                                    login.password};
        append(std::span(words).first(login.user.empty() ? 2 : 3));
        expect_ok("AUTH");
    }
    if (login.database != 0) {
        std::string const number = std::to_string(login.database);
        append(std::array<std::string_view, 2>{"SELECT", number});
        expect_ok("SELECT");
    }
    append(std::array<std::string_view, 3>{"CLIENT", "SETNAME", login.name});
    answers_.emplace_back([this](redisReply const* reply) {
        // Old or restricted servers need not take the name; but who wants a password, or nobody, says so here.
        if (reply && reply->type == REDIS_REPLY_ERROR && refusal_.empty())
            if (auto const text = redis_text(*reply); !text.starts_with("ERR unknown") && !text.starts_with("NOPERM"))
                refusal_ = redis_error(text);
        auto const owner = owner_.lock();
        if (!reply || !owner) return;
        if (!refusal_.empty()) return lose(*owner, refusal_);
        owner->on_link_up(*this);
        flush();
    });
    flush();
}

inline void RedisLink::read() {
    socket_.read_some(asio::buffer(incoming_), [self = shared_from_this()](std::error_code error, std::size_t size) {
        self->in_turn([&](RedisLinkOwner& owner) {
            if (error) return self->lose(owner, error == asio::error::eof ? "the server has closed it" : error.message());
            self->on_read(size, owner);
        });
    });
}

inline void RedisLink::on_read(std::size_t size, RedisLinkOwner& owner) {
    reader_.feed({incoming_.data(), size}, [&](redisReply const& reply) {
        // A push is an array, and so is the answer of a script; a link has either calls or subscriptions.
        if (answers_.empty()) {
            owner.on_link_push(*this, reply);
        } else {
            Answer answer = take_answer();
            answer(&reply);
        }
        return !closed_;
    });
    if (closed_) return;
    if (reader_.failed()) return lose(owner, reader_.why());
    flush();
    read();
}

inline void RedisLink::write() {
    writing_ = true;
    sending_.swap(unsent_);
    socket_.write(asio::buffer(sending_), [self = shared_from_this()](std::error_code error, std::size_t) {
        self->writing_ = false;
        static constexpr std::size_t worth_keeping = std::size_t{1} << 16;
        self->sending_.clear();
        if (self->sending_.capacity() > worth_keeping) self->sending_.shrink_to_fit();
        if (!error) return self->flush();
        self->in_turn([&](RedisLinkOwner& owner) { self->lose(owner, error.message()); });
    });
}

}  // namespace hubbub::inline v0::detail
