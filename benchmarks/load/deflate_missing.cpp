// Instead of the load server with permessage-deflate where zlib was not found.
#include "transports.hpp"

void load::run_deflate(Arguments const&) { refuse("--deflate is not built: zlib was not found (zlib1g-dev)"); }
