// What each call does inside each hook: a table, one test a cell, and the page docs/callbacks.md, which this program writes when
// HUBBUB_WRITE_PAGES is set in its environment.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>

#include "tests/callbacks/calls.hpp"
#include "tests/support/catch.hpp"

using namespace callbacks;

namespace {

constexpr auto hooks = static_cast<std::size_t>(Hook::count), calls = static_cast<std::size_t>(Call::count);

constexpr char const* hook_names[hooks] = {"`on_open`",
                                           "`on_message`",
                                           "`on_subscribed`",
                                           "`on_pressure`",
                                           "`on_relief`",
                                           "`on_expiring`",
                                           "`on_close`",
                                           "a function of `session.after`",
                                           "a function of `hub.post`",
                                           "a receipt",
                                           "the completion of a drain",
                                           "`authenticate`",
                                           "`authorize`"};
constexpr char const* call_names[calls] = {
    "publish",    "subscribe", "unsubscribe",     "send",  "close its own session", "close another session", "`hub.revoke`",
    "`hub.post`", "`after`",   "`pause_reading`", "drain", "destroy the hub"};

/// What a call does wherever nothing else is said.
constexpr char const* usual[calls] = {"all members get it",
                                      "`on_subscribed` follows, once",
                                      "gets what was published before, nothing after",
                                      "arrives",
                                      "a Close behind what was queued; `on_close` later, once; no message any more",
                                      "a Close; its `on_close` later, once",
                                      "a Close with 4403, what is queued is dropped; `on_close` later, once",
                                      "runs later, once",
                                      "runs at its time, once",
                                      "no message until `resume_reading`, then all",
                                      "all get a Close with 1012, this one too; then the completion, once",
                                      "no hook begins any more; the turn ends, then the connections close"};

std::string expected(Hook hook, Call call) {
    struct Exception {
        Hook hook;
        Call call;
        char const* effect;
    };
    constexpr Exception exceptions[] = {
        // The session has left its topics, and is gone when the hook returns.
        {Hook::on_close, Call::publish, "`closed`"},
        {Hook::on_close, Call::subscribe, "`closed`"},
        {Hook::on_close, Call::unsubscribe, "`false`: it has left already"},
        {Hook::on_close, Call::send, "`closed`"},
        {Hook::on_close, Call::close_own, "nothing: it ends already"},
        {Hook::on_close, Call::revoke, "nothing: it ends already"},
        {Hook::on_close, Call::post, "never runs: the session has gone"},
        {Hook::on_close, Call::after, "never runs: the session has gone"},
        {Hook::on_close, Call::pause_reading, "nothing: it has gone"},
        // All sessions have gone.
        {Hook::drained, Call::publish, "`accepted`, but nobody is left"},
        {Hook::drained, Call::subscribe, "nothing: it has gone"},
        {Hook::drained, Call::unsubscribe, "nothing: it has gone"},
        {Hook::drained, Call::send, "nothing: it has gone"},
        {Hook::drained, Call::close_own, "nothing: it ends already"},
        {Hook::drained, Call::revoke, "nothing: it ends already"},
        {Hook::drained, Call::close_other, "nothing: it has gone"},
        {Hook::drained, Call::post, "never runs: the session has gone"},
        {Hook::drained, Call::after, "never runs: the session has gone"},
        {Hook::drained, Call::pause_reading, "nothing: it has gone"},
        // The session is made after the verdict.
        {Hook::authenticate, Call::publish, "all members get it; this one may be one by then"},
        {Hook::authenticate, Call::subscribe, "there is no session yet"},
        {Hook::authenticate, Call::unsubscribe, "there is no session yet"},
        {Hook::authenticate, Call::send, "there is no session yet"},
        {Hook::authenticate, Call::close_own, "there is no session yet"},
        {Hook::authenticate, Call::revoke, "there is no session yet"},
        {Hook::authenticate, Call::after, "there is no session yet"},
        {Hook::authenticate, Call::pause_reading, "there is no session yet"},
    };
    for (auto const& each : exceptions)
        if (each.hook == hook && each.call == call) return each.effect;
    return usual[static_cast<std::size_t>(call)];
}

/// Makes the hook happen for "self".
template <class WorldType>
void provoke(WorldType& world, Hook hook) {
    auto const& script = world.script;
    SessionId const self = world.client("self").id;
    auto const fill = [&] {
        world.wires["self"]->room = 0;
        for (int i = 0; i < 6; ++i) {
            world.hub->send(self, Frame::text(std::string(90, '.')));
            world.run();
            if (!world.hub) return;
        }
    };
    switch (hook) {
        case Hook::on_open:
        case Hook::authenticate: world.connect("self"); break;
        case Hook::on_message: world.say("self", "hello"); break;
        case Hook::on_subscribed:
        case Hook::authorize: world.say("self", "subscribe"); break;
        case Hook::on_pressure:
        case Hook::on_relief: fill(); break;
        case Hook::on_expiring:
            world.say("self", "expire");
            world.pass(std::chrono::milliseconds(2200));
            break;
        case Hook::on_close: world.wires["self"]->lost = true; break;
        case Hook::after:
            world.say("self", "later");
            world.pass(std::chrono::milliseconds(1100));
            break;
        case Hook::post: world.hub->post(self, [script](auto& session) { script->enter(Hook::post, "self", &session); }); break;
        case Hook::receipt:
            world.hub->publish("room", Frame::text("with a receipt"), {.on_receipt = [script](PublishReceipt const&) {
                                   script->enter(Hook::receipt, "self", nullptr);
                               }});
            break;
        case Hook::drained:
            world.hub->drain({}, [script] { script->enter(Hook::drained, "self", nullptr); });
            world.pass(std::chrono::seconds(3));
            break;
        case Hook::count: break;
    }
    world.run();
    for (auto const& [name, wire] : world.wires) wire->room = MemoryWire::unlimited;
    world.run();
}

template <class Policy>
std::string effect_of(Hook hook, Call call, std::size_t shards, std::uint64_t seed) {
    World<Policy> world(shards, seed);
    Caller<Policy> caller(world, call);
    world.script->action = [&](void* session) { caller.perform(static_cast<typename World<Policy>::SessionType*>(session)); };
    world.connect("other");
    bool const comes_later = hook == Hook::on_open || hook == Hook::authenticate;
    if (!comes_later) world.connect("self");
    world.script->armed = hook;
    provoke(world, hook);
    if (world.script->acted != 1) return "UNEXPECTED: the hook did not run once";
    return caller.observe();
}

template <std::size_t cell>
void run_cell() {
    constexpr auto hook = static_cast<Hook>(cell / calls);
    constexpr auto call = static_cast<Call>(cell % calls);
    constexpr bool asks = hook == Hook::authenticate || hook == Hook::authorize;
    for (std::size_t shards = 1; shards <= 3; ++shards)
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {  // decides which shard a topic belongs to
            CAPTURE(shards, seed);
            CHECK(effect_of<std::conditional_t<asks, AskingPolicy, PlainPolicy>>(hook, call, shards, seed) ==
                  expected(hook, call));
        }
}

std::string plain(std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '`'), text.end());
    return text;
}

struct Registration {
    Registration() { add(std::make_index_sequence<hooks * calls>{}); }
    template <std::size_t... cells>
    static void add(std::index_sequence<cells...>) {
        (add_one(&run_cell<cells>, cells), ...);
    }
    static void add_one(void (*test)(), std::size_t cell) {
        std::string const name = "Inside " + plain(hook_names[cell / calls]) + ": " + plain(call_names[cell % calls]);
        REGISTER_TEST_CASE(test, name, "[callbacks]");
    }
} const registration;

std::string page() {
    std::ostringstream out;
    out << "# What a call does inside a callback\n\n"
           "Every call is allowed in every callback, also on one's own session. This page is written by\n"
           "`tests/callbacks/callbacks_test.cpp`, and each cell is a test of it, with one, two and three shards.\n\n"
           "Receipts, completions and policies are given no session: there a session is meant by its id, through `hub.post`,\n"
           "`hub.send` and `hub.close`. \"Later\" is never inside the callback that is running.\n\n"
           "## Everywhere but where the next table says otherwise\n\n| call | effect |\n|---|---|\n";
    for (std::size_t call = 0; call < calls; ++call) out << "| " << call_names[call] << " | " << usual[call] << " |\n";
    out << "\n## By callback\n\nA dot is the effect of the table above.\n\n| inside |";
    for (auto const* name : call_names) out << ' ' << name << " |";
    out << "\n|---|";
    for (std::size_t call = 0; call < calls; ++call) out << "---|";
    for (std::size_t hook = 0; hook < hooks; ++hook) {
        out << "\n| " << hook_names[hook] << " |";
        for (std::size_t call = 0; call < calls; ++call) {
            auto const effect = expected(static_cast<Hook>(hook), static_cast<Call>(call));
            out << ' ' << (effect == usual[call] ? "·" : effect) << " |";
        }
    }
    out << "\n\n"
           "`on_continuity_lost`, which only a hub with a broker calls, is like `on_subscribed`.\n\n"
           "In `on_close` the session is given for its id, its data and its counters; to tell a topic that somebody has left,\n"
           "publish through the hub or a `Broadcaster`.\n\n"
           "A callback that throws closes its own session with 1011. A hub that is destroyed inside a callback is gone at "
           "once\n"
           "for everybody who publishes; on the loop that runs the callback no other begins, on other loops one that has "
           "begun\n"
           "still ends.\n";
    return out.str();
}

}  // namespace

TEST_CASE("docs/callbacks.md says what these tests prove", "[callbacks]") {
    auto const path = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "docs" / "callbacks.md";
    if (std::getenv("HUBBUB_WRITE_PAGES")) std::ofstream(path) << page();
    std::ifstream file(path);
    std::string const committed{std::istreambuf_iterator<char>(file), {}};
    INFO("write it anew with HUBBUB_WRITE_PAGES=1");
    CHECK(committed == page());
}
