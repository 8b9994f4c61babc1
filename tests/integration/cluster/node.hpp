// What a node of the cluster is, whichever broker it has: see node.cpp.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <hubbub/server/server.hpp>

namespace cluster_node {

struct Arguments {
    std::string url;
    std::uint16_t port = 0;
};

/// Each in a file of its own, and there if its broker's library is.
int run_redis(Arguments const& arguments);
int run_nats(Arguments const& arguments);

template <class... Words>
std::string line(Words const&... words) {
    std::string text;
    auto const add = [&text](auto const& word) {
        if (!text.empty()) text += ' ';
        if constexpr (std::is_convertible_v<decltype(word), std::string_view>)
            text += word;
        else
            text += std::to_string(word);
    };
    (add(words), ...);
    return text;
}

/// Words between spaces.
class Words {
   public:
    explicit Words(std::string_view text) : rest_(text) {}
    std::string_view next() {
        std::size_t const end = std::min(rest_.find(' '), rest_.size());
        std::string_view const word = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return word;
    }
    std::uint64_t number() {
        std::string_view const word = next();
        std::uint64_t value = 0;
        std::from_chars(word.data(), word.data() + word.size(), value);
        return value;
    }
    bool is_at_end() const noexcept { return rest_.empty(); }

   private:
    std::string_view rest_;
};

/// "m TOPIC EPOCH OFFSET " before what was published; 0 and 0 where it has no place.
struct Placed : hubbub::SilentCodec {
    hubbub::Frame publication(hubbub::PublicationInfo const& info, hubbub::MessageView message) const {
        hubbub::Position const at = info.remembered ? info.position : hubbub::Position{};
        return hubbub::Frame::text(line("m", info.topic, at.epoch, at.offset, message.view()));
    }
};
struct ToErrors {
    void on_event(hubbub::Event const& event) noexcept {
        if (event.name.starts_with("session_")) return;
        std::string const text = line("event", event.name, event.detail) + '\n';
        std::fwrite(text.data(), 1, text.size(), stderr);
    }
};
/// A client of `/ann` is Ann.
struct ByPath {
    void authenticate(hubbub::http::Request const& request, hubbub::PeerAddress const&,
                      hubbub::Verdict<hubbub::Authenticated> verdict) {
        hubbub::Identity who;
        who.user = request.path().substr(1);
        verdict.answer(hubbub::Authenticated::as(std::move(who)));
    }
};
template <class Broker>
struct NodePolicy : hubbub::DefaultPolicy {
    using Auth = ByPath;
    using Topics = hubbub::TopicsByName;
    using Codec = Placed;
    using Rates = hubbub::NoRates;
    using EventSink = ToErrors;
    using Backplane = Broker;
};

/// sub TOPIC [EPOCH OFFSET]              -> in | recovered TOPIC EPOCH OFFSET, and later perhaps: lost TOPIC EPOCH OFFSET
/// pub TOPIC PUBLISHER SEQ [BYTES]       -> ack TOPIC PUBLISHER SEQ EPOCH OFFSET REPEATED, or: failed TOPIC PUBLISHER SEQ WHY
/// What is published is "PUBLISHER SEQ", and so many bytes behind it. In a topic that remembers its id is made of it, so that the same
/// may be published again.
struct Hooks : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) {
        Words words(message.view());
        std::string_view const what = words.next();
        std::string_view const topic = words.next();
        if (what == "pub") return publish(session, topic, words);
        if (what != "sub") return session.close(hubbub::CloseCode::policy_violation, "what is that?");
        hubbub::SubscribeOptions options;
        if (!words.is_at_end()) {
            hubbub::Position since;
            since.epoch = words.number();
            since.offset = words.number();
            options.since = since;
        }
        static_cast<void>(session.subscribe(topic, options));
    }
    void on_subscribed(auto& session, hubbub::Subscription const& told) {
        say(session, told.recovered ? "recovered" : "in", told);
    }
    void on_continuity_lost(auto& session, hubbub::Subscription const& told) { say(session, "lost", told); }

   private:
    static void say(auto& session, std::string_view how, hubbub::Subscription const& told) {
        session.send(
            line(how, told.topic, told.remembered ? told.position.epoch : 0, told.remembered ? told.position.offset : 0));
    }
    static void publish(auto& session, std::string_view topic, Words words) {
        std::string_view const publisher = words.next(), number = words.next();
        std::string text = line(publisher, number);
        std::string const name = line(topic, text);
        text.append(words.is_at_end() ? 0 : 1, ' ').append(words.number(), 'x');
        hubbub::PublishOptions options;
        if (!topic.starts_with("plain/")) options.id = std::hash<std::string>{}(name) | 1;
        options.on_receipt = [handle = session.handle(), name](hubbub::PublishReceipt const& receipt) {
            std::string const answer = receipt.failure == hubbub::PublishFailure::none
                                           ? line("ack", name, receipt.remembered ? receipt.position.epoch : 0,
                                                  receipt.remembered ? receipt.position.offset : 0, receipt.repeated ? 1 : 0)
                                           : line("failed", name, static_cast<int>(receipt.failure));
            handle.post([answer](auto& same) { same.send(answer); });
        };
        auto const result = session.publish(topic, hubbub::MessageView::text(text), std::move(options));
        if (result != hubbub::PublishResult::accepted && result != hubbub::PublishResult::apart)
            session.send(line("failed", name, "result", static_cast<int>(result)));
    }
};

template <class Broker>
int run(Arguments const& arguments, typename Broker::Options broker) {
    using namespace std::chrono_literals;
    hubbub::HistoryLimits const history{.messages = 5'000, .bytes = std::size_t{16} << 20};
    hubbub::ServerOptions<NodePolicy<Broker>> options{.port = arguments.port, .threads = 2};
    options.hub.topics.prefixes = {{"kept/", {.history = history}},
                                   {"strict/", {.history = history, .when_apart = hubbub::WhenApart::refuse}}};
    options.hub.backplane = std::move(broker);
    options.hub.outbox.patience = 700ms;
    options.hub.queue.messages = 32'000;
    options.hub.queue.bytes = std::size_t{64} << 20;
    options.hub.limits.per_address = options.hub.limits.in_all = options.hub.limits.per_user = 0;
    options.drain.deadline = 500ms;
    options.on_ready = [](hubbub::Endpoint const& where) { std::cout << "listening on port " << where.port() << std::endl; };
    hubbub::Server<NodePolicy<Broker>> server{Hooks{}, std::move(options)};
    server.routes().add("/state", [&server](hubbub::http::Request const&) {
        hubbub::BackplaneSnapshot const is = server.hub().backplane();
        std::string text;
        auto const add = [&text](std::string_view name, std::uint64_t value) { text += line(name, value) + '\n'; };
        add("continuous", is.continuous);
        add("brokers", is.brokers);
        add("ready", is.ready);
        add("apart", is.apart);
        add("waiting_messages", is.waiting_messages);
        add("waiting_bytes", is.waiting_bytes);
        add("published", is.published);
        add("repeated", is.repeated);
        add("failed", is.failed);
        add("received", is.received);
        add("doubles", is.doubles);
        add("malformed", is.malformed);
        add("losses", is.losses);
        add("interruptions", is.interruptions);
        return hubbub::http::Response(hubbub::http::Status::ok, std::move(text));
    });
    server.routes().add("/revoke", [&server](hubbub::http::Request const& request) {  // /revoke?ann
        server.hub().revoke(hubbub::Target::user(std::string(request.query())));
        return hubbub::http::Response(hubbub::http::Status::ok, "");
    });
    server.run_until_signal();
    return 0;
}

}  // namespace cluster_node
