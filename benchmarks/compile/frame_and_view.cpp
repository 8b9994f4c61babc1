#include <hubbub/ws/frame.hpp>
#include <hubbub/ws/message_view.hpp>

int main() { return hubbub::Frame::text("hello").size() == 5 ? 0 : 1; }
