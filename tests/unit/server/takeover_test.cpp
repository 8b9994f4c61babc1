#include <hubbub/server/takeover.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <hubbub/server/handover_offer.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_driver.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;
using namespace std::chrono_literals;

namespace takeover {

std::string const path = "/tmp/hubbub-handover-" + std::to_string(::getpid());

bool exists() {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0;
}

/// The old process, on a thread of its own.
class Old {
   public:
    Old() : Old(Takeover(path)) {}
    explicit Old(Takeover first) : acceptor_(Endpoint("127.0.0.1:0")) {
        first.ready();
        offer_.emplace(driver_, std::move(first),
                       std::vector<HandoverSocket>{{acceptor_.descriptor(), Endpoint("127.0.0.1:0"), false}}, [this] {
                           taken = true;
                           offer_.reset();
                           context_.stop();
                       });
        thread_ = std::thread([this] { context_.run(); });
    }
    Old(Old const&) = delete;
    Old& operator=(Old const&) = delete;
    ~Old() {
        end();
        loop_.claim();
        offer_.reset();
    }
    void end() {
        context_.stop();
        join();
    }
    void join() {
        if (thread_.joinable()) thread_.join();
    }
    /// What the thread says of the offer.
    bool has_guest() {
        std::promise<bool> answer;
        asio::post(context_, [&] { answer.set_value(offer_->has_guest()); });
        return answer.get_future().get();
    }
    Endpoint const& endpoint() const { return acceptor_.endpoint(); }

    std::atomic<bool> taken = false;

   private:
    asio::io_context context_{1};
    AsioLoop loop_{context_};
    TcpDriver driver_{loop_, {.engine = EngineKind::epoll}};
    TcpAcceptor acceptor_;
    std::optional<HandoverOffer> offer_;
    std::thread thread_;
};

std::string refusal(std::function<void()> const& function) {
    try {
        function();
    } catch (std::exception const& error) {
        return error.what();
    }
    return "";
}

}  // namespace takeover

TEST_CASE("who finds nobody is the first, and the path goes with him", "[tcp]") {
    {
        Takeover first(takeover::path);
        CHECK_FALSE(first.found());
        CHECK_FALSE(first.take(Endpoint("127.0.0.1:0")));
        first.ready();
        CHECK(takeover::exists());
    }
    CHECK_FALSE(takeover::exists());
    CHECK(takeover::refusal([] { Takeover const wrong("/no/such/folder/socket"); }).find("/no/such/folder/socket") !=
          std::string::npos);
}

TEST_CASE("sockets go to the process that is ready, by what was asked for or what is bound, and can go on from there",
          "[tcp]") {
    bool const by_what_is_bound = GENERATE(false, true);
    auto old = std::make_unique<takeover::Old>();
    Takeover fresh(takeover::path);
    REQUIRE(fresh.found());
    CHECK_FALSE(fresh.take(Endpoint("127.0.0.2:0")));
    auto const taken = fresh.take(by_what_is_bound ? old->endpoint() : Endpoint("127.0.0.1:0"));
    REQUIRE(taken);
    CHECK_FALSE(taken->is_shared);
    CHECK_FALSE(fresh.take(Endpoint("127.0.0.1:0")));  // it is taken
    TcpAcceptor acceptor = TcpAcceptor::adopt(taken->descriptor);
    CHECK(acceptor.endpoint() == old->endpoint());
    CHECK_FALSE(old->taken);
    fresh.ready();
    old->join();
    CHECK(old->taken);
    old.reset();
    CHECK(takeover::exists());
    takeover::Old next(std::move(fresh));
    Takeover third(takeover::path);
    CHECK(third.found());
    third.ready();
    next.join();
    CHECK(next.taken);
}

TEST_CASE("who ends before he is ready leaves the old process as it was", "[tcp]") {
    takeover::Old old;
    {
        Takeover const fresh(takeover::path);
        CHECK(fresh.found());
        CHECK(old.has_guest());
    }
    Takeover again(takeover::path);
    CHECK(again.take(Endpoint("127.0.0.1:0")));
    CHECK_FALSE(old.taken);
    again.ready();
    old.join();
    CHECK(old.taken);
}

TEST_CASE("one takes over at a time, and the other one is told who", "[tcp]") {
    takeover::Old old;
    Takeover fresh(takeover::path);
    CHECK(takeover::refusal([] {
              Takeover const second(takeover::path);
          }).find("process " + std::to_string(::getpid()) + " is taking the sockets already") != std::string::npos);
    CHECK_NOTHROW(fresh.ready());
    old.join();
    CHECK(old.taken);
}

TEST_CASE("an old process that ends in the meantime leaves its sockets to who has them, and the path too", "[tcp]") {
    auto old = std::make_unique<takeover::Old>();
    Takeover fresh(takeover::path);
    auto const taken = fresh.take(old->endpoint());
    REQUIRE(taken);
    while (!old->has_guest()) {}
    old.reset();
    CHECK(takeover::exists());
    CHECK_NOTHROW(fresh.ready());
    CHECK(::close(taken->descriptor) == 0);
}

TEST_CASE("who does not answer, or is somebody else, is told apart", "[tcp]") {
    detail::ListeningSocket const silent(Endpoint("unix:" + takeover::path), {});
    CHECK(takeover::refusal([] { Takeover const fresh(takeover::path, 20ms); }).find("does not answer") != std::string::npos);
    std::string_view const said = GENERATE("HTTP/1.1 400\r\n\0\0", "hubbub handover 2\0\0");
    std::thread other([&] {
        int descriptor = -1;
        for (int i = 0; i < 2; ++i) {  // the first is the one of above
            while (descriptor < 0) descriptor = ::accept(silent.descriptor(), nullptr, nullptr);
            std::string const text = std::string(said.data()) + std::string(2, '\0');
            (void)::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
            ::close(std::exchange(descriptor, -1));
        }
    });
    CHECK(takeover::refusal([] { Takeover const fresh(takeover::path); }).find("speaks another version") != std::string::npos);
    other.join();
}

TEST_CASE("another user is given nothing, and takes nothing from another", "[tcp]") {
    if (::geteuid() != 0) {
        WARN("another user can only be tested by root");
        return;
    }
    std::string const name = "@hubbub-handover-" + std::to_string(::getpid());  // a path would have permissions of its own
    int go[2];
    REQUIRE(::pipe(go) == 0);
    pid_t const child = ::fork();  // before there are threads
    REQUIRE(child >= 0);
    if (child == 0) {
        char byte = 0;
        constexpr uid_t nobody = 65534;
        if (::read(go[0], &byte, 1) != 1 || ::setuid(nobody) != 0) ::_exit(1);
        sockaddr_storage storage;
        socklen_t const length = Endpoint("unix:" + name).to_sockaddr(storage);
        int const asking = ::socket(AF_UNIX, SOCK_STREAM, 0);
        if (::connect(asking, reinterpret_cast<sockaddr*>(&storage), length) != 0) ::_exit(2);
        if (::recv(asking, &byte, 1, 0) != 0) ::_exit(3);
        bool const refuses = takeover::refusal([&] { Takeover const fresh(name); }).find("another user") != std::string::npos;
        ::_exit(refuses ? 0 : 4);
    }
    takeover::Old old{Takeover(name)};
    CHECK(::write(go[1], "x", 1) == 1);
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK_FALSE(old.has_guest());
    for (int const each : go) ::close(each);
}
