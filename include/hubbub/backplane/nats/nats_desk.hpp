#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/backplane/backplane_host.hpp>
#include <hubbub/backplane/nats/nats_answer.hpp>
#include <hubbub/backplane/nats/nats_command.hpp>
#include <hubbub/backplane/nats/nats_inbox.hpp>
#include <hubbub/backplane/nats/nats_names.hpp>
#include <hubbub/backplane/nats/nats_options.hpp>
#include <hubbub/core/clock.hpp>
#include <hubbub/core/unique_function.hpp>

namespace hubbub::inline v0::detail {

/// What the parts of a NatsBackplane have in common: the way out, and questions that are answered in an inbox of this connection.
///
/// Threading: the loop's.
struct NatsDesk {
    using Then = UniqueFunction<void(NatsArrival const*)>;

    NatsDesk(NatsOptions options_given, std::uint64_t node_number, BackplaneHost& the_host)
        : options(std::move(options_given)), names(options.prefix), node(NatsNames::hex(node_number)), host(the_host) {}
    NatsDesk(NatsDesk const&) = delete;
    NatsDesk& operator=(NatsDesk const&) = delete;

    virtual TimePoint now() const = 0;
    /// Leaves with the next flush, in order.
    virtual void send(NatsCommand command) = 0;
    /// `then` hears the answer, null if there was none in time; and nothing where the connection is lost before.
    virtual void ask(std::string subject, std::string body, Then then) = 0;
    /// Runs soon, outside of what is called now.
    virtual void later(UniqueFunction<void()> function) = 0;
    /// The answer to a publication, soon, and before the connection is lost.
    virtual void refuse(std::uint64_t serial, bool for_its_size) = 0;
    /// The connection cannot be used any more. Call nothing of the desk behind it but return.
    virtual void give_up(std::string_view reason) = 0;

    /// A subject that only this connection hears.
    std::string inbox_of(char kind, std::uint64_t number) const { return inbox + kind + '.' + std::to_string(number); }
    bool is_too_large(std::size_t body) const { return most != 0 && body + 512 > most; }  // with headers

    NatsOptions const options;
    NatsNames const names;
    std::string const node;
    BackplaneHost& host;
    std::string inbox{};     ///< the prefix of such subjects
    std::string server{};    ///< the id of the server, another after each start
    std::uint64_t most = 0;  ///< bytes of a message
    bool connected = false;

   protected:
    ~NatsDesk() = default;
};

/// Why an answer is none, or nothing if it is one.
inline std::string_view nats_refusal(NatsArrival const* arrival) {
    if (!arrival) return "no answer";
    if (arrival->header("Status") == "503") return "nobody answers";
    NatsAnswer const answer(arrival->body());
    if (!answer.has("error")) return {};
    auto const why = answer.find("error.description");
    return why.empty() ? "an error" : why;
}
inline std::uint64_t nats_error(NatsArrival const& arrival) { return NatsAnswer(arrival.body()).number("error.err_code"); }

}  // namespace hubbub::inline v0::detail
