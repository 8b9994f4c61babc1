// hubbub: a connection needs the types Driver and Socket
#include <hubbub/hub/hub.hpp>

void make(hubbub::ShardLoop& loop) { hubbub::Hub<int> hub{loop, hubbub::NoopHandler{}}; }
