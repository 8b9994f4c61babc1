#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/hub/outbound_queue.hpp>
#include <hubbub/ws/block_pool.hpp>
#include <hubbub/ws/frame_header.hpp>

/// Blocks with messages, and what a queue would write, for tests of queues.
namespace queue_bed {

using namespace hubbub;
using Texts = std::vector<std::string>;

/// The payloads of whole frames.
inline Texts texts(std::string_view bytes) {
    Texts result;
    while (!bytes.empty()) {
        auto const size = ws::server_frame_size(reinterpret_cast<std::byte const*>(bytes.data()));
        std::size_t const header = size < 128 ? 2 : 4;
        result.emplace_back(bytes.substr(header, size - header));
        bytes.remove_prefix(size);
    }
    return result;
}
inline std::string bytes_of(OutboundQueue const& queue) {
    std::string bytes;
    for (ws::Slice const& slice : queue.pending()) bytes.append(reinterpret_cast<char const*>(slice.data()), slice.length);
    return bytes;
}

struct Bed {
    struct Message {
        std::string_view text;
        std::uint64_t key = 0;
        std::int64_t expires_at = 0;
    };

    /// A block of a topic, with one reference that is ours until `forget`.
    ws::Block* block(std::uint32_t topic, std::initializer_list<Message> messages, ws::Opcode opcode = ws::Opcode::text) {
        std::size_t size = 0;
        for (auto const& message : messages) size += ws::server_frame_size(message.text.size());
        ws::Block* const made = pool.make(size, topic);
        for (auto const& message : messages) {
            if (message.key || message.expires_at) pool.note(made, {made->size, 0, message.key, message.expires_at});
            std::byte* const out = made->bytes + made->size;
            auto const header = ws::encode_server_header(out, opcode, message.text.size());
            if (!message.text.empty()) std::memcpy(out + header, message.text.data(), message.text.size());
            made->size += static_cast<std::uint32_t>(header + message.text.size());
        }
        blocks.push_back(made);
        return made;
    }
    ws::Block* control(ws::Opcode opcode, std::string_view text) { return block(ws::Block::no_topic, {{text}}, opcode); }
    void push(OutboundQueue& queue, ws::Block* from) {
        queue.push(from, 0, from->size, OutboundQueue::count({from, 0, from->size}));
    }
    void push(OutboundQueue& queue, std::uint32_t topic, std::initializer_list<Message> messages) {
        push(queue, block(topic, messages));
    }
    void forget() {
        for (ws::Block* const each : blocks) pool.release(each);
        blocks.clear();
    }
    /// True when every block has gone back.
    bool is_clean() {
        forget();
        return pool.ledger().used() == 0;
    }
    ~Bed() { forget(); }

    ws::BlockPool pool;
    std::vector<ws::Block*> blocks;
};

}  // namespace queue_bed
