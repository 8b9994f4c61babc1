#pragma once

#include <atomic>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include <hubbub/core/assert.hpp>
#include <hubbub/ws/frame_header.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// One encoded message: header and payload, immutable, shared by reference count between threads.
///
/// Make it once, publish it as often as you like; a copy costs one atomic increment.
/// Threading: any thread may hold, copy and destroy one.
/// Cost: one allocation and one copy of the payload when it is made.
class Frame {
   public:
    static Frame text(std::string_view payload) { return Frame(MessageView::text(payload)); }
    static Frame binary(std::span<std::byte const> payload) { return Frame(MessageView::binary(payload)); }
    explicit Frame(MessageView message) : body_(Body::make(message)) {}

    Frame(Frame const& other) noexcept : body_(other.body_) { body_->references.fetch_add(1, std::memory_order_relaxed); }
    Frame(Frame&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
    Frame& operator=(Frame other) noexcept {
        std::swap(body_, other.body_);
        return *this;
    }
    ~Frame() { release(body_); }

    /// Header and payload as they go to the socket.
    std::span<std::byte const> wire() const noexcept { return {body_->bytes(), body_->size}; }
    MessageView message() const noexcept {
        return {body_->opcode, std::span<std::byte const>(body_->bytes() + body_->header, body_->size - body_->header)};
    }
    /// To be sent or published; the view lives as long as the frame.
    operator MessageView() const noexcept { return message(); }
    /// Bytes of the payload.
    std::size_t size() const noexcept { return body_->size - body_->header; }

    /// Gives the reference away, as one pointer; `adopt` takes it back.
    void* release() && noexcept { return std::exchange(body_, nullptr); }
    static Frame adopt(void* reference) noexcept { return Frame(static_cast<Body*>(reference)); }

   private:
    struct Body {
        std::atomic<std::size_t> references{1};
        std::size_t size;
        std::uint8_t header;
        ws::Opcode opcode;

        std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }

        static Body* make(MessageView message) {
            std::size_t const size = ws::server_frame_size(message.size());
            auto* body = ::new (::operator new(sizeof(Body) + size)) Body;
            body->size = size;
            body->opcode = message.opcode();
            body->header = static_cast<std::uint8_t>(size - message.size());
            ws::encode_server_frame(body->bytes(), message.opcode(), message.payload());
            return body;
        }
    };

    explicit Frame(Body* body) noexcept : body_(body) {}
    static void release(Body* body) noexcept {
        if (body && body->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            body->~Body();
            ::operator delete(body);
        }
    }

    Body* body_;
};

}  // namespace hubbub::inline v0
