/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The inspector's process: drops its privileges, reads the envelopes, then answers questions slice
 * by slice until its channel closes. It may block on its parent and on the disk; every process that
 * waits for it has a time-out.
 */
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "policy/inspector/inspector_channel.h"
#include "policy/inspector/inspector_ima.h"
#include "policy/inspector/inspector_index.h"

/* Static rather than on the stack or heap: there is one of each. */
static struct inspector_start start;
static struct inspector_msg msg;

static int inspector_main_read_start(void)
{
    const ssize_t n = pread(INSPECTOR_START_FD, &start, sizeof start, 0);

    close(INSPECTOR_START_FD);
    if (n != sizeof start || start.n_keys > INSPECTOR_KEYS ||
        start.n_envelopes > INSPECTOR_ENVELOPES || start.n_revoked > INSPECTOR_REVOKED) {
        return -EINVAL;
    }
    return 0;
}

/* libcrypto reads its configuration on first use, which must happen before file access is gone. */
static int inspector_main_load_libcrypto(void)
{
    uint8_t out[EVP_MAX_MD_SIZE];

    /* The same holds for jansson, which seeds its hash tables from /dev/urandom. */
    json_object_seed(0);
    return EVP_Digest("", 0, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

static int inspector_main_write(void)
{
    const ssize_t n = sock_send(INSPECTOR_CHANNEL_FD, &msg, sizeof msg, NULL, 0);

    return n < 0 ? (int)n : 0;
}

/* ---- questions ---- */

static struct inspector_file *files[INSPECTOR_SLOTS];

/* Closes the files that no longer have a slot in the parent. */
static void inspector_main_tidy(uint32_t slots)
{
    for (unsigned i = 0; i < INSPECTOR_SLOTS; i++) {
        if (files[i] && !(slots & (1u << i))) {
            inspector_file_free(files[i]);
            files[i] = NULL;
        }
    }
}

/* Returns whether the message is one that a parent may send now. */
static bool inspector_main_legal(unsigned n_fds)
{
    const bool in_slot = msg.slot < INSPECTOR_SLOTS && (msg.slots & (1u << msg.slot)) != 0;

    switch ((enum inspector_type)msg.type) {
    case INSPECTOR_ASK:
        return n_fds == 1 && in_slot && memchr(msg.u.question.path, '\0', PEER_PATH_MAX);
    case INSPECTOR_STEP:
        return n_fds == 0 && in_slot && files[msg.slot];
    case INSPECTOR_TIDY:
    case INSPECTOR_PING:
        return n_fds == 0;
    default:
        return false;
    }
}

/* Reads a slice of the slot's file, and answers. */
static int inspector_main_step(const struct inspector_tools *tools)
{
    static struct inspection found;
    uint64_t left;
    int r;

    if (!inspector_file_step(files[msg.slot], tools, &found, &left)) {
        msg.type = INSPECTOR_MORE;
        msg.u.left = left;
        return inspector_main_write();
    }
    inspector_file_free(files[msg.slot]);
    files[msg.slot] = NULL;
    msg.type = INSPECTOR_ANSWER;
    msg.u.answer = found;
    r = inspector_main_write();
    /* The next question may come much later. */
    (void)malloc_trim(0);
    return r;
}

/* Waits for a message, and reads the list of IMA as long as there is none. */
static ssize_t inspector_main_read(const struct inspector_tools *tools, struct fdset *fds)
{
    bool more = true;
    ssize_t n;

    do {
        more = more && inspector_ima_read(tools->ima);
        n = sock_recv(INSPECTOR_CHANNEL_FD, &msg, sizeof msg, fds,
                      MSG_TRUNC | (more ? MSG_DONTWAIT : 0));
    } while (n == -EAGAIN);
    return n;
}

/* Answers one question. Returns 1, 0 at the channel's end, or -errno. */
static int inspector_main_answer(const struct inspector_tools *tools)
{
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    n = inspector_main_read(tools, &fds);
    if (n <= 0) {
        fdset_close(&fds);
        return (int)n;
    }
    if (n != sizeof msg || !inspector_main_legal(fds.n)) {
        fdset_close(&fds);
        return -EPROTO;
    }
    if (msg.type == INSPECTOR_PING) {
        msg.type = INSPECTOR_PONG;
        n = inspector_main_write();
        return n < 0 ? (int)n : 1;
    }
    inspector_main_tidy(msg.type == INSPECTOR_ASK ? msg.slots & ~(1u << msg.slot) : msg.slots);
    if (msg.type == INSPECTOR_TIDY) {
        return 1;
    }
    if (msg.type == INSPECTOR_ASK) {
        files[msg.slot] = inspector_file_new_take(fdset_steal(&fds, 0), &msg.u.question);
        if (!files[msg.slot]) {
            return -ENOMEM;
        }
    }
    n = inspector_main_step(tools);
    return n < 0 ? (int)n : 1;
}

/*
 * Returns whether so much CPU time is used up that another process should take the next question.
 */
static bool inspector_main_spent(void)
{
    return clock() / CLOCKS_PER_SEC > INSPECTOR_CPU / 2;
}

int inspector_main(void)
{
    static struct inspector_tools tools;
    int err = inspector_main_read_start();

    log_init("poemd", err ? LOG_ERROR : start.log_level);
    (void)prctl(PR_SET_NAME, INSPECTOR_NAME, 0, 0, 0);
    if (!err) {
        err = inspector_main_load_libcrypto();
    }
    if (!err) {
        err = inspector_sandbox(&start);
    }
    if (!err) {
        tools = (struct inspector_tools){.dpkg_fd = start.dpkg_fd,
                                         .doc_fd = start.doc_fd,
                                         .rpm_fd = start.rpm_fd,
                                         .index = inspector_index_new(start.dpkg_fd),
                                         .ima = inspector_ima_new(start.ima_fd),
                                         .claims = inspector_claims_new(&start)};
        err = tools.index && tools.ima && tools.claims ? 0 : -ENOMEM;
    }
    if (!err) {
        memset(&msg, 0, sizeof msg);
        msg.type = INSPECTOR_READY;
        err = inspector_main_write();
    }
    while (!err && !inspector_main_spent()) {
        const int r = inspector_main_answer(&tools);

        if (r == 0) {
            return 0;
        }
        err = r < 0 ? r : 0;
    }
    if (err && err != -EPIPE) {
        log_error("inspector: %s", strerror(-err));
    }
    return err ? 1 : 0;
}
