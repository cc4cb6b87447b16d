/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A policy's configuration, its sessions, and clients in processes of their own.
 */
#define _GNU_SOURCE
#include "tests/daemon/policy_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define ID 7

const char *policy_poemctl(void)
{
    const char *const poemctl = getenv("POEMCTL");

    return poemctl ? poemctl : POEMCTL_PATH;
}

int policy_tool(struct policy_rig *p, const char *const argv[])
{
    const int status = process_wait(process_start(argv, p->rig.log_fd, -1));

    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- the configuration ---- */

static void own_path(char out[256])
{
    const ssize_t n = readlink("/proc/self/exe", out, 255);

    ck_assert_int_gt(n, 0);
    out[n] = '\0';
}

/* The SHA-256 of the running program, in hexadecimal. */
static void own_digest(char out[65])
{
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct stat st;
    void *bytes;

    ck_assert(fd >= 0 && fstat(fd, &st) == 0);
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    ck_assert(bytes != MAP_FAILED);
    close(fd);
    ck_assert_int_eq(EVP_Digest(bytes, (size_t)st.st_size, digest, NULL, EVP_sha256(), NULL), 1);
    munmap(bytes, (size_t)st.st_size);
    for (size_t i = 0; i < 32; i++) {
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

/* Puts in what the words beginning with @ stand for. */
static void fill_in(const char *from, char *to, size_t size)
{
    struct {
        const char *word;
        char value[256];
    } words[] = {{.word = "@EXE"}, {.word = "@DIGEST"}, {.word = "@UID"}, {.word = "@GID"}};
    size_t n = 0;

    own_path(words[0].value);
    own_digest(words[1].value);
    snprintf(words[2].value, sizeof words[2].value, "%u", (unsigned)geteuid());
    snprintf(words[3].value, sizeof words[3].value, "%u", (unsigned)getegid());
    while (*from) {
        const char *put = NULL;

        for (size_t i = 0; i < sizeof words / sizeof *words && !put; i++) {
            if (strncmp(from, words[i].word, strlen(words[i].word)) == 0) {
                put = words[i].value;
                from += strlen(words[i].word);
            }
        }
        ck_assert_uint_lt(n + 256, size);
        if (put) {
            n += (size_t)snprintf(to + n, size - n, "%s", put);
        } else {
            to[n++] = *from++;
        }
    }
    to[n] = '\0';
}

void policy_init(struct policy_rig *p)
{
    rig_init(&p->rig);
    p->global[0] = '\0';
    snprintf(p->listen, sizeof p->listen, "%s", unit_path("p.sock"));
    /* The test's folder and the suite's. */
    ck_assert_int_eq(chmod(unit_folder(), 0711), 0);
    ck_assert_int_eq(chmod(unit_path(".."), 0711), 0);
}

void policy_run(struct policy_rig *p, const char *statements)
{
    char filled[4096];

    fill_in(statements, filled, sizeof filled);
    rig_configure(&p->rig,
                  "workers 1\nhandshake-timeout 15s\n%s\nroute r {\nlisten %s\nbackend %s\nrecite "
                  "to client never\n"
                  "allow backend user %u\n}\n"
                  "route p {\nlisten %s mode 0666\nbackend %s\nrecite to client never\n%s\n}\n",
                  p->global, p->rig.listen, p->rig.backend, (unsigned)geteuid(), p->listen,
                  p->rig.backend, filled);
    rig_launch(&p->rig);
}

void policy_start(struct policy_rig *p, const char *statements)
{
    policy_init(p);
    policy_launch(p, statements);
}

void policy_stop(struct policy_rig *p)
{
    rig_stop(&p->rig);
}

/* ---- sessions ---- */

int policy_receive(int client_fd)
{
    struct message m;
    int err;

    peer_recv(client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, ID);
    ck_assert_uint_eq(m.hdr.command, WIRE_VERSION);
    err = m.hdr.flags & WIRE_ERROR ? (int)m.hdr.error : 0;
    message_deinit(&m);
    return err;
}

int policy_answer(struct policy_rig *p, const char *reply)
{
    const int fd = peer_accept(p->rig.backend_fd);
    struct message m;

    peer_recv(fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_VERSION);
    peer_send_version(fd, m.hdr.id, WIRE_TYPE_REPLY, reply, NULL);
    message_deinit(&m);
    return fd;
}

void policy_hear(struct policy_rig *p, int err, struct policy_result *out)
{
    char line[256];

    *out = (struct policy_result){.err = err, .taint = "-"};
    rig_await_log(&p->rig, err ? "denied: " : " allowed", out->verdict, sizeof out->verdict);
    if (strstr(out->verdict, " allowed with taint: ")) {
        rig_await_log(&p->rig, " tainted: ", line, sizeof line);
        snprintf(out->taint, sizeof out->taint, "%s", strstr(line, " tainted: ") + 10);
    }
}

void policy_session(struct policy_rig *p, const char *request, const char *reply,
                    struct policy_result *out)
{
    struct pair pair = {.client_fd = peer_connect(p->listen)};
    int err;

    peer_send_version(pair.client_fd, ID, WIRE_TYPE_COMMAND, request, NULL);
    pair.backend_fd = policy_answer(p, reply);
    err = policy_receive(pair.client_fd);
    policy_hear(p, err, out);
    if (err) {
        pair_expect_end(&pair);
    } else {
        pair_ping(&pair);
        pair_close(&pair);
    }
    rig_await_log(&p->rig, " ended: ", NULL, 0);
}

void policy_expect_denied(const struct policy_result *r, const char *why, const char *would_pass)
{
    const char *const mend = strstr(r->verdict, "; to allow it, ");

    ck_assert_int_eq(r->err, EACCES);
    ck_assert_msg(strstr(r->verdict, why), "\"%s\" is not in: %s", why, r->verdict);
    ck_assert_msg(mend && strstr(mend, would_pass), "\"%s\" would not pass in: %s", would_pass,
                  r->verdict);
}

void policy_expect_let(const struct policy_result *r, const char *taint)
{
    ck_assert_msg(r->err == 0, "refused with %s: %s", strerror(r->err), r->verdict);
    ck_assert_msg(strcmp(r->taint, taint) == 0, "tainted %s, not %s: %s", r->taint, taint,
                  r->verdict);
}

/* ---- clients ---- */

static void await_command(int fd)
{
    char byte;

    if (read(fd, &byte, 1) != 1) {
        _exit(0);
    }
}

/* The errno of the reply to VERSION. */
static int client_asks(int socket_fd)
{
    const size_t n = sizeof(struct wire_version) + strlen(peer_qemu_json) + 1;
    const struct wire_hdr hdr = {
        .id = ID, .command = WIRE_VERSION, .size = (uint32_t)(WIRE_HDR_SIZE + n)};
    uint8_t bytes[1024] = {0};
    struct wire_hdr reply;

    wire_put_hdr(bytes, &hdr);
    memcpy(bytes + WIRE_HDR_SIZE + sizeof(struct wire_version), peer_qemu_json,
           strlen(peer_qemu_json));
    if (sock_send_all(socket_fd, bytes, WIRE_HDR_SIZE + n, NULL) < 0 ||
        recv(socket_fd, bytes, WIRE_HDR_SIZE, MSG_WAITALL) != WIRE_HDR_SIZE ||
        wire_get_hdr(bytes, WIRE_HDR_SIZE, sizeof bytes, &reply) != WIRE_FRAME_OK) {
        _exit(1);
    }
    return reply.flags & WIRE_ERROR ? (int)reply.error : 0;
}

/*
 * Exchanges VERSION, tells what came of it, and stays until it is let go. Nothing of Check's is
 * called in a program that runs no tests.
 */
static void client_talks(int fd, int socket_fd)
{
    unsigned char told;

    if (socket_fd < 0) {
        _exit(1);
    }
    told = (unsigned char)client_asks(socket_fd);
    if (write(fd, &told, 1) == 1) {
        await_command(fd);
    }
    _exit(0);
}

void policy_client_main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--client") == 0) {
        const int fd = atoi(argv[2]);

        if (write(fd, "", 1) != 1) {
            _exit(1);
        }
        await_command(fd);
        client_talks(fd, sock_connect(argv[3], false));
    }
}

/* The ends of a client's command line: ours is kept in c, the other returned. */
static int begin(struct policy_client *c)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    c->fd = pair[0];
    return pair[1];
}

void policy_copy_self(const char *path)
{
    const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    char bytes[65536];
    ssize_t n;

    ck_assert(from >= 0 && to >= 0);
    while ((n = read(from, bytes, sizeof bytes)) > 0) {
        ck_assert_int_eq(write(to, bytes, (size_t)n), n);
    }
    ck_assert_int_eq(n, 0);
    close(from);
    ck_assert_int_eq(close(to), 0);
}

void policy_client_exec(struct policy_client *c, const char *path, const char *listen)
{
    const int fd = begin(c);
    char number[16];
    char ready;

    snprintf(number, sizeof number, "%d", fd);
    c->pid = process_start((const char *const[]){path, "--client", number, listen, NULL}, 2, fd);
    close(fd);
    /* It is the program now. */
    ck_assert_int_eq(read(c->fd, &ready, 1), 1);
}

struct life {
    int our_fd; /* the test's end, not to be held open */
    int fd;
    uid_t id;
    bool stays;
    const char *listen;
};

static void live_as_user(void *arg)
{
    const struct life *l = arg;

    close(l->our_fd);
    if (setgroups(0, NULL) < 0 || setgid(l->id) < 0 || setuid(l->id) < 0) {
        _exit(1);
    }
    await_command(l->fd);
    client_talks(l->fd, sock_connect(l->listen, false));
}

void policy_client_user(struct policy_client *c, uid_t id, const char *listen)
{
    struct life l = {.fd = begin(c), .id = id, .listen = listen};

    l.our_fd = c->fd;
    c->pid = process_fork(live_as_user, &l);
    close(l.fd);
}

static void live_forked(void *arg)
{
    const struct life *l = arg;
    int socket_fd;

    close(l->our_fd);
    socket_fd = sock_connect(l->listen, false);
    switch (fork()) {
    case -1:
        _exit(1);
    case 0:
        await_command(l->fd);
        client_talks(l->fd, socket_fd);
        break;
    default:
        close(socket_fd);
        if (l->stays) {
            /* The child alone reads; its end is ours. */
            (void)wait(NULL);
        }
    }
}

void policy_client_forked(struct policy_client *c, bool stays, const char *listen)
{
    struct life l = {.fd = begin(c), .stays = stays, .listen = listen};

    l.our_fd = c->fd;
    c->pid = process_fork(live_forked, &l);
    close(l.fd);
    if (!stays) {
        (void)process_wait(c->pid);
        c->pid = 0;
    }
}

void policy_client_go(struct policy_rig *p, struct policy_client *c, struct policy_result *out)
{
    unsigned char told;
    int backend_fd;

    ck_assert_int_eq(write(c->fd, "\n", 1), 1);
    backend_fd = policy_answer(p, "{}");
    ck_assert_int_eq(read(c->fd, &told, 1), 1);
    policy_hear(p, told, out);
    close(backend_fd);
    rig_await_log(&p->rig, " ended: ", NULL, 0);
}

void policy_client_end(struct policy_client *c)
{
    close(c->fd);
    if (c->pid) {
        (void)process_wait(c->pid);
    }
}

/* ---- the measure ---- */

/* The inspector has looked at a file that it did not know, as big as it will see. */
static void warm_up(struct policy_rig *p)
{
    char path[RIG_PATH];
    struct policy_result result;
    struct policy_client c;

    snprintf(path, sizeof path, "%s", unit_path("warm-up"));
    policy_copy_self(path);
    policy_client_exec(&c, path, p->rig.listen);
    policy_client_go(p, &c, &result);
    policy_client_end(&c);
    ck_assert_int_eq(result.err, 0);
    ck_assert_int_eq(unlink(path), 0);
}

void policy_launch(struct policy_rig *p, const char *statements)
{
    policy_run(p, statements);
    warm_up(p);
    rig_measure(&p->rig, 2);
}
