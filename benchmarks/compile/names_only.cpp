#include <hubbub/fwd.hpp>

void publish(hubbub::Frame const& frame);

int main() {}
