// Random joins, leaves, publications, direct sends, stalls and closes in every order, over three ways of writing and two
// overflow policies. After every turn: the sums match (L0), no limit is overstepped, and each client has got exactly what was
// meant for it, in order, less what was counted as dropped (L1).
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <hubbub/hub/delivery.hpp>
#include <hubbub/testing/seeds.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

/// A message that was meant for a client: its place in the order of the program, and its topic; 3 is a direct send.
struct Meant {
    std::size_t place;
    std::uint32_t topic;
};

struct Client {
    Subscriber subscriber;
    std::string wire;  // what its socket took
    std::unordered_map<std::string, Meant> expected;
    std::uint32_t room = ~0u;
    bool member[3] = {};
    // What of the wire was looked at, how many messages those were, and the least place that may follow, for each topic.
    std::size_t checked = 0, whole = 0;
    std::size_t next[3] = {};
};

class Run {
   public:
    explicit Run(std::uint32_t seed)
        : random_(seed),
          limits_{seed % 4 == 0 ? 1u << 28 : 200 + pick(3000), 2 + pick(60)},
          delivery_(limits_, overflow_, SipHash{seed, 7}) {
        overflow_.action = pick(2) ? OverflowAction::drop_oldest : OverflowAction::drop_newest;
        for (auto const* name : {"a", "b", "c"}) topics_.push_back(delivery_.topics().intern(name));
        for (int i = 0; i < 8; ++i) clients_.push_back(std::make_unique<Client>());
    }
    ~Run() {
        for (auto& client : clients_) {
            delivery_.leave_all(client->subscriber);
            delivery_.admission().drop_all(client->subscriber);
        }
    }

    void steps(int count) {
        while (count-- > 0) {
            for (std::uint32_t events = pick(10); events-- > 0;) event();
            end_turn();
            check();
        }
        for (auto& client : clients_) client->room = ~0u;
        for (auto& client : clients_) wake(*client);
        end_turn();
        check();
        for (auto& client : clients_) REQUIRE(client->subscriber.queue.empty());
    }

   private:
    struct AnyOverflow {
        OverflowAction action = OverflowAction::drop_oldest;
        OverflowAction on_full(QueueState const&, OverflowingMessage const&) const noexcept { return action; }
    };

    std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
    Client& any() { return *clients_[pick(8)]; }
    std::string fresh() { return std::to_string(++number_) + ":" + std::string(pick(12) ? pick(60) : pick(3000), 'x'); }

    void publish(std::uint32_t topic, Client* except) {
        std::string const text = fresh();
        if (!delivery_.fits(text.size())) return;
        delivery_.publish(topics_[topic], MessageView::text(text), except ? &except->subscriber : nullptr);
        for (auto& client : clients_)
            if (client->member[topic] && client.get() != except)
                client->expected.emplace(text, Meant{client->expected.size(), topic});
    }
    void event() {
        Client& client = any();
        std::uint32_t const topic = pick(3);
        switch (pick(9)) {
            case 0:
            case 1: return publish(topic, nullptr);
            case 2:
            case 3: return publish(topic, &client);
            case 4: {
                std::string const text = fresh();
                if (delivery_.send(client.subscriber, MessageView::text(text)))
                    client.expected.emplace(text, Meant{client.expected.size(), 3});
                return;
            }
            case 5:
            case 6:
                if (client.member[topic]) return;
                delivery_.join(client.subscriber, topics_[topic]);
                client.member[topic] = true;
                return;
            case 7:
                if (!client.member[topic]) return;
                delivery_.leave(client.subscriber, topics_[topic]);
                client.member[topic] = false;
                return;
            default: client.room = pick(3) ? pick(400) : ~0u; wake(client);
        }
    }
    void wake(Client& client) {
        client.subscriber.blocked = false;
        if (!client.subscriber.queue.empty()) delivery_.admission().want_flush(client.subscriber);
    }
    void end_turn() {
        delivery_.fan_out();
        for (Subscriber* subscriber : std::exchange(delivery_.admission().flush_list(), {})) {
            subscriber->in_flush_list = false;
            for (auto& client : clients_)
                if (&client->subscriber == subscriber) flush(*client);
        }
        delivery_.end_turn();
    }
    void flush(Client& client) {
        std::uint32_t taken = 0;
        OutboundQueue& queue = client.subscriber.queue;
        for (ws::Slice const& slice : queue.pending()) {
            std::uint32_t const part = std::min(slice.length, client.room);
            client.wire.append(reinterpret_cast<char const*>(slice.data()), part);
            if (client.room != ~0u) client.room -= part;
            taken += part;
            if (part < slice.length) break;
        }
        bool const all = taken == queue.bytes();
        delivery_.admission().note_written(client.subscriber, taken);
        client.subscriber.blocked = !all;
        if (!all) queue.compact(delivery_.pool(), pick(2) != 0);
    }
    void check() {
        std::uint64_t pending = 0;
        for (auto& client : clients_) {
            Subscriber const& subscriber = client->subscriber;
            REQUIRE(subscriber.queue.bytes() <= delivery_.admission().limits().bytes);
            REQUIRE(subscriber.queue.messages() <= delivery_.admission().limits().messages);
            REQUIRE(subscriber.accepted() == client->expected.size());
            pending += subscriber.queue.messages();
            check_content(*client);
        }
        auto const& counts = delivery_.counts();
        REQUIRE(counts.deliveries == counts.written + counts.all_dropped() + pending);
    }
    /// What arrived since the last look was meant for this client, and keeps the order of its topic and of the direct sends; so
    /// nothing comes twice.
    void check_content(Client& client) {
        std::string_view rest = std::string_view(client.wire).substr(client.checked);
        while (rest.size() >= 4) {
            auto const* frame = reinterpret_cast<std::byte const*>(rest.data());
            std::size_t const size = ws::server_frame_size(frame);
            if (size > rest.size()) break;
            std::size_t const header = (frame[1] & std::byte{127}) < std::byte{126} ? 2 : 4;
            auto const found = client.expected.find(std::string(rest.substr(header, size - header)));
            REQUIRE(found != client.expected.end());
            auto const [place, topic] = found->second;
            for (std::uint32_t other = 0; other < 3; ++other) {
                if (topic != 3 && topic != other) continue;
                REQUIRE(place >= client.next[other]);
                client.next[other] = place + 1;
            }
            ++client.whole;
            client.checked += size;
            rest.remove_prefix(size);
        }
        REQUIRE(client.whole == client.subscriber.written);
    }

    std::mt19937 random_;
    AnyOverflow overflow_;
    QueueLimits limits_;
    Delivery delivery_;
    std::vector<std::uint32_t> topics_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::uint64_t number_ = 0;
};

}  // namespace

TEST_CASE("L0 and L1 hold on one shard, whatever happens in whichever order") {
    using hubbub::testing::Seeds;
    for (auto const seed : Seeds(300)) {
        INFO(Seeds::replay(seed, "L0 and L1 hold on one shard, whatever happens in whichever order"));
        Run(static_cast<std::uint32_t>(seed)).steps(60);
    }
}
