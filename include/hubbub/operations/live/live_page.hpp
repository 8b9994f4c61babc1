#pragma once

#include <hubbub/http/response.hpp>

namespace hubbub::inline v0 {

/// The page of an OperationsServer.
inline http::Response live_page() {
    return http::Response(http::Status::ok, "<!doctype html><title>hubbub</title>", "text/html; charset=utf-8");
}

}  // namespace hubbub::inline v0
