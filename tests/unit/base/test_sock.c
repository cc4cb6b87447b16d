/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * AF_UNIX sockets: what the kernel does with fds and messages, which the broker relies upon, and
 * listening without stealing.
 */
#define _GNU_SOURCE
#include "base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

static int a_fd;
static int b_fd;

static void open_pair(void)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    a_fd = fds[0];
    b_fd = fds[1];
}

static void close_pair(void)
{
    sock_close(&a_fd);
    sock_close(&b_fd);
}

static struct fdset some_fds(unsigned n)
{
    struct fdset s;

    fdset_init(&s);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_int_eq(fdset_add_take(&s, eventfd(0, EFD_CLOEXEC)), 0);
    }
    return s;
}

static void send_with(const char *text, unsigned n_fds)
{
    struct fdset fds = some_fds(n_fds);

    ck_assert_int_eq(sock_send(a_fd, text, strlen(text), &fds, 0), (ssize_t)strlen(text));
    ck_assert_uint_eq(fds.n, n_fds);
    fdset_close(&fds);
}

/* Receives exactly text with n_fds fds. */
static void expect(const char *text, unsigned n_fds)
{
    struct fdset fds;
    char got[64];

    fdset_init(&fds);
    ck_assert_int_eq(sock_recv(b_fd, got, strlen(text), &fds, 0), (ssize_t)strlen(text));
    ck_assert_mem_eq(got, text, strlen(text));
    ck_assert_uint_eq(fds.n, n_fds);
    for (unsigned i = 0; i < fds.n; i++) {
        ck_assert_int_eq(fcntl(fds.fds[i], F_GETFD), FD_CLOEXEC);
    }
    fdset_close(&fds);
}

/* ---- bytes and fds ---- */

START_TEST(fds_stay_with_their_message)
{
    send_with("aaaa", 0);
    send_with("bbbb", 2);
    send_with("cccc", 1);
    expect("aaaa", 0);
    expect("bb", 2);
    expect("bb", 0);
    expect("cccc", 1);
}
END_TEST

START_TEST(as_many_fds_as_the_kernel_takes)
{
    struct fdset fds = some_fds(LIMIT_FDS_KERNEL);

    ck_assert_int_eq(sock_send(a_fd, "x", 1, &fds, 0), 1);
    expect("x", LIMIT_FDS_KERNEL);
    ck_assert_int_eq(fdset_add_take(&fds, eventfd(0, EFD_CLOEXEC)), 0);
    ck_assert_int_eq(sock_send(a_fd, "x", 1, &fds, 0), -EINVAL);
    fdset_close(&fds);
}
END_TEST

START_TEST(nothing_there_and_the_end)
{
    struct fdset fds;
    char byte;

    fdset_init(&fds);
    ck_assert_int_eq(sock_recv(b_fd, &byte, 1, &fds, MSG_DONTWAIT), -EAGAIN);
    sock_close(&a_fd);
    ck_assert_int_eq(sock_recv(b_fd, &byte, 1, &fds, MSG_DONTWAIT), 0);
    ck_assert_int_eq(sock_send(b_fd, "x", 1, NULL, 0), -EPIPE);
}
END_TEST

START_TEST(peek_takes_nothing)
{
    bool near = true;
    char got[64];

    ck_assert_int_eq(sock_peek(b_fd, got, sizeof got, &near), -EAGAIN);
    ck_assert(!near);
    send_with("aaaa", 0);
    send_with("bbbb", 3);
    send_with("cccc", 0);
    /* Never past the bytes that fds came with: those stay where they are. */
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sock_peek(b_fd, got, sizeof got, &near), 8);
        ck_assert_mem_eq(got, "aaaabbbb", 8);
        ck_assert(near);
    }
    /* A look that is full may say either of the buffer behind it; it must not lose them. */
    ck_assert_int_eq(sock_peek(b_fd, got, 4, &near), 4);
    expect("aaaa", 0);
    ck_assert_int_eq(sock_peek(b_fd, got, 2, &near), 2);
    ck_assert(near);
    expect("bbbb", 3);
    ck_assert_int_eq(sock_peek(b_fd, got, sizeof got, &near), 4);
    ck_assert(!near);
    expect("cccc", 0);
    sock_close(&a_fd);
    ck_assert_int_eq(sock_peek(b_fd, got, sizeof got, &near), 0);
    ck_assert(!near);
}
END_TEST

/* Where the bytes begin that fds came with; whatever lies before or behind them. */
START_TEST(the_beginning_of_the_last_bytes_is_found)
{
    char got[16];

    ck_assert_int_eq(sock_peek_last(b_fd, got, 1), -EAGAIN);
    send_with("aaaa", 0);
    send_with("bb", 0);
    send_with("cccccc", 2);
    send_with("dd", 1);
    ck_assert_int_eq(sock_peek_last(b_fd, got, 12), 6);
    ck_assert_int_eq(sock_peek_last(b_fd, got, 7), 6);
    ck_assert_int_eq(sock_peek_last(b_fd, got, 6), 4);
    ck_assert_int_eq(sock_peek_last(b_fd, got, 4), 0);
    ck_assert_int_eq(sock_peek_last(b_fd, got, sizeof got), 12);
    expect("aaaabb", 0);
    expect("cccccc", 2);
}
END_TEST

START_TEST(seen_bytes_are_taken_and_their_fds_closed)
{
    char got[16];
    bool near;

    send_with("aaaa", 0);
    send_with("bbbb", 3);
    send_with("cccc", 1);
    ck_assert_int_eq(sock_peek(b_fd, got, sizeof got, &near), 8);
    ck_assert_int_eq(sock_take(b_fd, got, 6), 6);
    ck_assert_mem_eq(got, "aaaabb", 6);
    /* They went with the first byte. */
    expect("bb", 0);
    expect("cccc", 1);
    ck_assert_int_eq(sock_take(b_fd, got, 1), -EAGAIN);
    send_with("dd", 0);
    ck_assert_int_eq(sock_take(b_fd, got, 4), 2);
}
END_TEST

/* Lets this process open `more` fds besides those it has, which may have gaps between them. */
static void allow_fds(unsigned more, struct rlimit *old)
{
    struct rlimit low;
    rlim_t limit = 0;

    for (unsigned found = 0; found < more || limit == 0; limit++) {
        found += fcntl((int)limit, F_GETFD) < 0;
    }
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, old), 0);
    low = *old;
    low.rlim_cur = limit;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
}

/* Sends a text from a child of this process. */
static void send_by_child(int fd, const char *text)
{
    const pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        _exit(sock_send_all(fd, text, strlen(text), NULL) < 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

/* What two processes have sent is never read at once; who it was is told, and fds come as ever. */
START_TEST(senders_are_told)
{
    struct fdset fds;
    struct sock_sender from;
    char text[16];
    bool fds_near;

    ck_assert_int_eq(sock_pass_sender(b_fd, true), 0);
    fdset_init(&fds);
    send_with("ab", 0);
    send_with("cd", 0);
    send_by_child(a_fd, "ef");
    send_with("gh", LIMIT_FDS_KERNEL);
    ck_assert_int_eq(sock_peek_passed(b_fd, text, sizeof text, &fds_near, &from), 4);
    ck_assert(!fds_near);
    ck_assert_int_eq(from.pid, getpid());
    ck_assert_int_eq(sock_recv_from(b_fd, text, sizeof text, &fds, 0, &from), 4);
    ck_assert_int_eq(memcmp(text, "abcd", 4), 0);
    ck_assert_int_eq(from.pid, getpid());
    ck_assert_uint_eq(from.uid, geteuid());
    ck_assert_uint_eq(from.gid, getegid());
    ck_assert_int_eq(sock_recv_from(b_fd, text, sizeof text, &fds, 0, &from), 2);
    ck_assert_int_ne(from.pid, getpid());
    ck_assert_int_gt(from.pid, 0);
    ck_assert_int_eq(sock_peek_passed(b_fd, text, sizeof text, &fds_near, &from), 2);
    ck_assert(fds_near);
    ck_assert_int_eq(from.pid, getpid());
    ck_assert_int_eq(sock_recv_from(b_fd, text, sizeof text, &fds, 0, &from), 2);
    ck_assert_int_eq(from.pid, getpid());
    ck_assert_uint_eq(fds.n, LIMIT_FDS_KERNEL);
    fdset_close(&fds);
}
END_TEST

/* From the first byte on, of a listener's connections; without asking, nobody. */
START_TEST(senders_are_told_of_what_is_accepted)
{
    const bool asked = _i;
    struct sock_sender from;
    struct fdset fds;
    char text[16];
    int listen_fd;

    close_pair();
    listen_fd = sock_listen(unit_path("s"), 0600, (uid_t)-1, (gid_t)-1, 1);
    ck_assert_int_ge(listen_fd, 0);
    if (asked) {
        ck_assert_int_eq(sock_pass_sender(listen_fd, true), 0);
    }
    fdset_init(&fds);
    for (int before = 0; before < 2; before++) {
        a_fd = sock_connect(unit_path("s"), false);
        ck_assert_int_ge(a_fd, 0);
        if (before) {
            send_with("ab", 0);
        }
        b_fd = accept(listen_fd, NULL, NULL);
        ck_assert_int_ge(b_fd, 0);
        if (!before) {
            send_with("ab", 0);
        }
        ck_assert_int_eq(sock_recv_from(b_fd, text, sizeof text, &fds, 0, &from), 2);
        ck_assert_int_eq(from.pid, asked ? getpid() : 0);
        close_pair();
    }
    close(listen_fd);
}
END_TEST

START_TEST(out_of_fds_is_told)
{
    struct rlimit old;
    struct fdset fds;
    char got[8];

    fdset_init(&fds);
    send_with("aaaa", 5);
    allow_fds((unsigned)_i, &old);
    ck_assert_int_eq(sock_recv(b_fd, got, 4, &fds, 0), _i < 5 ? -EMSGSIZE : 4);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    ck_assert_uint_eq(fds.n, (unsigned)_i);
    fdset_close(&fds);
}
END_TEST

START_TEST(a_full_set_is_told)
{
    struct fdset fds = some_fds(FDSET_MAX - 1);
    char got[8];

    send_with("aaaa", 2);
    ck_assert_int_eq(sock_recv(b_fd, got, 4, &fds, 0), -EMSGSIZE);
    ck_assert_uint_eq(fds.n, FDSET_MAX);
    fdset_close(&fds);
}
END_TEST

#define MUCH (4u << 20)

START_TEST(a_partial_send_has_taken_the_fds)
{
    struct fdset fds = some_fds(2);
    struct fdset got;
    char *data = calloc(1, MUCH);
    ssize_t sent;
    size_t all = 0;

    ck_assert_ptr_nonnull(data);
    fdset_init(&got);
    sent = sock_send(a_fd, data, MUCH, &fds, MSG_DONTWAIT);
    ck_assert_int_gt(sent, 0);
    ck_assert_int_lt(sent, MUCH);
    ck_assert_int_eq(sock_send(a_fd, data, MUCH, NULL, MSG_DONTWAIT), -EAGAIN);
    while (all < (size_t)sent) {
        const ssize_t r = sock_recv(b_fd, data, MUCH, &got, MSG_DONTWAIT);

        ck_assert_int_gt(r, 0);
        all += (size_t)r;
    }
    ck_assert_uint_eq(all, (size_t)sent);
    ck_assert_uint_eq(got.n, 2);
    fdset_close(&got);
    fdset_close(&fds);
    free(data);
}
END_TEST

START_TEST(all_of_much_with_its_fds_once)
{
    struct fdset got;
    char *data = malloc(MUCH);
    pid_t child;
    int status;

    ck_assert_ptr_nonnull(data);
    memset(data, 0x5a, MUCH);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct fdset fds = some_fds(3);

        _exit(sock_send_all(a_fd, data, MUCH, &fds) == 0 ? 0 : 1);
    }
    memset(data, 0, MUCH);
    fdset_init(&got);
    ck_assert_int_eq(sock_recv_all(b_fd, data, MUCH, &got), 0);
    ck_assert_int_eq(data[0], 0x5a);
    ck_assert_int_eq(data[MUCH - 1], 0x5a);
    ck_assert_uint_eq(got.n, 3);
    fdset_close(&got);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    free(data);
}
END_TEST

START_TEST(the_end_before_and_within)
{
    struct fdset fds;
    char got[8];

    fdset_init(&fds);
    send_with("abc", 1);
    sock_close(&a_fd);
    ck_assert_int_eq(sock_recv_all(b_fd, got, 4, &fds), -ECONNRESET);
    ck_assert_uint_eq(fds.n, 1);
    ck_assert_int_eq(sock_recv_all(b_fd, got, 4, &fds), -EPIPE);
    fdset_close(&fds);
}
END_TEST

START_TEST(modes)
{
    ck_assert_int_eq(sock_nonblock(a_fd), 0);
    ck_assert(fcntl(a_fd, F_GETFL) & O_NONBLOCK);
    ck_assert_int_eq(sock_block(a_fd), 0);
    ck_assert(!(fcntl(a_fd, F_GETFL) & O_NONBLOCK));
    sock_close(&a_fd);
    ck_assert_int_eq(a_fd, -1);
    sock_close(&a_fd);
    ck_assert_int_eq(sock_nonblock(a_fd), -EBADF);
    ck_assert_int_eq(sock_block(a_fd), -EBADF);
}
END_TEST

/* ---- listening ---- */

/* Processes that want one socket at once; each may leave a connection in the winner's queue. */
#define RACERS 8

static int listen_at(const char *path)
{
    return sock_listen(path, 0660, (uid_t)-1, (gid_t)-1, 2 * RACERS);
}

START_TEST(a_listener_takes_connections)
{
    const char *path = unit_path("s");
    int listen_fd = listen_at(path);
    int client_fd;
    int server_fd;
    struct stat st;

    ck_assert_int_ge(listen_fd, 0);
    ck_assert(fcntl(listen_fd, F_GETFL) & O_NONBLOCK);
    ck_assert_int_eq(fcntl(listen_fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISSOCK(st.st_mode));
    ck_assert_uint_eq(st.st_mode & 07777, 0660);
    client_fd = sock_connect(path, true);
    ck_assert_int_ge(client_fd, 0);
    ck_assert(fcntl(client_fd, F_GETFL) & O_NONBLOCK);
    server_fd = accept(listen_fd, NULL, NULL);
    ck_assert_int_ge(server_fd, 0);
    sock_close(&server_fd);
    sock_close(&client_fd);
    sock_close(&listen_fd);
}
END_TEST

START_TEST(mode_is_exact_whatever_the_umask)
{
    static const mode_t modes_asked[] = {0600, 0666, 0777, 0000};
    const mode_t old = umask(_i % 2 ? 0077 : 0000);
    struct stat st;
    int fd = sock_listen(unit_path("m"), modes_asked[_i], (uid_t)-1, (gid_t)-1, 1);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lstat(unit_path("m"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, modes_asked[_i]);
    ck_assert_uint_eq(umask(old), _i % 2 ? 0077 : 0000);
    sock_close(&fd);
}
END_TEST

START_TEST(owner_and_group)
{
    struct stat st;
    int fd;

    if (geteuid() == 0) {
        fd = sock_listen(unit_path("o"), 0600, 12345, 23456, 1);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(lstat(unit_path("o"), &st), 0);
        ck_assert_uint_eq(st.st_uid, 12345);
        ck_assert_uint_eq(st.st_gid, 23456);
        sock_close(&fd);
    } else {
        /* Not ours to give away: refused, and no file is left. */
        ck_assert_int_eq(sock_listen(unit_path("o"), 0600, 0, (gid_t)-1, 1), -EPERM);
        ck_assert_int_lt(lstat(unit_path("o"), &st), 0);
    }
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
    const char *path = unit_path("s");
    struct stat before;
    struct stat after;
    int fd = listen_at(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lstat(path, &before), 0);
    sock_close(&fd);
    ck_assert_int_eq(sock_connect(path, true), -ECONNREFUSED);
    fd = listen_at(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lstat(path, &after), 0);
    sock_close(&fd);
}
END_TEST

START_TEST(a_live_socket_is_not_stolen)
{
    const char *path = unit_path("s");
    struct stat before;
    struct stat after;
    int fd = listen_at(path);
    int client_fd;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lstat(path, &before), 0);
    ck_assert_int_eq(listen_at(path), -EADDRINUSE);
    ck_assert_int_eq(lstat(path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    client_fd = sock_connect(path, true);
    ck_assert_int_ge(client_fd, 0);
    sock_close(&client_fd);
    sock_close(&fd);
}
END_TEST

START_TEST(a_live_socket_of_another_type_is_not_stolen)
{
    const char *path = unit_path("packets");
    int fd = sock_listen_packets(path, 0600, (uid_t)-1, (gid_t)-1, 1);
    int client_fd;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(sock_connect(path, true), -EPROTOTYPE);
    ck_assert_int_eq(listen_at(path), -EADDRINUSE);
    ck_assert_int_eq(sock_listen_packets(path, 0600, (uid_t)-1, (gid_t)-1, 1), -EADDRINUSE);
    client_fd = sock_connect_packets(path);
    ck_assert_int_ge(client_fd, 0);
    sock_close(&client_fd);
    sock_close(&fd);
    fd = listen_at(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(sock_connect_packets(path), -EPROTOTYPE);
    sock_close(&fd);
}
END_TEST

START_TEST(a_live_socket_with_a_full_queue_is_not_stolen)
{
    const char *path = unit_path("s");
    int fd = sock_listen(path, 0600, (uid_t)-1, (gid_t)-1, 0);
    int client_fd;

    ck_assert_int_ge(fd, 0);
    client_fd = sock_connect(path, true);
    ck_assert_int_ge(client_fd, 0);
    ck_assert_int_eq(sock_connect(path, true), -EAGAIN);
    ck_assert_int_eq(listen_at(path), -EADDRINUSE);
    sock_close(&client_fd);
    sock_close(&fd);
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
    const char *path = unit_path("file");
    const char *link = unit_path("link");
    struct stat st;
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "dear", 4), 4);
    close(fd);
    ck_assert_int_eq(listen_at(path), -EEXIST);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 4);
    ck_assert_int_eq(symlink(path, link), 0);
    ck_assert_int_eq(listen_at(link), -EEXIST);
    ck_assert_int_eq(lstat(link, &st), 0);
    ck_assert_int_eq(listen_at(unit_folder()), -EEXIST);
}
END_TEST

START_TEST(paths_that_cannot_be)
{
    char path[256];
    const size_t room = 108;
    int fd;

    /* 107 bytes and the NUL are what the address holds. */
    memset(path, 'x', sizeof path);
    memcpy(path, unit_folder(), strlen(unit_folder()));
    path[strlen(unit_folder())] = '/';
    path[room - 1] = '\0';
    fd = listen_at(path);
    ck_assert_int_ge(fd, 0);
    sock_close(&fd);
    path[room - 1] = 'x';
    path[room] = '\0';
    ck_assert_int_eq(listen_at(path), -ENAMETOOLONG);
    ck_assert_int_eq(sock_connect(path, true), -ENAMETOOLONG);
    ck_assert_int_eq(listen_at(""), -ENOENT);
    ck_assert_int_eq(sock_connect("", false), -ENOENT);
    ck_assert_int_eq(listen_at(unit_path("none/s")), -ENOENT);
    ck_assert_int_eq(sock_connect(unit_path("none"), false), -ENOENT);
}
END_TEST

START_TEST(a_path_without_a_folder)
{
    int fd;

    ck_assert_int_eq(chdir(unit_folder()), 0);
    fd = listen_at("here");
    ck_assert_int_ge(fd, 0);
    sock_close(&fd);
}
END_TEST

START_TEST(of_many_at_once_one_gets_a_stale_socket)
{
    const char *path = unit_path("s");
    pid_t racers[RACERS];
    int won = 0;
    int go[2];
    int fd = listen_at(path);

    ck_assert_int_ge(fd, 0);
    sock_close(&fd);
    ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = fork();
        ck_assert_int_ge(racers[i], 0);
        if (racers[i] == 0) {
            char byte;
            int mine;

            /* The winner waits to be killed: by a test that failed before, too. */
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(go[1]);
            if (read(go[0], &byte, 1) != 0) {
                _exit(2);
            }
            mine = listen_at(path);
            if (mine >= 0) {
                pause();
            }
            _exit(mine == -EADDRINUSE ? 1 : 2);
        }
    }
    close(go[0]);
    close(go[1]);
    /* The losers end; who is left holds the socket. */
    for (int i = 0; i < RACERS - 1; i++) {
        int status;
        const pid_t pid = waitpid(-1, &status, 0);

        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 1);
        for (int k = 0; k < RACERS; k++) {
            racers[k] = racers[k] == pid ? -1 : racers[k];
        }
    }
    for (int k = 0; k < RACERS; k++) {
        if (racers[k] > 0) {
            won++;
            fd = sock_connect(path, true);
            ck_assert_int_ge(fd, 0);
            sock_close(&fd);
            ck_assert_int_eq(kill(racers[k], SIGKILL), 0);
            ck_assert_int_eq(waitpid(racers[k], NULL, 0), racers[k]);
        }
    }
    ck_assert_int_eq(won, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sock");
    TCase *tc = unit_case(s, "bytes and fds");

    tcase_add_checked_fixture(tc, open_pair, close_pair);
    tcase_add_test(tc, fds_stay_with_their_message);
    tcase_add_test(tc, as_many_fds_as_the_kernel_takes);
    tcase_add_test(tc, nothing_there_and_the_end);
    tcase_add_test(tc, peek_takes_nothing);
    tcase_add_test(tc, the_beginning_of_the_last_bytes_is_found);
    tcase_add_test(tc, seen_bytes_are_taken_and_their_fds_closed);
    tcase_add_test(tc, senders_are_told);
    tcase_add_loop_test(tc, senders_are_told_of_what_is_accepted, 0, 2);
    tcase_add_loop_test(tc, out_of_fds_is_told, 0, 6);
    tcase_add_test(tc, a_full_set_is_told);
    tcase_add_test(tc, a_partial_send_has_taken_the_fds);
    tcase_add_test(tc, all_of_much_with_its_fds_once);
    tcase_add_test(tc, the_end_before_and_within);
    tcase_add_test(tc, modes);
    tc = unit_case(s, "listening");
    tcase_add_test(tc, a_listener_takes_connections);
    tcase_add_loop_test(tc, mode_is_exact_whatever_the_umask, 0, 4);
    tcase_add_test(tc, owner_and_group);
    tcase_add_test(tc, a_stale_socket_is_replaced);
    tcase_add_test(tc, a_live_socket_is_not_stolen);
    tcase_add_test(tc, a_live_socket_with_a_full_queue_is_not_stolen);
    tcase_add_test(tc, a_live_socket_of_another_type_is_not_stolen);
    tcase_add_test(tc, what_is_no_socket_is_left_alone);
    tcase_add_test(tc, paths_that_cannot_be);
    tcase_add_test(tc, a_path_without_a_folder);
    tcase_add_test(tc, of_many_at_once_one_gets_a_stale_socket);
    return unit_run(s);
}
