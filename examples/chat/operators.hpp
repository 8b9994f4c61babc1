#pragma once

#include <iostream>
#include <memory>
#include <system_error>
#include <thread>

#include <hubbub/operations/live/operations_server.hpp>
#ifdef CHAT_HAS_PROMETHEUS
#include <hubbub/operations/prometheus/metrics_page.hpp>
#endif

namespace chat {

/// What operators are shown, on a port of its own and on a thread of its own: `--operations PORT`.
template <class Hub>
class Operators {
   public:
    Operators(Hub& hub, std::uint16_t port, bool may_be_taken) : server_(make(hub, port, may_be_taken)) {
#ifdef CHAT_HAS_PROMETHEUS
        hubbub::add_metrics(server_->routes(), *server_);
#endif
        std::cout << "operators open http://" << server_->endpoint().to_string() << '/' << std::endl;
        thread_ = std::thread([this] { server_->run(); });
    }
    Operators(Operators const&) = delete;
    Operators& operator=(Operators const&) = delete;
    ~Operators() {
        server_->stop();
        thread_.join();
    }

   private:
    using Server = hubbub::OperationsServer<Hub>;
    static std::unique_ptr<Server> make(Hub& hub, std::uint16_t port, bool may_be_taken) try {
        return std::make_unique<Server>(hub, hubbub::OperationsOptions{.port = port});
    } catch (std::system_error const&) {
        // In a hot restart the process that goes still has it: better another port than no chat.
        if (!may_be_taken || port == 0) throw;
        return std::make_unique<Server>(hub, hubbub::OperationsOptions{.port = 0});
    }

    std::unique_ptr<Server> server_;
    std::thread thread_;
};

}  // namespace chat
