#include <hubbub/backplane/nats/nats_backplane.hpp>

bool nats_works();
bool nats_works() {
    hubbub::NatsOptions options;
    options.check();
    return natsStatus_GetText(NATS_OK) != nullptr && hubbub::NatsBackplane::brokers(options) == 1;
}
