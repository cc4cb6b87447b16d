/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/keeper/keeper_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sealed.h"
#include "base/sock.h"
#include "base/text/numbers.h"
#include "proxy/keeper/keeper_message.h"
#include "proxy/keeper/keeper_monitor.h"
#include "proxy/keeper/keeper_rights.h"
#include "proxy/keeper/keeper_store.h"

#define KEEPER_UPGRADE_FIRST_LINE "poemd-keeper 1\n"
#define KEEPER_UPGRADE_PROGRAM ":program"
#define KEEPER_UPGRADE_MANAGER ":manager"

/* The words before the command line, of the keeper's as of the monitor's. */
#define KEEPER_UPGRADE_WORDS 4
#define KEEPER_UPGRADE_MONITOR_WORDS 2

/* ---- the program before ---- */

/* Has the fds of the list closed by execution, or not. */
static void keeper_upgrade_inherit(const struct keeper_store *s,
                                   const struct keeper_entry *const *list, int fallback_fd, bool on)
{
    const int flags = on ? 0 : FD_CLOEXEC;

    for (size_t i = 0; i < s->n; i++) {
        (void)fcntl(list[i]->fd, F_SETFD, flags);
    }
    if (fallback_fd >= 0) {
        (void)fcntl(fallback_fd, F_SETFD, flags);
    }
    if (s->manager_fd >= 0) {
        (void)fcntl(s->manager_fd, F_SETFD, flags);
    }
}

/* The manager has the entries that are not due, and gets the others from the next program. */
static void keeper_upgrade_print(FILE *f, const struct keeper_store *s,
                                 const struct keeper_entry *const *list, bool due)
{
    for (size_t i = 0; i < s->n; i++) {
        if (list[i]->due == due) {
            fprintf(f, "%d %s\n", list[i]->fd, list[i]->name);
        }
    }
}

/* Returns the list in a file in memory that is not closed by execution, or -errno. */
static int keeper_upgrade_list(const struct keeper_store *s, const struct keeper_entry *const *list,
                               int fallback_fd)
{
    char *text = NULL;
    size_t size = 0;
    FILE *const f = open_memstream(&text, &size);
    int fd = -ENOMEM;

    if (!f) {
        return fd;
    }
    fputs(KEEPER_UPGRADE_FIRST_LINE, f);
    keeper_upgrade_print(f, s, list, false);
    if (fallback_fd >= 0) {
        fprintf(f, "%d " KEEPER_UPGRADE_PROGRAM "\n", fallback_fd);
    }
    if (s->manager_fd >= 0) {
        fprintf(f, "%d " KEEPER_UPGRADE_MANAGER "\n", s->manager_fd);
    }
    keeper_upgrade_print(f, s, list, true);
    if (fclose(f) == 0) {
        fd = sealed_new("poemd-keeper", &(struct sealed_part){text, size}, 1);
    }
    free(text);
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, 0);
    }
    return fd;
}

/* Returns the words of the program's command line, to be freed; the texts are borrowed. */
static char **keeper_upgrade_words(const struct keeper_monitor_plan *p, char *list, char *level)
{
    static char name[] = KEEPER_NAME;
    static char arg[] = KEEPER_AGAIN_ARG;
    char **words;
    size_t n = 0;

    while (p->argv[KEEPER_UPGRADE_MONITOR_WORDS + n]) {
        n++;
    }
    words = calloc(KEEPER_UPGRADE_WORDS + n + 1, sizeof *words);
    if (words) {
        words[0] = name;
        words[1] = arg;
        words[2] = list;
        words[3] = level;
        memcpy(words + KEEPER_UPGRADE_WORDS, p->argv + KEEPER_UPGRADE_MONITOR_WORDS,
               n * sizeof *words);
    }
    return words;
}

int keeper_upgrade_execute(const struct keeper_store *s, const struct keeper_monitor_plan *p,
                           int program_fd, int fallback_fd)
{
    int names_fd;
    const struct keeper_entry **const list = keeper_store_list(s, &names_fd);
    int list_fd = list ? keeper_upgrade_list(s, list, fallback_fd) : -ENOMEM;
    char level[16];
    char text[16];
    char **words = NULL;
    int err = list_fd < 0 ? list_fd : 0;

    sock_close(&names_fd);
    if (!err) {
        snprintf(text, sizeof text, "%d", list_fd);
        snprintf(level, sizeof level, "%d", (int)log_level_get());
        words = keeper_upgrade_words(p, text, level);
        err = words ? 0 : -ENOMEM;
    }
    if (!err) {
        keeper_upgrade_inherit(s, list, fallback_fd, true);
        keeper_rights_return(p);
        fexecve(program_fd, words, environ);
        err = -errno;
        keeper_rights_again(p);
        keeper_upgrade_inherit(s, list, fallback_fd, false);
    }
    free(words);
    free(list);
    sock_close(&list_fd);
    return err;
}

/* ---- the program behind ---- */

/* Enters the fd of one line. Returns 0 or -errno. */
static int keeper_upgrade_take_line(struct keeper_store *s, char *line, int *fallback_fd)
{
    char *const name = strchr(line, ' ');
    uint64_t fd;

    if (!name) {
        return -EINVAL;
    }
    *name = '\0';
    if (!numbers_decimal(line, INT_MAX, &fd) || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
        return -EINVAL;
    }
    if (strcmp(name + 1, KEEPER_UPGRADE_PROGRAM) == 0) {
        *fallback_fd = (int)fd;
        return 0;
    }
    if (strcmp(name + 1, KEEPER_UPGRADE_MANAGER) == 0) {
        s->manager_fd = (int)fd;
        return 0;
    }
    return keeper_message_name_sound(name + 1, strlen(name + 1))
               ? keeper_store_keep_take(s, name + 1, (int)fd)
               : -EINVAL;
}

static int keeper_upgrade_take_text(struct keeper_store *s, char *text, int *fallback_fd)
{
    const size_t first = strlen(KEEPER_UPGRADE_FIRST_LINE);
    char *rest = text + first;
    char *line;
    int err = 0;

    if (strncmp(text, KEEPER_UPGRADE_FIRST_LINE, first) != 0) {
        return -EINVAL;
    }
    while (!err && (line = strsep(&rest, "\n")) && *line) {
        err = keeper_upgrade_take_line(s, line, fallback_fd);
    }
    return err;
}

int keeper_upgrade_take(struct keeper_store *s, int list_fd, int *fallback_fd)
{
    struct stat st;
    char *text = NULL;
    int err = -EINVAL;

    *fallback_fd = -1;
    if (fstat(list_fd, &st) == 0 && st.st_size > 0) {
        text = calloc(1, (size_t)st.st_size + 1);
        err = text ? -EINVAL : -ENOMEM;
    }
    if (text && pread(list_fd, text, (size_t)st.st_size, 0) == st.st_size) {
        err = keeper_upgrade_take_text(s, text, fallback_fd);
    }
    free(text);
    close(list_fd);
    return err;
}
