#pragma once

#include <memory>
#include <string>

/// The hub, behind a header without Asio: Boost.Asio and Standalone Asio of the same time cannot be included in one file.
class EchoHub {
   public:
    EchoHub();
    ~EchoHub();

    /// A connected socket and what has been read of its request. It is the hub's from here on. Any thread.
    void adopt(int descriptor, std::string read);

   private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};
