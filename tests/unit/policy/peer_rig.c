/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Peers that are processes of their own. */
#define _GNU_SOURCE
#include "tests/unit/policy/peer_rig.h"

#include <check.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/sock.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

int peer_rig_listen(void)
{
    int fd;

    /* The suite's folder, and the test's in it. */
    ck_assert_int_eq(chmod(unit_path(".."), 0711), 0);
    ck_assert_int_eq(chmod(unit_folder(), 0711), 0);
    fd = sock_listen(unit_path("socket"), 0666, (uid_t)-1, (gid_t)-1, 8);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(sock_block(fd), 0);
    return fd;
}

int peer_rig_accept(int listen_fd)
{
    const int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    char text[4];

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(sock_recv_all(fd, text, sizeof text, NULL), 0);
    return fd;
}

int peer_rig_be(const char *path)
{
    const int fd = sock_connect(path, false);
    char byte;

    if (fd < 0 || sock_send_all(fd, "here", 4, NULL) < 0) {
        return 1;
    }
    return read(fd, &byte, 1) == 0 ? 0 : 1;
}

void peer_rig_end(int fd, pid_t pid)
{
    close(fd);
    ck_assert_int_eq(process_wait(pid), 0);
}

void peer_rig_must_know(const struct peer *p, enum peer_fact f)
{
    char why[256];

    ck_assert_msg(peer_knows(p, f), "%s: %s", peer_fact_name(f), peer_why(p, f, why, sizeof why));
}

void peer_rig_must_execute(const struct peer *p, const char *path)
{
    struct peer_file_id id;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(peer_file_id_get(fd, &id), 0);
    close(fd);
    ck_assert(peer_file_id_same(&id, &p->exe.id));
}
