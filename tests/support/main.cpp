// The main function of every test program, and who writes down what passed; compiled once.
#include <cstdlib>
#include <fstream>
#include <string>

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#include <catch2/catch_test_case_info.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>

using Listener = Catch::EventListenerBase;

int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

using Listener = Catch::TestEventListenerBase;
#endif

namespace {

/// Appends the name of each test case that passed to the file that HUBBUB_PASSED names, for tools/check_security.py.
class WriteDownPassed : public Listener {
   public:
    using Listener::Listener;
    void testCaseEnded(Catch::TestCaseStats const& stats) override {
        char const* const path = std::getenv("HUBBUB_PASSED");
        if (path && stats.totals.assertions.allPassed() && stats.totals.assertions.total() > 0)
            std::ofstream(path, std::ios::app) << stats
                                                      .testInfo
#if __has_include(<catch2/catch_session.hpp>)
                                                      ->name
#else
                                                      .name
#endif
                                               << '\n';
    }
};

}  // namespace

CATCH_REGISTER_LISTENER(WriteDownPassed)
