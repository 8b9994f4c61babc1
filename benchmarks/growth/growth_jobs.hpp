#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/hub/outbound_queue.hpp>
#include <hubbub/ws/frame_header.hpp>

#include "../micro/hub_in_memory.hpp"

/// What a hub does, at a size: how many topics, sessions or memberships there are. A round says how many operations it had, so that
/// what one costs can be compared between sizes: micro/growth_bench.cpp takes the time, tools/guard the instructions.
namespace growth {

using namespace hub_in_memory;

struct Job {
    virtual ~Job() = default;
    /// Operations of the round.
    virtual std::uint64_t round() = 0;
};

inline constexpr std::string_view short_text = "a message of some forty bytes, as in a chat";

/// One session subscribes to so many topics, and leaves each.
struct TopicsOfASession : Job {
    explicit TopicsOfASession(std::size_t size) : names(topic_names(size)) {}
    std::uint64_t round() override {
        MemorySession& session = *world.sessions[0];
        world.turn([&] {
            for (auto const& name : names) session.subscribe(name);
        });
        world.turn([&] {
            for (auto const& name : names) session.unsubscribe(name);
        });
        world.pass(std::chrono::seconds(1));  // they are forgotten
        return names.size();
    }
    World world{1};
    std::vector<std::string> names;
};

/// One session subscribes to so many topics, and is lost.
struct EndOfASession : Job {
    explicit EndOfASession(std::size_t size) : names(topic_names(size)) {}
    std::uint64_t round() override {
        ByteConnectionOwner* owner = nullptr;
        world.sessions.clear();
        world.hub.adopt({&owner}, Upgrade{});
        world.run();
        world.turn([&] {
            for (auto const& name : names) world.sessions[0]->subscribe(name);
        });
        world.turn([&] { owner->on_lost(); });
        world.pass(std::chrono::seconds(1));
        return names.size();
    }
    World world{0};
    std::vector<std::string> names;
};

/// The same from another shard than that of the topics: each asks, and is answered.
struct TopicsOfAnotherShard : Job {
    explicit TopicsOfAnotherShard(std::size_t size) : names(topic_names(size)) {}
    std::uint64_t round() override {
        for (std::size_t shard = 0; shard < 2; ++shard) {
            world.loops[shard]->run_events([&] {
                for (auto const& name : names) world.sessions[shard]->subscribe(name);
            });
            world.run();
        }
        for (std::size_t shard = 0; shard < 2; ++shard) {
            world.loops[shard]->run_events([&] {
                for (auto const& name : names) world.sessions[shard]->unsubscribe(name);
            });
            world.pass(std::chrono::seconds(1));
        }
        return 2 * names.size();
    }
    World world{1, 2};
    std::vector<std::string> names;
};

/// Of a session in so many topics: publications to all but itself, and answers to itself between publications.
struct InManyTopics : Job {
    explicit InManyTopics(std::size_t size) : names(topic_names(size)) {
        world.turn([&] {
            for (auto const& name : names) world.sessions[0]->subscribe(name);
        });
    }
    std::uint64_t round() override {
        MemorySession& session = *world.sessions[0];
        for (int turn = 0; turn < 10; ++turn)
            world.turn([&] {
                for (int i = 0; i < 100; ++i) {
                    auto const& name = names[at = (at + 7919) % names.size()];
                    session.publish_to_others(name, MessageView::text(short_text));
                    session.publish(name, short_text);
                    session.send(short_text);
                }
            });
        return 1000;
    }
    World world{1};
    std::vector<std::string> names;
    std::size_t at = 0;
};

/// Among so many topics of four subscribers each: some come and go with their only subscriber, and others are published to.
struct ChurnAmongTopics : Job {
    explicit ChurnAmongTopics(std::size_t size) : names(topic_names(size)), fleeting(topic_names(size + 1000)) {
        fleeting.erase(fleeting.begin(), fleeting.end() - 1000);
        world.turn([&] {
            for (std::size_t i = 0; i < 4 * names.size(); ++i)
                world.sessions[i % 64]->subscribe(names[(i + i / 64) % names.size()]);
        });
    }
    std::uint64_t round() override {
        world.turn([&] {
            for (auto const& name : fleeting) world.sessions[7]->subscribe(name);
            for (std::size_t i = 0; i < 1000; ++i)
                world.sessions[7]->publish(names[at = (at + 7919) % names.size()], short_text);
        });
        world.turn([&] {
            for (auto const& name : fleeting) world.sessions[7]->unsubscribe(name);
        });
        world.pass(std::chrono::seconds(1));
        return 1000;
    }
    World world{64};
    std::vector<std::string> names, fleeting;
    std::size_t at = 0;
};

/// So many sessions come, and are lost in one turn.
struct ComingAndGoing : Job {
    explicit ComingAndGoing(std::size_t size) : owners(size) {}
    std::uint64_t round() final {
        world.sessions.clear();
        for (auto& owner : owners) world.hub.adopt({&owner}, Upgrade{});
        world.run();
        meanwhile();
        world.turn([&] {
            for (auto* const owner : owners) owner->on_lost();
        });
        world.run();
        return owners.size();
    }
    virtual void meanwhile() = 0;
    World world{0};
    std::vector<ByteConnectionOwner*> owners;
};

/// All of them in one topic.
struct ComeAndGo : ComingAndGoing {
    using ComingAndGoing::ComingAndGoing;
    void meanwhile() override { world.subscribe_all("room"); }
};

/// All of them closed by their label before.
struct CloseByLabel : ComingAndGoing {
    using ComingAndGoing::ComingAndGoing;
    void meanwhile() override {
        world.turn([&] {
            for (auto* const session : world.sessions) session->add_label("guest");
        });
        world.hub.close(Target::label("guest"), CloseCode::normal);
        world.run();
    }
};

/// A hub with so many sessions is drained, a hundred in a tick, and each client ends when it is told to.
struct DrainOfMany : Job {
    explicit DrainOfMany(std::size_t size) : count(size) {}
    std::uint64_t round() override {
        World world(count);
        bool is_over = false;
        world.hub.drain({.per_second = 1000, .deadline = std::chrono::hours(1)}, [&] { is_over = true; });
        std::size_t gone = 0;
        for (int ticks = 0; !is_over && ticks < 1'000'000; ++ticks) {
            world.pass(std::chrono::milliseconds(100));
            world.turn([&] {
                for (std::size_t i = 0; i < 100 && gone < count; ++i) world.owners[gone++]->on_lost();
            });
            world.run();
        }
        return is_over ? count : 0;
    }
    std::size_t count;
};

/// A second in the life of so many sessions at rest, ten snapshots included.
struct AtRest : Job {
    explicit AtRest(std::size_t size) : world(size) {}
    std::uint64_t round() override {
        for (int i = 0; i < 10; ++i) {
            world.pass(std::chrono::milliseconds(100));
            sum += world.hub.snapshot(0).pending;
        }
        return world.sessions.size();
    }
    World world;
    std::uint64_t sum = 0;
};

/// A queue in which so many messages wait, each of which expires.
struct ExpiryInAQueue : Job {
    explicit ExpiryInAQueue(std::size_t size) : count(static_cast<std::uint32_t>(size)) {}
    std::uint64_t round() override {
        std::uint32_t const each = static_cast<std::uint32_t>(ws::server_frame_size(std::size_t{2}));
        ws::Block* const block = pool.make(std::size_t{each} * count, 1);
        for (std::uint32_t i = 0; i < count; ++i) {
            ws::encode_server_header(block->bytes + block->size, ws::Opcode::text, 2);
            pool.note(block, {block->size, 0, 0, 1 + i % 2});  // every second one goes, so that there is much to cut
            block->size += each;
        }
        OutboundQueue queue;
        queue.push(block, 0, block->size, count);
        pool.release(block);
        std::uint32_t const dropped = queue.drop_expired(pool, 2);
        queue.clear(pool);
        return dropped;
    }
    std::uint32_t count;
    ws::BlockPool pool;
};

struct Named {
    char const* name;
    std::unique_ptr<Job> (*make)(std::size_t size);
    std::size_t small, large;  ///< sizes that the guard compares
};
template <class T>
std::unique_ptr<Job> make(std::size_t size) {
    return std::make_unique<T>(size);
}
inline constexpr Named jobs[] = {
    {"topics_of_a_session", make<TopicsOfASession>, 100, 10'000},
    {"topics_of_another_shard", make<TopicsOfAnotherShard>, 100, 10'000},
    {"end_of_a_session", make<EndOfASession>, 100, 10'000},
    {"in_many_topics", make<InManyTopics>, 100, 10'000},
    {"churn_among_topics", make<ChurnAmongTopics>, 100, 10'000},
    {"come_and_go", make<ComeAndGo>, 100, 10'000},
    {"close_by_label", make<CloseByLabel>, 100, 10'000},
    {"drain", make<DrainOfMany>, 1'000, 10'000},
    {"at_rest", make<AtRest>, 1'000, 10'000},
    {"expiry_in_a_queue", make<ExpiryInAQueue>, 100, 3'000},
};

}  // namespace growth
