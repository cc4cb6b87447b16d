/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/keeper/keeper_rest.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text/numbers.h"
#include "proxy/keeper/keeper_store.h"

void keeper_rest_kill_listed(const struct keeper_store *except)
{
    char path[64];
    char *number = NULL;
    size_t size = 0;
    uint64_t pid;
    FILE *f;

    /* The only thread has the process's pid. */
    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    f = fopen(path, "re");
    if (!f) {
        log_error("cannot list processes to end: %s", strerror(errno));
        return;
    }
    while (getdelim(&number, &size, ' ', f) > 0) {
        number[strcspn(number, " \n")] = '\0';
        if (numbers_decimal(number, INT_MAX, &pid) && pid > 0 &&
            !(except && keeper_store_has_child(except, (pid_t)pid))) {
            kill((pid_t)pid, SIGKILL);
        }
    }
    free(number);
    fclose(f);
}

/* Collects what has ended. Returns true if there is no child left. */
static bool keeper_rest_collect(void)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
    }
    return pid < 0 && errno == ECHILD;
}

void keeper_rest_kill(unsigned ms)
{
    const uint64_t until = clock_ms() + ms;
    uint64_t now = clock_ms();
    sigset_t ended;

    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    while (!keeper_rest_collect()) {
        const struct timespec wait = {.tv_sec = (time_t)((until - now) / 1000),
                                      .tv_nsec = (long)((until - now) % 1000 * 1000000)};

        keeper_rest_kill_listed(NULL);
        (void)sigtimedwait(&ended, NULL, &wait);
        now = clock_ms();
        if (now >= until) {
            log_error("some processes were killed but do not exit, because the kernel holds them; "
                      "leaving them behind");
            return;
        }
    }
}
