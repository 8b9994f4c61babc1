#include <hubbub/server/service_notifier.hpp>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/unit/server/notify_socket.hpp"

using hubbub::ServiceNotifier;
using hubbub_test::NotifySocket;
using namespace std::chrono_literals;

namespace notifier {

/// The three variables, for as long as this lives.
class Environment {
   public:
    Environment(std::string const& socket, char const* usec, std::string const& process) {
        for (auto const& [name, value] :
             {std::pair{"NOTIFY_SOCKET", socket.c_str()}, {"WATCHDOG_USEC", usec}, {"WATCHDOG_PID", process.c_str()}})
            ::setenv(name, value, 1);
    }
    Environment(Environment const&) = delete;
    Environment& operator=(Environment const&) = delete;
    ~Environment() {
        for (char const* const name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    }
};

std::string refusal(char const* socket, char const* usec, char const* process) {
    Environment const environment(socket, usec, process);
    try {
        static_cast<void>(ServiceNotifier::from_environment());
    } catch (std::invalid_argument const& error) {
        return error.what();
    }
    return "";
}

}  // namespace notifier

TEST_CASE("a service manager hears each state as sd_notify says it, in and outside of the file system") {
    std::string const file = "/tmp/hubbub-notify-" + std::to_string(::getpid());
    NotifySocket manager(GENERATE_COPY(std::string("@hubbub-notify-") + std::to_string(::getpid()), file));
    ServiceNotifier const notifier(manager.name());
    CHECK(bool(notifier));
    CHECK(notifier.ready());
    CHECK(manager.hear() == "READY=1");
    CHECK(notifier.stopping());
    CHECK(manager.hear() == "STOPPING=1");
    CHECK(notifier.alive());
    CHECK(manager.hear() == "WATCHDOG=1");
    CHECK(notifier.status("a line\nREADY=1"));
    CHECK(manager.hear() == "STATUS=a line");
    timespec before{}, after{};
    ::clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK(notifier.reloading());
    ::clock_gettime(CLOCK_MONOTONIC, &after);
    std::string const told = manager.hear(), head = "RELOADING=1\nMONOTONIC_USEC=";
    REQUIRE(told.starts_with(head));
    auto const when = std::stoll(told.substr(head.size()));
    CHECK(when >= before.tv_sec * 1'000'000 + before.tv_nsec / 1000);
    CHECK(when <= after.tv_sec * 1'000'000 + after.tv_nsec / 1000);
    (void)::unlink(file.c_str());
}

TEST_CASE("without a service manager nobody is told, and one that has gone does no harm") {
    CHECK_FALSE(ServiceNotifier());
    CHECK_FALSE(ServiceNotifier().ready());
    CHECK_FALSE(ServiceNotifier::from_environment());
    CHECK_FALSE(ServiceNotifier("/no/such/socket").ready());
    CHECK_THROWS_AS(ServiceNotifier("vsock:2:1"), std::invalid_argument);
}

TEST_CASE("a notifier knows its manager and its watchdog from the environment") {
    NotifySocket manager;
    {
        notifier::Environment const environment(manager.name(), "3000000", std::to_string(::getpid()));
        auto const found = ServiceNotifier::from_environment();
        CHECK(found.watchdog() == 3s);
        CHECK(found.ready());
        CHECK(manager.hear() == "READY=1");
    }
    {
        notifier::Environment const of_another(manager.name(), "3000000", "1");
        CHECK(ServiceNotifier::from_environment().watchdog() == 0s);
    }
    CHECK(notifier::refusal("@x", "soon", "").find("$WATCHDOG_USEC") == 0);
    CHECK(notifier::refusal("@x", "0", "").find("$WATCHDOG_USEC") == 0);
    CHECK(notifier::refusal("@x", "5", "me").find("$WATCHDOG_PID") == 0);
    CHECK(notifier::refusal("nowhere", "", "").find("nowhere") != std::string::npos);
}
