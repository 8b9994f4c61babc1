#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include <hubbub/ws/block.hpp>

namespace hubbub::inline v0::detail {

/// What sendmsg needs beside the bytes, at addresses that stay until the kernel has taken the entries.
///
/// Cost: no allocation once it is as large as a turn needs.
class IovecArena {
   public:
    static constexpr std::size_t most_slices = 1024;  // IOV_MAX of Linux

    /// At most `most_slices`.
    msghdr* make(std::span<ws::Slice const> slices) {
        if (chunk_ == chunks_.size() || used_ + slices.size() > chunk_size) next_chunk();
        iovec* const vectors = chunks_[chunk_]->data() + used_;
        used_ += slices.size();
        for (std::size_t i = 0; i < slices.size(); ++i) vectors[i] = {slices[i].data(), slices[i].length};
        if (message_ == messages_.size()) messages_.emplace_back();
        msghdr& message = messages_[message_++];
        message = {};
        message.msg_iov = vectors;
        message.msg_iovlen = slices.size();
        return &message;
    }
    void clear() noexcept { chunk_ = used_ = message_ = 0; }

   private:
    static constexpr std::size_t chunk_size = 2 * most_slices;

    void next_chunk() {
        if (chunk_ < chunks_.size()) ++chunk_;
        if (chunk_ == chunks_.size()) chunks_.push_back(std::make_unique<std::array<iovec, chunk_size>>());
        used_ = 0;
    }

    std::vector<std::unique_ptr<std::array<iovec, chunk_size>>> chunks_;
    std::deque<msghdr> messages_;
    std::size_t chunk_ = 0, used_ = 0, message_ = 0;
};

}  // namespace hubbub::inline v0::detail
