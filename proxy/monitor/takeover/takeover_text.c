/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Looks at the fds with which the keeper has started this process, before anything else does: the
 * configuration decides how the rest begins.
 */
#define _GNU_SOURCE
#include "proxy/monitor/takeover/takeover_text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "proxy/ipc/fdstore_wire.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/keep/state_record.h"

/* Returns the names of all fds, to be freed; NULL if they cannot be read. */
static char *takeover_text_names(void)
{
    struct stat st;
    char *names = NULL;

    if (fstat(MONITOR_NAMES_FD, &st) == 0 && st.st_size > 0) {
        names = calloc(1, (size_t)st.st_size + 1);
    }
    if (names && pread(MONITOR_NAMES_FD, names, (size_t)st.st_size, 0) != st.st_size) {
        free(names);
        names = NULL;
    }
    return names;
}

/* Returns the fd of the first name that begins like this, borrowed, or -1. */
static int takeover_text_find(const char *names, const char *beginning)
{
    int fd = MONITOR_FIRST_FD;

    while (*names) {
        if (strncmp(names, beginning, strlen(beginning)) == 0) {
            return fd;
        }
        names += strcspn(names, "\n");
        names += *names == '\n';
        fd++;
    }
    return -1;
}

int takeover_text(void)
{
    static const uint8_t none[STATE_DIGEST];
    char *const names = takeover_text_names();
    const int state_fd = names ? takeover_text_find(names, STATE_NAME_FILE "\n") : -1;
    char name[STATE_NAME_SIZE];
    char hex[2 * STATE_DIGEST + 1];
    struct state_head head;
    int fd = -1;

    if (state_fd >= 0 && pread(state_fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
        state_record_head_sound(&head) && !head.planned && head.keeper == getppid() &&
        memcmp(head.digest, none, sizeof none) != 0) {
        snprintf(name, sizeof name, STATE_NAME_TEXT "%s.",
                 hex_text(head.digest, sizeof head.digest, hex));
        fd = takeover_text_find(names, name);
    }
    free(names);
    fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}
