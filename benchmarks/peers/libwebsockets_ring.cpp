// A server on libwebsockets in the design of its examples: one ring of messages for all, in which each session has a tail of its own,
// and one write for each time that a session may write. What differs: whose tail is the oldest is looked for when the ring has no room
// left, where the example's macro walks over all sessions for each message of each of them.
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iostream>
#include <vector>

#include <libwebsockets.h>

#include "peer_arguments.hpp"

namespace {

constexpr std::size_t ring_size = 1024;

/// Behind LWS_PRE bytes, in which the library writes the header of the frame.
struct Message {
    unsigned char* bytes;
    std::size_t size;
};

/// The library zeroes it when a session begins.
struct Session {
    lws* connection;
    Session *next, *previous;
    std::uint32_t tail;
    std::vector<unsigned char>* incoming;             // LWS_PRE bytes and what has come of a message
    std::deque<std::vector<unsigned char>>* waiting;  // in echo
};

lws_context* context = nullptr;
lws_ring* ring = nullptr;
Session* sessions = nullptr;
bool is_echo = false;

void destroy_message(void* element) { delete[] static_cast<Message*>(element)->bytes; }

void open(Session& session, lws* connection) {
    session.connection = connection;
    session.incoming = new std::vector<unsigned char>(LWS_PRE);
    session.waiting = is_echo ? new std::deque<std::vector<unsigned char>> : nullptr;
    session.tail = lws_ring_get_oldest_tail(ring);
    lws_ring_consume(ring, &session.tail, nullptr, lws_ring_get_count_waiting_elements(ring, &session.tail));
    session.next = sessions;
    if (sessions != nullptr) sessions->previous = &session;
    sessions = &session;
}

void close(Session& session) {
    if (session.incoming == nullptr) return;
    delete session.incoming;
    delete session.waiting;
    (session.previous != nullptr ? session.previous->next : sessions) = session.next;
    if (session.next != nullptr) session.next->previous = session.previous;
}

/// Frees what every session has had.
void make_room() {
    std::uint32_t oldest = 0;
    std::size_t most = 0;
    for (Session* session = sessions; session != nullptr; session = session->next) {
        std::size_t const waiting = lws_ring_get_count_waiting_elements(ring, &session->tail);
        if (waiting < most) continue;
        most = waiting;
        oldest = session->tail;
    }
    lws_ring_update_oldest_tail(ring, oldest);
}

void publish(std::vector<unsigned char> const& incoming) {
    if (lws_ring_get_count_free_elements(ring) == 0) make_room();
    if (lws_ring_get_count_free_elements(ring) == 0) {
        std::cerr << "the ring is full: a message is dropped\n";
        return;
    }
    Message message{new unsigned char[incoming.size()], incoming.size() - LWS_PRE};
    std::memcpy(message.bytes, incoming.data(), incoming.size());
    lws_ring_insert(ring, &message, 1);
    for (Session* session = sessions; session != nullptr; session = session->next)
        lws_callback_on_writable(session->connection);
}

void receive(Session& session, void const* bytes, std::size_t size) {
    auto const* begin = static_cast<unsigned char const*>(bytes);
    session.incoming->insert(session.incoming->end(), begin, begin + size);
    if (lws_remaining_packet_payload(session.connection) != 0 || !lws_is_final_fragment(session.connection)) return;
    if (is_echo) {
        session.waiting->push_back(*session.incoming);
        lws_callback_on_writable(session.connection);
    } else {
        publish(*session.incoming);
    }
    session.incoming->resize(LWS_PRE);
}

bool write(Session& session, unsigned char* bytes, std::size_t size) {
    return lws_write(session.connection, bytes + LWS_PRE, size, LWS_WRITE_BINARY) >= static_cast<int>(size);
}

/// False if the connection is broken.
bool write_next(Session& session) {
    bool fine = true, more = false;
    if (is_echo) {
        if (session.waiting->empty()) return true;
        auto& message = session.waiting->front();
        fine = write(session, message.data(), message.size() - LWS_PRE);
        session.waiting->pop_front();
        more = !session.waiting->empty();
    } else {
        auto const* message = static_cast<Message const*>(lws_ring_get_element(ring, &session.tail));
        if (message == nullptr) return true;
        fine = write(session, message->bytes, message->size);
        lws_ring_consume(ring, &session.tail, nullptr, 1);
        more = lws_ring_get_element(ring, &session.tail) != nullptr;
    }
    if (more) lws_callback_on_writable(session.connection);
    return fine;
}

int on_event(lws* connection, lws_callback_reasons reason, void* user, void* bytes, std::size_t size) {
    auto* session = static_cast<Session*>(user);
    switch (reason) {
        case LWS_CALLBACK_ESTABLISHED: open(*session, connection); break;
        case LWS_CALLBACK_CLOSED: close(*session); break;
        case LWS_CALLBACK_RECEIVE: receive(*session, bytes, size); break;
        case LWS_CALLBACK_SERVER_WRITEABLE: return write_next(*session) ? 0 : -1;
        default: break;
    }
    return 0;
}

std::sig_atomic_t volatile ends = 0;

void end(int) {
    ends = 1;
    lws_cancel_service(context);
}

}  // namespace

int main(int argc, char** argv) {
    peer::Arguments const arguments = peer::parse(argc, argv);
    is_echo = arguments.is_echo;
    ring = lws_ring_create(sizeof(Message), ring_size, destroy_message);
    lws_protocols const protocols[] = {{"load", on_event, sizeof(Session), 65536, 0, nullptr, 0}, {}};
    lws_set_log_level(LLL_ERR, nullptr);
    lws_context_creation_info info{};
    info.port = arguments.port;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.vhost_name = "localhost";
    context = lws_create_context(&info);
    if (context == nullptr || ring == nullptr) {
        std::cerr << "port " << arguments.port << " is taken, or there is no memory\n";
        return 1;
    }
    std::signal(SIGTERM, end);
    std::signal(SIGINT, end);
    std::cout << "listening on port " << arguments.port << std::endl;
    while (ends == 0 && lws_service(context, 0) >= 0) {}
    return 0;
}
