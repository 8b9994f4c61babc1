#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/completes.hpp>
#include <hubbub/core/ids.hpp>
#include <hubbub/core/position.hpp>
#include <hubbub/hub/publication.hpp>
#include <hubbub/hub/publish_options.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// Collects what the shards say of one publication; the last of them tells the publisher.
struct PendingReceipt {
    std::mutex mutex;
    std::size_t open = 1;  ///< shards that have not said yet
    Position position;
    bool repeated = false;
    bool remembered = false;
    PublishFailure failure = PublishFailure::none;
    PublishCounts counts;
    UniqueFunction<void(PendingReceipt const&)> tell;

    void expect(std::size_t more) {
        std::lock_guard lock(mutex);
        open += more;
    }
    void add(PublishCounts const& of_one) {
        {
            std::lock_guard lock(mutex);
            counts += of_one;
            if (--open) return;
        }
        if (tell) tell(*this);
    }
};

inline std::shared_ptr<PendingReceipt> make_receipt(UniqueFunction<void(PublishReceipt const&)> on_receipt) {
    auto pending = std::make_shared<PendingReceipt>();
    pending->tell = [on_receipt = std::move(on_receipt)](PendingReceipt const& all) mutable {
        PublishReceipt receipt{all.position,      all.repeated, all.remembered, all.counts.subscribers,
                               all.counts.queued, {},           all.failure};
        std::copy_n(all.counts.dropped, drop_reasons, receipt.dropped);
        completes([&] { on_receipt(receipt); });
    };
    return pending;
}

/// What one shard or thread tells another shard.
struct Mail {
    enum class Kind : std::uint8_t {
        publish,      ///< to the owner: give it its place
        deliver,      ///< from the owner: fan it out
        interest,     ///< to the owner: we have members
        acknowledge,  ///< from the owner: what follows is for them
        no_interest,  ///< to the owner: we have none any more
        direct,       ///< to one session
        enter,        ///< to the owner: a session is there; the payload says who
        leave,        ///< to the owner: it is not any more
        // Of a topic that remembers. `id` is the recovery's serial in each.
        recover,  ///< to the owner: what a session missed since `position`, or, if `key` is not 0, so many of the newest;
                  ///< `expires_at` is 1 where `position` is none that the session has had
        begin,    ///< from the owner: behind `position` it begins; `key` is 1 if that is where the session had been
        backlog,  ///< from the owner: a message of the past
        end,      ///< from the owner: that is all up to `position`; `key` is 1 if there is more
        lost,     ///< from the owner: members may have missed something before `position`
        // To and from the desk of the backplane, besides `publish`, `interest`, `no_interest`, `recover` to it, and from it `acknowledge`,
        // `deliver`, `begin`, `end` and `backlog`, of which `position.epoch` is when it was published, in ticks. Where a
        // publication is of this node, `id` is the token that the owner has given it; in `publish` it is `position.offset`, and
        // `position.epoch` is 1 if it need not be delivered here. `session.index` is the number of the link.
        announce,   ///< for the other nodes' presences; from it, `id` is the node
        waits,      ///< a publication that a broker has not got, which is not waited for any more
        published,  ///< what became of it: `key` is a PublishFailure, and `expires_at` is 1 if it was repeated
        apart,      ///< broker number `id` is not there
        together,   ///< it is there again
        event,      ///< for the EventSink: the name instead of a topic, and its detail
        flush,      ///< says when the brokers have what was written before; the answer is the same, with the same `id`
    };

    static constexpr std::int64_t for_nobody = -1;  ///< as `expires_at`: it has a place, and makes no sense

    Kind kind;
    ws::Opcode opcode = ws::Opcode::text;
    ShardIndex from;
    SessionId session;  ///< `except` of a publication, or the receiver of a direct send
    Position position;
    std::uint64_t key = 0;
    std::int64_t expires_at = 0;
    std::uint64_t id = 0;  ///< of a publication, or 0
};

/// Letters one behind the other, in the order in which they were written: header, topic, payload. Short payloads are copied,
/// long ones are referred to.
///
/// Threading: its owner's. Cost: no allocation once it has grown to its usual size.
class MailBag {
   public:
    static constexpr std::size_t copied_below = 4096;

    MailBag() = default;
    MailBag(MailBag&& other) noexcept { swap(other); }
    MailBag& operator=(MailBag&& other) noexcept {
        swap(other);
        return *this;
    }
    ~MailBag() { clear(); }

    bool empty() const noexcept { return letters_ == 0; }
    std::size_t letters() const noexcept { return letters_; }
    std::size_t bytes() const noexcept { return bytes_.size() + referred_; }
    static std::size_t size_of(std::string_view topic, std::size_t payload) noexcept {
        return rounded(sizeof(Header) + topic.size() + payload);
    }

    /// `frame` may be null; it holds `payload`, if it is given.
    void put(Mail const& mail, std::string_view topic, std::span<std::byte const> payload, Frame const* frame,
             std::shared_ptr<PendingReceipt> receipt) {
        Header header{mail, static_cast<std::uint16_t>(topic.size()), static_cast<std::uint32_t>(payload.size()), nullptr,
                      nullptr};
        bool const refer = frame && payload.size() >= copied_below;
        if (refer) {
            header.frame = Frame(*frame).release();
            referred_ += payload.size();
        }
        if (receipt) header.receipt = new std::shared_ptr<PendingReceipt>(std::move(receipt));
        std::size_t const at = bytes_.size();
        std::size_t const tail = topic.size() + (refer ? 0 : payload.size());
        bytes_.resize(at + rounded(sizeof header + tail));
        std::byte* out = bytes_.data() + at;
        std::memcpy(out, &header, sizeof header);
        if (!topic.empty()) std::memcpy(out + sizeof header, topic.data(), topic.size());
        if (!refer && !payload.empty()) std::memcpy(out + sizeof header + topic.size(), payload.data(), payload.size());
        ++letters_;
    }

    /// All letters of `other`, behind ours; it is empty then.
    void append(MailBag& other) {
        if (empty()) return swap(other);
        bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
        letters_ += std::exchange(other.letters_, 0);
        referred_ += std::exchange(other.referred_, 0);
        other.bytes_.clear();
    }

    /// Calls `read(Mail const&, string_view topic, MessageView, Frame const*, shared_ptr<PendingReceipt>)` for each letter, and is
    /// empty then. `read` puts nothing into this bag.
    template <class Read>
    void read_all(Read&& read) {
        take_apart([&read](Mail const& mail, std::string_view topic, MessageView message, Frame const* frame,
                           std::shared_ptr<PendingReceipt> receipt) { read(mail, topic, message, frame, std::move(receipt)); });
    }
    void clear() {
        take_apart([](auto const&...) {});
    }
    void swap(MailBag& other) noexcept {
        bytes_.swap(other.bytes_);
        std::swap(letters_, other.letters_);
        std::swap(referred_, other.referred_);
    }

   private:
    struct Header {
        Mail mail;
        std::uint16_t topic;
        std::uint32_t payload;
        void* frame;
        std::shared_ptr<PendingReceipt>* receipt;
    };
    static constexpr std::size_t rounded(std::size_t bytes) noexcept { return (bytes + 7) & ~std::size_t{7}; }

    template <class Read>
    void take_apart(Read&& read) {
        for (std::size_t at = 0; at < bytes_.size();) {
            Header header;
            std::memcpy(&header, bytes_.data() + at, sizeof header);
            std::byte const* tail = bytes_.data() + at + sizeof header;
            std::string_view const topic(reinterpret_cast<char const*>(tail), header.topic);
            std::shared_ptr<PendingReceipt> receipt;
            if (header.receipt) {
                receipt = std::move(*header.receipt);
                delete header.receipt;
            }
            if (header.frame) {
                Frame const frame = Frame::adopt(header.frame);
                read(header.mail, topic, frame.message(), &frame, std::move(receipt));
                at += rounded(sizeof header + header.topic);
            } else {
                MessageView const message(header.mail.opcode, std::span(tail + header.topic, header.payload));
                read(header.mail, topic, message, nullptr, std::move(receipt));
                at += rounded(sizeof header + header.topic + header.payload);
            }
        }
        bytes_.clear();
        letters_ = referred_ = 0;
    }

    std::vector<std::byte> bytes_;
    std::size_t letters_ = 0;
    std::size_t referred_ = 0;
};

}  // namespace hubbub::inline v0
