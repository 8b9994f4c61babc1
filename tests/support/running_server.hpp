#pragma once

#include <thread>

namespace hubbub_test {

/// Runs a server on a thread of its own, and stops it at its end.
template <class AnyServer>
class RunningServer {
   public:
    explicit RunningServer(AnyServer& server) : server_(server), thread_([&server] { server.run(); }) {}
    RunningServer(RunningServer const&) = delete;
    RunningServer& operator=(RunningServer const&) = delete;
    ~RunningServer() {
        server_.stop();
        join();
    }
    void join() {
        if (thread_.joinable()) thread_.join();
    }

   private:
    AnyServer& server_;
    std::thread thread_;
};

}  // namespace hubbub_test
