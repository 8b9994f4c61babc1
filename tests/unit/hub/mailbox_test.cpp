#include <hubbub/hub/mailbox.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

using Letters = std::vector<std::string>;

Mail letter(Mail::Kind kind) {
    Mail mail{};
    mail.kind = kind;
    return mail;
}
bool put(Mailbox& mailbox, std::string_view topic, std::string_view text, Frame const* frame = nullptr) {
    return mailbox.put(letter(Mail::Kind::publish), topic, MessageView::text(text), frame, nullptr);
}
void put(MailBag& bag, std::string_view topic, std::string_view text) {
    bag.put(letter(Mail::Kind::deliver), topic, MessageView::text(text).payload(), nullptr, nullptr);
}
Letters read(MailBag& bag) {
    Letters letters;
    bag.read_all([&](Mail const&, std::string_view topic, MessageView message, Frame const*, std::shared_ptr<PendingReceipt>) {
        letters.push_back(std::string(topic) + ": " + std::string(message.view()));
    });
    return letters;
}
Letters take(Mailbox& mailbox) {
    MailBag bag;
    mailbox.take(bag);
    return read(bag);
}

}  // namespace

TEST_CASE("Letters are read in the order in which they were put, with all that they say") {
    MailBag bag;
    SessionId const session{7, 8, ShardIndex{9}};
    bag.put({.kind = Mail::Kind::direct,
             .opcode = ws::Opcode::binary,
             .from = ShardIndex{3},
             .session = session,
             .position = {4, 5},
             .key = 6,
             .expires_at = -1},
            "", MessageView::text("payload").payload(), nullptr, nullptr);
    put(bag, "room", "");
    put(bag, "a longer name of a topic", std::string(4000, 'x'));
    int read = 0;
    bag.read_all([&](Mail const& mail, std::string_view topic, MessageView message, Frame const*, auto) {
        switch (read++) {
            case 0:
                CHECK(mail.kind == Mail::Kind::direct);
                CHECK(mail.from.value == 3);
                CHECK(mail.session == session);
                CHECK(mail.position == Position{4, 5});
                CHECK(mail.key == 6);
                CHECK(mail.expires_at == -1);
                CHECK(topic.empty());
                CHECK(message.opcode() == ws::Opcode::binary);
                CHECK(message.view() == "payload");
                break;
            case 1:
                CHECK(topic == "room");
                CHECK(message.size() == 0);
                break;
            default: CHECK(message.view() == std::string(4000, 'x'));
        }
    });
    CHECK(read == 3);
    CHECK(bag.empty());
    CHECK(bag.bytes() == 0);
}

TEST_CASE("A long payload is not copied but held by its frame, until the letter is read or thrown away") {
    Frame const frame = Frame::text(std::string(MailBag::copied_below, 'y'));
    Frame const short_one = Frame::text("short");
    for (bool const is_read : {true, false}) {
        MailBag bag;
        bag.put(letter(Mail::Kind::publish), "room", frame.message().payload(), &frame, nullptr);
        bag.put(letter(Mail::Kind::publish), "room", short_one.message().payload(), &short_one, nullptr);
        CHECK(bag.bytes() >= MailBag::copied_below);  // it counts all the same
        if (!is_read) continue;
        int letters = 0;
        bag.read_all([&](Mail const&, std::string_view, MessageView message, Frame const* held, auto) {
            if (letters++ == 0) {
                REQUIRE(held);
                CHECK(message.payload().data() == frame.message().payload().data());
            } else {
                CHECK(held == nullptr);
                CHECK(message.view() == "short");
            }
        });
        CHECK(letters == 2);
    }
}

TEST_CASE("Bags are joined behind one another, and a receipt is given on with its letter or let go") {
    MailBag first, second;
    put(first, "a", "1");
    put(second, "b", "2");
    auto const receipt = std::make_shared<PendingReceipt>();
    second.put(letter(Mail::Kind::publish), "c", {}, nullptr, receipt);
    CHECK(receipt.use_count() == 2);
    first.append(second);
    CHECK(second.empty());
    CHECK(first.letters() == 3);
    MailBag moved = std::move(first);
    CHECK(read(moved) == Letters{"a: 1", "b: 2", "c: "});
    CHECK(receipt.use_count() == 1);
    {
        MailBag dropped;
        dropped.put(letter(Mail::Kind::publish), "c", {}, nullptr, receipt);
    }
    CHECK(receipt.use_count() == 1);
}

TEST_CASE("A mailbox takes no letter beyond its bounds of letters and of bytes, and there is room again when it was emptied") {
    Mailbox by_letters({.bytes = 1 << 20, .letters = 3});
    for (int i = 0; i < 3; ++i) CHECK(put(by_letters, "room", std::to_string(i)));
    CHECK_FALSE(put(by_letters, "room", "3"));
    CHECK(take(by_letters) == Letters{"room: 0", "room: 1", "room: 2"});
    CHECK(put(by_letters, "room", "3"));

    Mailbox by_bytes({.bytes = 3000, .letters = 1000});
    std::size_t taken = 0;
    while (put(by_bytes, "room", std::string(500, 'z'))) ++taken;
    CHECK(taken == 3000 / MailBag::size_of("room", 500));
    CHECK(take(by_bytes).size() == taken);
}

TEST_CASE("A letter that is larger than the whole mailbox still gets through an empty one") {
    Mailbox mailbox({.bytes = 4096, .letters = 10});
    std::string const large(10'000, 'l');
    CHECK(put(mailbox, "room", large));
    CHECK_FALSE(put(mailbox, "room", "small"));
    CHECK(take(mailbox).size() == 1);
    CHECK(put(mailbox, "room", "small"));
    CHECK_FALSE(put(mailbox, "room", large));
}

TEST_CASE("A shard that finds the mailbox full keeps all of its mail and is remembered, once") {
    Mailbox mailbox({.bytes = 1 << 20, .letters = 2});
    CHECK(put(mailbox, "room", "outside"));
    MailBag bag;
    put(bag, "room", "one");
    put(bag, "room", "two");
    CHECK_FALSE(mailbox.put(bag, ShardIndex{5}));
    CHECK_FALSE(mailbox.put(bag, ShardIndex{5}));
    CHECK(bag.letters() == 2);
    MailBag taken;
    CHECK(mailbox.take(taken) == std::uint64_t{1} << 5);
    CHECK(read(taken) == Letters{"room: outside"});
    CHECK(mailbox.put(bag, ShardIndex{5}));
    CHECK(bag.empty());
    CHECK(mailbox.take(taken) == 0);
    CHECK(read(taken) == Letters{"room: one", "room: two"});
}

TEST_CASE("A mailbox knows whether it has mail") {
    Mailbox mailbox({});
    CHECK_FALSE(mailbox.has_mail());
    put(mailbox, "room", "x");
    CHECK(mailbox.has_mail());
    take(mailbox);
    CHECK_FALSE(mailbox.has_mail());
}

TEST_CASE("Threads that put while one takes: each letter comes once, those of a thread in their order") {
    Mailbox mailbox({.bytes = 4096, .letters = 20});
    constexpr int each = 500, writers = 3;
    std::vector<std::thread> threads;
    for (int t = 0; t < writers; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < each; ++i)
                while (!put(mailbox, std::to_string(t), std::to_string(i))) std::this_thread::yield();
        });
    int next[writers] = {}, heard = 0, disorder = 0;
    while (heard < each * writers) {
        MailBag bag;
        mailbox.take(bag);
        for (auto const& letter : read(bag)) {
            int const t = letter[0] - '0';
            if (std::stoi(letter.substr(3)) != next[t]++) ++disorder;
            ++heard;
        }
    }
    for (auto& thread : threads) thread.join();
    CHECK(disorder == 0);
    CHECK(take(mailbox).empty());  // it may say that it has mail when that was taken already, but not twice
    CHECK_FALSE(mailbox.has_mail());
}
