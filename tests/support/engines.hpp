// The engines of TcpDriver that this build has, for tests that run over each.
#pragma once

#include <array>

#include <hubbub/transport/socket/socket_engine.hpp>

namespace hubbub_test {

inline constexpr std::array engines{hubbub::EngineKind::epoll, hubbub::EngineKind::asio
#ifdef HUBBUB_HAS_URING
                                    ,
                                    hubbub::EngineKind::uring
#endif
};

}  // namespace hubbub_test
