#pragma once

namespace chat {

/// Tries the whole chat without a network. Says what was not so; returns the program's exit code.
int self_test();

}  // namespace chat
