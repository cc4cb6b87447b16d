/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Picks ids from ranges reserved for this purpose: systemd's documentation of user ids leaves the
 * first unused, and gives the second to services with ids of their own, such as this one; it is
 * there for containers, with user namespaces that often map 65,536 ids.
 */
#define _GNU_SOURCE
#include "base/users.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text/numbers.h"

static const struct {
    uid_t first;
    uid_t last;
} ranges[] = {{0x70000000u, 0x7ffdffffu}, {61184u, 65519u}};

/* Blocks of a range to try; each costs a look at all processes. */
#define TRIES 16u

/* ---- processes ---- */

/*
 * Returns true if an id of a process is in the range and it is not a child of parent; writes its
 * name to out.
 */
static bool users_look(pid_t pid, uid_t first, unsigned n, pid_t parent, struct users_process *out)
{
    char path[40];
    char line[128];
    uint64_t ids[4];
    bool found = false;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    f = fopen(path, "re");
    *out = (struct users_process){.pid = pid};
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "Name:\t", 6) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(out->name, sizeof out->name, "%.15s", line + 6);
        } else if (parent && strncmp(line, "PPid:", 5) == 0 &&
                   numbers_series(line + 5, "\t", ids, 1) == 1 && (pid_t)ids[0] == parent) {
            break;
        } else if (strncmp(line, "Uid:", 4) == 0 && numbers_series(line + 4, "\t", ids, 4) == 4) {
            for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
                found = found || (ids[i] >= first && ids[i] - first < n);
            }
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return found;
}

bool users_find(uid_t first, unsigned n, pid_t parent, struct users_process *out)
{
    DIR *const proc = opendir("/proc");
    const struct dirent *e;
    bool found = false;

    while (proc && !found && (e = readdir(proc))) {
        uint64_t pid;

        found = numbers_decimal(e->d_name, INT32_MAX, &pid) && (pid_t)pid != getpid() &&
                users_look((pid_t)pid, first, n, parent, out);
    }
    if (proc) {
        closedir(proc);
    }
    return found;
}

/* ---- ids ---- */

/* Returns true if a line of /proc/self/uid_map or gid_map contains all ids. */
static bool users_mapped(const char *map, uid_t first, unsigned n)
{
    FILE *const f = fopen(map, "re");
    char line[128];
    uint64_t ids[3]; /* the first one inside, the first one outside, the number of ids */
    bool mapped = false;

    while (f && !mapped && fgets(line, sizeof line, f)) {
        mapped = numbers_series(line, " ", ids, 3) == 3 && first >= ids[0] &&
                 (uint64_t)first + n <= ids[0] + ids[2];
    }
    if (f) {
        fclose(f);
    }
    return mapped;
}

static bool users_free(uid_t first, unsigned n)
{
    struct users_process p;

    return users_mapped("/proc/self/uid_map", first, n) &&
           users_mapped("/proc/self/gid_map", first, n) && !getpwuid(first) &&
           !users_find(first, n, 0, &p);
}

int users_pick(unsigned n, uid_t *first)
{
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        const unsigned blocks = (ranges[r].last - ranges[r].first + 1) / n;

        for (unsigned i = 0; i < TRIES && i < blocks; i++) {
            /*
             * Starts at our pid, so that two processes that start at once do not pick the same ids.
             */
            const unsigned block = ((unsigned)getpid() + i) % blocks;
            const uid_t id = ranges[r].first + block * n;

            if (users_free(id, n)) {
                *first = id;
                return 0;
            }
        }
    }
    return -EADDRNOTAVAIL;
}
