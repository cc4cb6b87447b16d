/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Audit logs for tests. */
#define _GNU_SOURCE
#include "tests/unit/audit/audit_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_key.h"
#include "tests/support/unit.h"

static struct audit_vkey vkey;

static const char *in_folder(char out[256], const char *name)
{
    snprintf(out, 256, "%s/%s", unit_folder(), name);
    return out;
}

const char *rig_log(void)
{
    static char path[256];

    return in_folder(path, "log");
}

const char *rig_key(void)
{
    static char path[256];

    return in_folder(path, "key");
}

const char *rig_pub(void)
{
    static char path[256];

    return in_folder(path, "key.pub");
}

const struct audit_vkey *rig_keygen(void)
{
    char why[512];

    ck_assert_msg(audit_key_generate(rig_key(), RIG_NAME, &vkey, why, sizeof why) == 0, "%s", why);
    return &vkey;
}

void rig_forget_mark(void)
{
    ck_assert(unlink(unit_path(".log.sealed")) == 0 || errno == ENOENT);
}

static enum audit_open try_open(struct audit_log **log, uint64_t rotate_size, bool accept_loss,
                                struct audit_fault *why)
{
    const struct audit_settings settings = {.path = rig_log(),
                                            .key_path = rig_key(),
                                            .rotate_size = rotate_size,
                                            .accept_loss = accept_loss};

    return audit_log_open(log, &settings, why);
}

struct audit_log *rig_open(uint64_t rotate_size)
{
    struct audit_fault why;
    struct audit_log *log;
    const enum audit_open o = try_open(&log, rotate_size, false, &why);

    ck_assert_msg(o == AUDIT_OPEN_OK, "opening: %d: %s", (int)o, why.text);
    return log;
}

struct audit_log *rig_open_lossy(void)
{
    struct audit_fault why;
    struct audit_log *log;
    const enum audit_open o = try_open(&log, 0, true, &why);

    ck_assert_msg(o == AUDIT_OPEN_OK, "opening: %d: %s", (int)o, why.text);
    return log;
}

const char *rig_open_fails(enum audit_open expected)
{
    static struct audit_fault why;
    struct audit_log *log;
    const enum audit_open o = try_open(&log, 0, false, &why);

    ck_assert_msg(o == expected, "opening: %d instead of %d: %s", (int)o, (int)expected, why.text);
    ck_assert_ptr_null(log);
    ck_assert_uint_gt(strlen(why.text), 0);
    return why.text;
}

void rig_close(struct audit_log *log)
{
    int error;

    ck_assert_int_eq(audit_log_close(log, &error), AUDIT_DURABLE);
    ck_assert_int_eq(error, 0);
}

void rig_append(struct audit_log *log, uint64_t session)
{
    json_t *const o = json_pack("{s:I, s:s}", "session", (json_int_t)session, "route", "nvme0");

    ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), 0);
    json_decref(o);
}

void rig_append_verdict(struct audit_log *log, uint64_t session)
{
    json_t *const o = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:{s:i, s:{s:s, s:s}}, s:{s:{s:s}}, s:[{s:s, s:s, s:s}]}",
        "session", (json_int_t)session, "route", "nvme0", "verdict", "allow-tainted", "rule",
        "poemd.conf:12", "taint", "UE", "client", "uid", 1000, "exe", "path", "/usr/bin/qemu",
        "sha256", "ab", "backend", "exe", "path", "/opt/<b>\"nvme\"", "evidence", "of", "backend",
        "licence", "GPL-2.0-only", "grade", "declared");

    ck_assert_ptr_nonnull(o);
    ck_assert_int_eq(audit_log_append(log, "verdict", o, NULL), 0);
    json_decref(o);
}

void rig_settle(struct audit_log *log, uint64_t upto, enum audit_outcome expected, int error)
{
    struct audit_done done = {.upto = 0};

    audit_log_commit(log);
    while (done.upto < upto) {
        struct pollfd p = {.fd = audit_log_fd(log), .events = POLLIN};

        ck_assert(poll(&p, 1, -1) == 1 || errno == EINTR);
        while (audit_log_collect(log, &done)) {
            ck_assert_int_eq(done.outcome, expected);
            ck_assert_int_eq(done.error, error);
        }
    }
    ck_assert_uint_eq(done.upto, upto);
}

void rig_make(uint64_t n, uint64_t rotate_size)
{
    struct audit_log *log;

    rig_keygen();
    log = rig_open(rotate_size);
    for (uint64_t i = 0; i < n; i++) {
        if (i % 10 == 9) {
            rig_append_verdict(log, i);
            rig_settle(log, i + 1, AUDIT_DURABLE, 0);
        } else {
            rig_append(log, i);
        }
    }
    rig_close(log);
}

char *rig_read(const char *path, size_t *n)
{
    FILE *const f = fopen(path, "rb");
    char *p;
    long size;

    ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
    size = ftell(f);
    rewind(f);
    p = malloc((size_t)size + 1);
    ck_assert_ptr_nonnull(p);
    *n = fread(p, 1, (size_t)size, f);
    ck_assert_uint_eq(*n, (size_t)size);
    p[*n] = '\0';
    fclose(f);
    return p;
}

/* Not cut to nothing first: ext4 would write each of thousands of files to the disk at once. */
void rig_write(const char *path, const void *p, size_t n)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(pwrite(fd, p, n, 0), (ssize_t)n);
    ck_assert_int_eq(ftruncate(fd, (off_t)n), 0);
    close(fd);
}

const struct audit_result *rig_verify_files(const char *const *files, size_t n,
                                            const struct audit_checkpoint *older)
{
    static struct audit_result r;
    const struct audit_question q = {.files = files, .n = n, .key = &vkey, .older = older};

    ck_assert_int_eq(audit_verify(&q, &r), r.verdict);
    ck_assert_uint_gt(strlen(r.text), 0);
    return &r;
}

const struct audit_result *rig_verify(void)
{
    const char *const file = rig_log();

    return rig_verify_files(&file, 1, NULL);
}

void rig_expect(const struct audit_result *r, enum audit_verdict expected)
{
    ck_assert_msg(r->verdict == expected, "%s instead of %s: %s", audit_verdict_word(r->verdict),
                  audit_verdict_word(expected), r->text);
}
