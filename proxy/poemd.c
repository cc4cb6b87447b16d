/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemd(8): the program. The monitor, or a worker, the inspector or the tracer if the monitor
 * starts it as such.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "proxy/config/accounts.h"
#include "proxy/monitor.h"
#include "proxy/config/options.h"
#include "proxy/config/places.h"
#include "proxy/worker/worker.h"
#include "trace/capture/tracer.h"

static void poemd_warn_of_place(const char *text, void *arg)
{
    (void)arg;
    log_warning("%s", text);
}

int main(int argc, char **argv)
{
    struct options o;
    int status;

    if (argc > 1 && strcmp(argv[1], WORKER_ARG) == 0) {
        return worker_main();
    }
    if (argc > 1 && strcmp(argv[1], TRACER_ARG) == 0) {
        return tracer_main();
    }
    if (argc > 1 && strcmp(argv[1], INSPECTOR_ARG) == 0) {
        return inspector_main();
    }
    if (options_read(&o, argc, argv, stdout, stderr) == OPTIONS_RUN) {
        log_init("poemd", o.config.log_level);
        places_check(&o.config, poemd_warn_of_place, NULL);
        status = accounts_choose(&o.config) ? 3 : monitor_main(&o);
        o.ready_fd = -1;
    } else {
        status = (int)o.status;
    }
    options_deinit(&o);
    return status;
}
