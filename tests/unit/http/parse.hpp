#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <hubbub/http/request_parser.hpp>

#include "tests/support/catch.hpp"

/// A request that must be accepted, whole.
inline hubbub::http::Request parse(std::string_view text) {
    hubbub::http::RequestParser parser;
    auto const progress = parser.feed(std::as_bytes(std::span(text.data(), text.size())));
    INFO(text << "\n" << parser.refusal().reason);
    REQUIRE(progress.state == hubbub::http::Progress::State::complete);
    REQUIRE(progress.consumed == text.size());
    return std::move(parser).take();
}
