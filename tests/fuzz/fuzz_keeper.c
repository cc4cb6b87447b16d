/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Messages to the keeper, as a monitor that is out of its mind would send them. */
#include <string.h>

#include "proxy/keeper/keeper_message.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct keeper_message m;

    if (keeper_message_read(&m, (const char *)p, n)) {
        const size_t name_n = strlen(m.name);

        FUZZ_REQUIRE(m.verb > KEEPER_NOTHING && m.verb <= KEEPER_ALIVE);
        FUZZ_REQUIRE((m.verb == KEEPER_COLLECT) == (m.pid > 0));
        FUZZ_REQUIRE((m.verb == KEEPER_KEEP || m.verb == KEEPER_DROP) ==
                     keeper_message_name_sound(m.name, name_n));
        FUZZ_REQUIRE(keeper_message_child(m.name) >= 0);
    }
    return 0;
}
