#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nats/nats.h>

#include <hubbub/backplane/nats/nats_callees.hpp>
#include <hubbub/backplane/nats/nats_command.hpp>
#include <hubbub/backplane/nats/nats_inbox.hpp>
#include <hubbub/backplane/nats/nats_options.hpp>
#include <hubbub/backplane/nats/nats_settings.hpp>
#include <hubbub/core/entropy.hpp>
#include <hubbub/core/small_random.hpp>

namespace hubbub::inline v0::detail {

/// Holds the connection: connects, connects again, and does with nats.c what the loop asks for, because any of it may block.
///
/// Threading: `run` is a thread of its own; the other functions on any. Lifetime: shared by the backplane and that thread, which ends
/// soon after `stop`: as late as nats.c comes back from what it does, which is limited by connect_limit for each server and probe_limit.
class NatsWorker final : public NatsCallee, public std::enable_shared_from_this<NatsWorker> {
   public:
    NatsWorker(NatsOptions const& options, std::shared_ptr<NatsInbox> inbox)
        : options_(options), inbox_(std::move(inbox)), random_(entropy()) {}

    /// In this order. What is for another connection than the present one is forgotten.
    void hand_over(std::uint64_t connection, std::vector<NatsCommand>& commands) {
        std::lock_guard lock(mutex_);
        if (connection != number_) return commands.clear();
        if (commands_.empty())
            commands_.swap(commands);
        else
            std::move(commands.begin(), commands.end(), std::back_inserter(commands_));
        commands.clear();
        wake_.notify_one();
    }
    /// That connection is dead: make another.
    void cut(std::uint64_t connection) {
        std::lock_guard lock(mutex_);
        if (connection != number_) return;
        is_lost_ = true;
        wake_.notify_one();
    }
    void stop() {
        std::lock_guard lock(mutex_);
        stopped_ = true;
        wake_.notify_one();
    }

    void run() {
        auto pause = options_.pause_first;
        while (!is_stopped()) {
            natsStatus const status = connect();
            if (status == NATS_OK) {
                pause = options_.pause_first;
                serve();
            } else {
                inbox_->put({.kind = NatsArrival::Kind::unreachable, .connection = 0, .text = natsStatus_GetText(status)},
                            false);
            }
            disconnect();
            auto const part = std::chrono::milliseconds(random_() % static_cast<std::uint64_t>(pause.count() / 2 + 1));
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, pause / 2 + part, [this] { return stopped_; });
            pause = std::min(pause * 2, options_.pause_most);
        }
    }

    // ---- on threads of nats.c

    void on_nats_message(std::uint64_t connection, std::unique_ptr<natsMsg, NatsMessageDeleter> message) override {
        // What is for topics may be lost, and is then read again; answers may not, and are no more than the questions.
        std::string_view const subject = natsMsg_GetSubject(message.get());
        bool const may_drop = subject.substr(options_.prefix.size()).starts_with(".t.");
        inbox_->put({.kind = NatsArrival::Kind::message, .connection = connection, .message = std::move(message)}, may_drop);
    }
    void on_nats_closed(std::uint64_t connection) override { cut(connection); }

   private:
    using Kind = NatsCommand::Kind;
    static constexpr int flush_limit = 1;  // ms

    bool is_stopped() {
        std::lock_guard lock(mutex_);
        return stopped_;
    }

    natsStatus connect() {
        {
            auto const number = NatsCallees::add(weak_from_this());
            std::lock_guard lock(mutex_);
            commands_.clear();
            is_lost_ = false;
            number_ = number;
        }
        natsStatus status = NATS_OK;
        NatsSettings const settings = nats_settings(options_, status);
        auto* const closure = NatsCallees::closure_of(number_);
        if (status == NATS_OK) status = natsOptions_SetClosedCB(settings.get(), NatsCallees::on_closed, closure);
        if (status == NATS_OK) status = natsOptions_SetErrorHandler(settings.get(), NatsCallees::on_error, closure);
        if (status == NATS_OK) status = natsConnection_Connect(&connection_, settings.get());
        if (status != NATS_OK) return status;
        char server[128] = {};
        (void)natsConnection_GetConnectedServerId(connection_, server, sizeof server);
        auto const most = std::max<std::int64_t>(natsConnection_GetMaxPayload(connection_), 0);
        inbox_->put({.kind = NatsArrival::Kind::connected,
                     .connection = number_,
                     .text = server,
                     .most = static_cast<std::uint64_t>(most)},
                    false);
        return NATS_OK;
    }

    void serve() {
        std::string reason = "the broker has closed the connection";
        std::vector<NatsCommand> commands;
        while (true) {
            commands.clear();
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [this] { return stopped_ || is_lost_ || !commands_.empty(); });
                if (stopped_ || is_lost_) break;
                commands.swap(commands_);
            }
            natsStatus status = NATS_OK;
            for (auto each = commands.begin(); each != commands.end() && status == NATS_OK; ++each) status = execute(*each);
            // nats.c would wait for a millisecond before it sends: this way it sends now, and what comes meanwhile is a batch.
            if (status == NATS_OK && natsConnection_Buffered(connection_) > 0) {
                status = natsConnection_FlushTimeout(connection_, flush_limit);
                if (status == NATS_TIMEOUT)
                    status = NATS_OK;  // sent, but not answered yet: what the loop needs it asks for itself
            }
            if (status != NATS_OK) {
                reason = natsStatus_GetText(status);
                break;
            }
        }
        inbox_->put({.kind = NatsArrival::Kind::lost, .connection = number_, .text = std::move(reason)}, false);
    }

    natsStatus execute(NatsCommand const& command) {
        if (command.kind == Kind::subscribe) return subscribe(command.subject);
        if (command.kind == Kind::unsubscribe) {
            if (auto const found = subscriptions_.find(command.subject); found != subscriptions_.end()) {
                natsSubscription_Destroy(found->second);
                subscriptions_.erase(found);
            }
            return NATS_OK;
        }
        int const size = static_cast<int>(command.body.size());
        char const* const subject = command.subject.c_str();
        char const* const reply = command.reply.c_str();
        if (command.reply.empty()) return natsConnection_Publish(connection_, subject, command.body.data(), size);
        if (command.id.empty()) return natsConnection_PublishRequest(connection_, subject, reply, command.body.data(), size);
        natsMsg* made = nullptr;
        natsStatus status = natsMsg_Create(&made, subject, reply, command.body.data(), size);
        std::unique_ptr<natsMsg, NatsMessageDeleter> const message(made);
        if (status == NATS_OK) status = natsMsgHeader_Set(made, "Nats-Msg-Id", command.id.c_str());
        if (status == NATS_OK) status = natsConnection_PublishMsg(connection_, made);
        return status;
    }

    natsStatus subscribe(std::string const& subject) {
        natsSubscription* made = nullptr;
        natsStatus const status = natsConnection_Subscribe(&made, connection_, subject.c_str(), NatsCallees::on_message,
                                                           NatsCallees::closure_of(number_));
        if (status != NATS_OK) return status;
        if (auto* const old = std::exchange(subscriptions_[subject], made)) natsSubscription_Destroy(old);
        return natsSubscription_SetPendingLimits(made, -1, -1);  // the inbox has a limit
    }

    void disconnect() {
        NatsCallees::remove(number_);
        if (connection_) natsConnection_Close(connection_);
        for (auto const& [subject, subscription] : subscriptions_) natsSubscription_Destroy(subscription);
        subscriptions_.clear();
        natsConnection_Destroy(std::exchange(connection_, nullptr));
    }

    NatsOptions const options_;
    std::shared_ptr<NatsInbox> const inbox_;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<NatsCommand> commands_;
    std::uint64_t number_ = 0;  // of the connection; written by the thread alone
    bool is_lost_ = false, stopped_ = false;

    // Of the thread alone.
    SmallRandom random_;
    natsConnection* connection_ = nullptr;
    std::unordered_map<std::string, natsSubscription*> subscriptions_;
};

}  // namespace hubbub::inline v0::detail
