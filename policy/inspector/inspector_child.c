/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Starts an inspector's process. The parent, which has the necessary rights, opens all files here
 * and passes them as fds.
 */
#define _GNU_SOURCE
#include "policy/inspector/inspector_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/helper/helper_child.h"
#include "base/text/numbers.h"
#include "base/sealed.h"
#include "base/sock.h"

_Static_assert(1 + INSPECTOR_FDS <= HELPER_CHILD_FDS, "a helper keeps so many fds");

/* Adds an fd to the kit. Returns its number in the inspector. */
static int32_t inspector_child_hand_over_take(struct inspector_kit *k, int fd)
{
    k->fds[k->n_fds] = fd;
    return INSPECTOR_START_FD + (int32_t)k->n_fds++;
}

/* Opens a folder for the kit. Returns -1 if it does not exist: it is not searched. */
static int32_t inspector_child_hand_over_folder(struct inspector_kit *k, const char *path,
                                                const char *otherwise)
{
    const char *name = path ? path : otherwise;
    int fd;

    if (name[0] == '\0') {
        return -1;
    }
    fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        log_info("inspector: %s: %s; continuing without it", name, strerror(errno));
        return -1;
    }
    return inspector_child_hand_over_take(k, fd);
}

/*
 * Opens the list of IMA for the kit, and the file with the number of its entries. Returns -1 if
 * there is none: most kernels have no list, and it is root's.
 */
static int32_t inspector_child_hand_over_ima(struct inspector_kit *k, const char *dir)
{
    const int dir_fd = *dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int list_fd;

    if (dir_fd < 0) {
        return -1;
    }
    list_fd = openat(dir_fd, "ascii_runtime_measurements", flags);
    k->ima_count_fd = openat(dir_fd, "runtime_measurements_count", flags);
    close(dir_fd);
    if (list_fd < 0) {
        sock_close(&k->ima_count_fd);
        return -1;
    }
    return inspector_child_hand_over_take(k, list_fd);
}

uint64_t inspector_kit_ima_count(const struct inspector_kit *k)
{
    char text[32];
    const ssize_t n = k->ima_count_fd < 0 ? -1 : pread(k->ima_count_fd, text, sizeof text - 1, 0);
    uint64_t count;

    if (n <= 0) {
        return 0;
    }
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return numbers_decimal(text, UINT64_MAX, &count) ? count : 0;
}

/* Returns the folder of rpm's database: the newer one unless only the older one exists. */
static const char *inspector_child_rpm_dir(void)
{
    static const char newer[] = "/usr/lib/sysimage/rpm";

    return access(newer, F_OK) == 0 ? newer : "/var/lib/rpm";
}

static int inspector_child_hand_over_envelopes(struct inspector_kit *k,
                                               struct inspector_start *start,
                                               const struct inspector_settings *s)
{
    for (size_t i = 0; i < s->n_envelopes; i++) {
        const int fd = fcntl(s->envelopes[i].fd, F_DUPFD_CLOEXEC, 0);

        if (fd < 0) {
            return -errno;
        }
        start->envelope_fds[i] = inspector_child_hand_over_take(k, fd);
        memcpy(start->envelope_names[i], s->envelopes[i].name, sizeof start->envelope_names[i]);
    }
    start->n_envelopes = (uint32_t)s->n_envelopes;
    return 0;
}

static int inspector_seal_start(struct inspector_kit *k, const struct inspector_start *start)
{
    const struct sealed_part part = {start, sizeof *start};

    k->fds[0] = sealed_new("poemd-inspector", &part, 1);
    return k->fds[0] < 0 ? k->fds[0] : 0;
}

int inspector_kit_init(struct inspector_kit *k, const struct inspector_settings *s)
{
    /* Static, since 80 KiB are too much for the stack. */
    static struct inspector_start start;
    int err;

    *k = (struct inspector_kit){.exe_fd = -1, .ima_count_fd = -1, .fds = {-1}, .n_fds = 1};
    if (s->n_keys > INSPECTOR_KEYS || s->n_envelopes > INSPECTOR_ENVELOPES ||
        s->n_revoked > INSPECTOR_REVOKED) {
        return -E2BIG;
    }
    memset(&start, 0, sizeof start);
    start.log_level = log_level_get();
    start.uid = s->uid;
    start.gid = s->gid;
    start.dpkg_fd = inspector_child_hand_over_folder(k, s->dpkg_dir, "/var/lib/dpkg");
    start.doc_fd = inspector_child_hand_over_folder(k, s->doc_dir, "/usr/share/doc");
    start.rpm_fd = inspector_child_hand_over_folder(k, s->rpm_dir, inspector_child_rpm_dir());
    start.ima_fd =
        inspector_child_hand_over_ima(k, s->ima_dir ? s->ima_dir : "/sys/kernel/security/ima");
    start.n_keys = (uint32_t)s->n_keys;
    for (size_t i = 0; i < s->n_keys; i++) {
        start.keys[i] = s->keys[i];
    }
    start.n_revoked = (uint32_t)s->n_revoked;
    for (size_t i = 0; i < s->n_revoked; i++) {
        start.revoked[i] = s->revoked[i];
    }
    err = inspector_child_hand_over_envelopes(k, &start, s);
    if (!err) {
        k->exe_fd = fcntl(s->exe_fd, F_DUPFD_CLOEXEC, 0);
        err = k->exe_fd < 0 ? -errno : inspector_seal_start(k, &start);
    }
    return err;
}

void inspector_kit_deinit(struct inspector_kit *k)
{
    sock_close(&k->exe_fd);
    sock_close(&k->ima_count_fd);
    while (k->n_fds > 0) {
        sock_close(&k->fds[--k->n_fds]);
    }
}

int inspector_start(const struct inspector_kit *k, pid_t *pid, int *channel_fd, int *pidfd)
{
    const struct helper_child_plan plan = {.name = INSPECTOR_NAME,
                                           .arg = INSPECTOR_ARG,
                                           .exe_fd = k->exe_fd,
                                           .fds = k->fds,
                                           .n_fds = k->n_fds};
    const pid_t started = helper_child_start(&plan, channel_fd);
    int err;

    if (started < 0) {
        return (int)started;
    }
    *pidfd = (int)syscall(SYS_pidfd_open, started, 0);
    if (*pidfd < 0) {
        err = -errno;
        sock_close(channel_fd);
        kill(started, SIGKILL);
        (void)waitpid(started, NULL, 0);
        return err;
    }
    *pid = started;
    return 0;
}
