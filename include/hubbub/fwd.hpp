#pragma once

#include <cstdint>

/// Names for headers that only mention them. Hubs, sessions and servers are not among them, because their templates are
/// constrained; a class of yours that has one keeps it behind a pointer to a type of its own, as examples/04_beside_beast does.
namespace hubbub::inline v0 {
#ifdef HUBBUB_HAS_URING
inline namespace with_uring {
class TcpConnection;
}
#else
class TcpConnection;
#endif

class AsioLoop;
class Endpoint;
class Frame;
class HandoverOffer;
class LineWriter;
class ManualLoop;
class MemoryConnection;
class MessageView;
class ServiceNotifier;
class ServiceWatchdog;
class ShardLoop;
class Takeover;
class Target;
class TcpAcceptor;
class TcpSocket;
enum class CloseCode : std::uint16_t;
struct CloseInfo;
struct DefaultPolicy;
struct Event;
struct EventSource;
struct HandoverSocket;
struct Identity;
struct InheritedSocket;
struct NoopHandler;
struct PeerAddress;
struct PublishOptions;
struct SessionId;
struct ShardIndex;
struct Subscription;

}  // namespace hubbub::inline v0

namespace hubbub::inline v0::http {
class Request;
class Response;
class Routes;
}  // namespace hubbub::inline v0::http
