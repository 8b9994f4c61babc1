#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <hiredis/hiredis.h>

namespace hubbub::inline v0::detail {

struct RedisReplyFree {
    void operator()(redisReply* reply) const noexcept { ::freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, RedisReplyFree>;

/// What a string, status or error says; of anything else nothing.
inline std::string_view redis_text(redisReply const& reply) noexcept {
    return reply.str ? std::string_view(reply.str, reply.len) : std::string_view();
}
/// What an error says, without what servers quote of a command that they do not know: passwords and payloads stand there.
inline std::string_view redis_error(std::string_view text) noexcept { return text.substr(0, text.find(", with args")); }
/// The element `index` of an array that has one.
inline redisReply const* redis_element(redisReply const& reply, std::size_t index) noexcept {
    return reply.type == REDIS_REPLY_ARRAY && index < reply.elements ? reply.element[index] : nullptr;
}
inline std::string_view redis_text(redisReply const& reply, std::size_t index) noexcept {
    redisReply const* const element = redis_element(reply, index);
    return element ? redis_text(*element) : std::string_view();
}

/// hiredis' parser, with a limit: what one reply may take. Bytes come in any pieces.
///
/// Errors: after `failed` nothing more comes. Cost: hiredis moves what it still has after each KiB that it has read, so it is fed in
/// pieces.
class RedisReader {
   public:
    explicit RedisReader(std::size_t longest) : reader_(::redisReaderCreate()), longest_(longest) {
        if (!reader_) {
            why_ = "no memory";
            return;
        }
        if (usual().createArray) reader_->fn = &checked();
    }

    /// Takes bytes, and calls `on_reply(redisReply const&)`, which answers whether to go on, for each reply that they complete.
    template <class OnReply>
    void feed(std::string_view bytes, OnReply&& on_reply) {
        while (!failed() && !bytes.empty()) {
            std::string_view const piece = bytes.substr(0, 4096);
            bytes.remove_prefix(piece.size());
            if (::redisReaderFeed(reader_.get(), piece.data(), piece.size()) != REDIS_OK) return fail();
            taken_ += piece.size();
            for (;;) {
                void* raw = nullptr;
                if (::redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) return fail();
                if (!raw) break;
                taken_ = 0;
                RedisReply const reply(static_cast<redisReply*>(raw));
                if (!on_reply(*reply)) return;
            }
            if (taken_ > longest_) {
                why_ = "a reply is longer than RedisBackplane::Options::longest_reply";
                return;
            }
        }
    }

    bool failed() const noexcept { return !why_.empty(); }
    std::string const& why() const noexcept { return why_; }

   private:
    struct Free {
        void operator()(redisReader* reader) const noexcept { ::redisReaderFree(reader); }
    };

    // An array is made when its number of elements is read, before any of them: that number is not believed without limit.
    static constexpr int most_elements = 1 << 20;
    static redisReplyObjectFunctions const& usual() {
        static redisReplyObjectFunctions const functions = [] {
            std::unique_ptr<redisReader, Free> const any(::redisReaderCreate());
            return any ? *any->fn : redisReplyObjectFunctions{};
        }();
        return functions;
    }
    template <class Number>  // another in each version of hiredis
    static void* create_array(redisReadTask const* task, Number elements) {
        return elements > Number{most_elements} ? nullptr : usual().createArray(task, elements);
    }
    static redisReplyObjectFunctions& checked() {
        static redisReplyObjectFunctions functions = [] {
            redisReplyObjectFunctions made = usual();
            made.createArray = &create_array;
            return made;
        }();
        return functions;
    }
    void fail() { why_ = std::string("not the protocol of Redis: ") + reader_->errstr; }

    std::unique_ptr<redisReader, Free> reader_;
    std::size_t longest_;
    std::size_t taken_ = 0;
    std::string why_;
};

}  // namespace hubbub::inline v0::detail
