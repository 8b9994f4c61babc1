#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hubbub/policy/codec.hpp>
#include <hubbub/protocol/protocol_text.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// How a hub speaks the protocol: `{"type":"publication","topic":…,"epoch":…,"offset":…,"data":…}`, `{"type":"gap","missed":…}`
/// and `{"type":"presence","topic":…,"entered":[…],"left":[…],"sessions":…,"users":…}`.
///
/// Every subscriber of the hub hears this: sessions with another format belong into another hub.
/// Cost: of a publication one reading of its text and one copy, once for all subscribers.
/// Example: `struct ShopPolicy : hubbub::DefaultPolicy { using Codec = hubbub::ProtocolCodec; };`
struct ProtocolCodec {
    std::optional<Frame> gap_notice(std::uint64_t missed) const {
        return Frame::text(ProtocolText("gap").number("missed", missed).text());
    }
    Frame publication(PublicationInfo const& info, MessageView message) const {
        ProtocolText text("publication");
        text.string("topic", info.topic);
        if (info.remembered) text.position(info.position);
        return Frame::text(text.data(message).text());
    }
    std::optional<Frame> presence(PresenceChange const& change) const {
        ProtocolText text("presence");
        text.string("topic", change.topic).members("entered", change.entered).members("left", change.left);
        if (change.untold) text.number("untold", change.untold);
        return Frame::text(text.number("sessions", change.sessions).number("users", change.users).text());
    }
    /// What goes to a session, a user or a label, of no topic: `hub.publish(Target::user("ann"), ProtocolCodec::message(json))`.
    static Frame message(std::string_view json) {
        return Frame::text(ProtocolText("message").data(MessageView::text(json)).text());
    }

    /// What `publication` adds to a message, at most.
    static constexpr std::size_t overhead(std::string_view topic) noexcept { return 6 * topic.size() + 128; }
};
static_assert(Codec<ProtocolCodec> && PublicationCodec<ProtocolCodec> && PresenceCodec<ProtocolCodec>);

}  // namespace hubbub::inline v0
