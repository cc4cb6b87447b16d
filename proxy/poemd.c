/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemd(8): the program. Checks its command line and becomes the keeper, which starts the monitor;
 * or a worker, the inspector, the tracer or the exporter if the monitor starts it as such.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "proxy/config/accounts.h"
#include "proxy/exporter/exporter.h"
#include "proxy/ipc/fdstore_wire.h"
#include "proxy/keeper/keeper.h"
#include "proxy/keeper/keeper_upgrade.h"
#include "proxy/monitor.h"
#include "proxy/monitor/takeover/takeover_text.h"
#include "proxy/config/options.h"
#include "proxy/config/places.h"
#include "proxy/monitor/upgrade/upgrade_check.h"
#include "proxy/worker/worker.h"
#include "trace/capture/tracer.h"

static void poemd_warn_of_place(const char *text, void *arg)
{
    (void)arg;
    log_warning("%s", text);
}

/* The keeper's child: argv is its name and the command line. */
static int poemd_monitor(int argc, char **argv)
{
    struct options o;
    int status;

    (void)prctl(PR_SET_NAME, MONITOR_NAME, 0, 0, 0);
    if (options_read_again(&o, argc, argv, takeover_text(), stdout, stderr) == OPTIONS_RUN) {
        log_init("poemd", o.config.log_level);
        log_dress();
        log_keep_journal(LOG_JOURNAL);
        places_check(&o.config, poemd_warn_of_place, NULL);
        status = accounts_choose(&o.config) ? STATUS_FAILED : monitor_main(&o);
    } else {
        status = (int)o.status;
    }
    options_deinit(&o);
    return status;
}

/* A running poemd asks whether this program can go on for it (upgrade_check.h). */
static int poemd_can_go_on(int argc, char **argv)
{
    struct options o;
    int status = STATUS_NO;

    if (strcmp(argv[2], UPGRADE_STATE) != 0) {
        fprintf(stderr,
                "poemd: error: poemd " POEMD_VERSION
                " cannot go on for the one that runs: it reads the state of sessions in "
                "version " UPGRADE_STATE ", and that one has version %s\n",
                argv[2]);
        return STATUS_NO;
    }
    argv[2] = argv[0];
    /* The command line begins with --check. */
    if (options_read_again(&o, argc - 2, argv + 2, -1, stdout, stderr) == OPTIONS_DONE) {
        status = (int)o.status;
    }
    options_deinit(&o);
    return status;
}

/* The process that was started. */
static int poemd_start(int argc, char **argv)
{
    struct options o;
    int status;
    int err;

    if (options_read(&o, argc, argv, stdout, stderr) == OPTIONS_RUN) {
        log_init("poemd", o.config.log_level);
        log_own();
        log_dress();
        log_to_journal(LOG_JOURNAL);
        err = keeper_execute(argc, argv, o.ready_fd, (int)o.config.log_level);
        log_error("cannot execute itself: %s", strerror(-err));
        status = STATUS_FAILED;
    } else {
        status = (int)o.status;
    }
    options_deinit(&o);
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], WORKER_ARG) == 0) {
        return worker_main();
    }
    if (argc > 1 && strcmp(argv[1], TRACER_ARG) == 0) {
        return tracer_main();
    }
    if (argc > 1 && strcmp(argv[1], EXPORTER_ARG) == 0) {
        return exporter_main();
    }
    if (argc > 1 && strcmp(argv[1], INSPECTOR_ARG) == 0) {
        return inspector_main();
    }
    if (argc > 1 && (strcmp(argv[1], KEEPER_ARG) == 0 || strcmp(argv[1], KEEPER_AGAIN_ARG) == 0)) {
        return keeper_main(argc, argv);
    }
    if (argc > 2 && strcmp(argv[1], UPGRADE_CHECK_ARG) == 0) {
        return poemd_can_go_on(argc, argv);
    }
    if (argc > 1 && strcmp(argv[1], MONITOR_ARG) == 0) {
        argv[1] = argv[0];
        return poemd_monitor(argc - 1, argv + 1);
    }
    return poemd_start(argc, argv);
}
