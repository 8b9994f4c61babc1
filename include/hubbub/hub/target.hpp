#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <hubbub/hub/subscription.hpp>

namespace hubbub::inline v0 {

/// Whom a publication is for.
class Target {
   public:
    static Target topic(std::string_view name) { return Target(std::string(name)); }
    static Target all() { return Target(std::string(internal_topics::all)); }
    static Target user(std::string_view name) { return Target(internal_topics::user(name)); }
    static Target label(std::string_view name) { return Target(internal_topics::label(name)); }

    /// The topic that it is underneath.
    std::string const& name() const noexcept { return name_; }

   private:
    explicit Target(std::string name) : name_(std::move(name)) {}
    std::string name_;
};

}  // namespace hubbub::inline v0
