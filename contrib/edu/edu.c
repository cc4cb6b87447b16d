/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * edu: QEMU's educational PCI device as a separate process, behind a vfio-user socket.
 *
 * The sample backend, and the honest peer in the broker's tests. See README.md and edu(1).
 */
#include <string.h>

#include "base/log.h"
#include "contrib/edu/options.h"
#include "contrib/edu/serve.h"
#include "poem/file.h"

#define EXIT_USAGE 2
#define EXIT_COULD_NOT 3

/*
 * With an option for a licence or a recital, the device supports the poem's protocol; without, it
 * ignores it.
 */
static int edu_serve_with_poem(const struct options *o)
{
    struct poem_file file;
    enum poem_outcome outcome;
    const char *name = o->poem_path ? o->poem_path : "poem";
    char path[256];
    int err;

    if (!o->licence) {
        return edu_serve_clients(o, NULL);
    }
    err = poem_file_init(&file, o->poem_path, &outcome);
    if (err) {
        log_error("%s: %s", log_escape(path, sizeof path, name, strlen(name)),
                  poem_file_why(err, outcome));
        return err;
    }
    err = edu_serve_clients(o, &file.poem);
    poem_file_deinit(&file);
    return err;
}

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
    return edu_serve_with_poem(&o) == 0 ? 0 : EXIT_COULD_NOT;
}
