#include <string>

#include <hubbub/http/status.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::http;

TEST_CASE("Every status of ours has a phrase of its own") {
    std::string all;
    for (Status const status : {Status::switching_protocols,
                                Status::ok,
                                Status::no_content,
                                Status::moved_permanently,
                                Status::found,
                                Status::not_modified,
                                Status::bad_request,
                                Status::unauthorized,
                                Status::forbidden,
                                Status::not_found,
                                Status::method_not_allowed,
                                Status::request_timeout,
                                Status::conflict,
                                Status::content_too_large,
                                Status::uri_too_long,
                                Status::upgrade_required,
                                Status::too_many_requests,
                                Status::request_header_fields_too_large,
                                Status::internal_server_error,
                                Status::bad_gateway,
                                Status::service_unavailable,
                                Status::gateway_timeout,
                                Status::http_version_not_supported}) {
        std::string const phrase = "|" + std::string(reason_phrase(status)) + "|";
        CHECK(phrase != "|Unknown|");
        CHECK(all.find(phrase) == std::string::npos);
        all += phrase;
    }
    CHECK(reason_phrase(static_cast<Status>(299)) == "Unknown");
}

TEST_CASE("Only 1xx, 204 and 304 have no body") {
    CHECK(has_no_body(Status::switching_protocols));
    CHECK(has_no_body(Status::no_content));
    CHECK(has_no_body(Status::not_modified));
    CHECK_FALSE(has_no_body(Status::ok));
    CHECK_FALSE(has_no_body(Status::not_found));
}
