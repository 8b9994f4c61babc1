#pragma once

#include <hubbub/core/rfc3339.hpp>

namespace hubbub::inline v0::json {

using hubbub::rfc3339;  // times of messages are written as those of events are

}  // namespace hubbub::inline v0::json
