/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * edu: QEMU's educational PCI device as a process of its own, behind a vfio-user socket.
 *
 * The sample backend and the honest counterpart of the broker's tests. See README.md and edu(1).
 */
#include "base/log.h"
#include "contrib/edu/options.h"
#include "contrib/edu/serve.h"

#define EXIT_USAGE 2
#define EXIT_COULD_NOT 3

int main(int argc, char **argv)
{
    struct options o;

    switch (options_parse(&o, argc, argv)) {
    case OPTIONS_TOLD:
        return 0;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    case OPTIONS_RUN:
        break;
    }
    log_init("edu", o.log_level);
    return serve(&o) == 0 ? 0 : EXIT_COULD_NOT;
}
