/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Opens a log: reads its content again and compares it with its checkpoints and with the mark
 * beside it. If a log differs from the state in which its writer left it, it is refused, never
 * repaired: that is up to a person.
 *
 * A torn end is the result of a crash: a last line without its newline, or, if a file system kept a
 * file's length and lost its bytes, NULs. No record behind the first such byte was ever
 * acknowledged, since every record is synced with all earlier ones before it is acknowledged.
 */
#define _GNU_SOURCE
#include "audit/audit_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "audit/audit_disk.h"
#include "audit/audit_scan.h"
#include "audit/audit_walk.h"

/* Maximum size of a suffix of the path: ".torn." and a number. */
#define SUFFIX_MAX 16

__attribute__((format(printf, 5, 6))) static enum audit_open audit_open_refuse(
    enum audit_open o, int err, const char *path, struct audit_fault *why, const char *fmt, ...)
{
    char name[256];
    va_list ap;
    int n;

    why->error = -err;
    n = snprintf(why->text, sizeof why->text,
                 "%s: ", log_escape(name, sizeof name, path, strlen(path)));
    va_start(ap, fmt);
    vsnprintf(why->text + n, sizeof why->text - (size_t)n, fmt, ap);
    va_end(ap);
    return o;
}

static enum audit_open audit_open_refuse_system(int err, const char *path, struct audit_fault *why)
{
    return audit_open_refuse(AUDIT_OPEN_SYSTEM, err, path, why, "%s", strerror(-err));
}

/* ---- neighbouring files ---- */

/* Returns the number in a rotated file's name, or 0 if it is not a rotated file of base. */
static unsigned audit_open_number_of(const char *name, const char *base)
{
    const size_t n = strlen(base);
    unsigned v = 0;

    if (strncmp(name, base, n) != 0 || name[n] != '.' ||
        strlen(name + n + 1) != AUDIT_FILE_DIGITS) {
        return 0;
    }
    for (const char *p = name + n + 1; *p; p++) {
        if (*p < '0' || *p > '9') {
            return 0;
        }
        v = v * 10 + (unsigned)(*p - '0');
    }
    return v;
}

/* Finds the greatest number of the existing rotated files. Returns 0 or -errno. */
static int audit_open_find_last(const char *path, unsigned *out)
{
    char folder_text[PATH_MAX];
    char base_text[PATH_MAX];
    const struct dirent *d;
    const char *base;
    DIR *dir;

    snprintf(folder_text, sizeof folder_text, "%s", path);
    snprintf(base_text, sizeof base_text, "%s", path);
    base = basename(base_text);
    dir = opendir(dirname(folder_text));
    if (!dir) {
        return -errno;
    }
    *out = 0;
    for (errno = 0; (d = readdir(dir)); errno = 0) {
        const unsigned v = audit_open_number_of(d->d_name, base);

        *out = v > *out ? v : *out;
    }
    if (errno) {
        const int err = -errno;

        closedir(dir);
        return err;
    }
    closedir(dir);
    return 0;
}

/* A crash between the two steps of a rotation leaves the log with two names: removes the second. */
static int audit_open_undo_rotation(struct audit_file *f)
{
    char rotated[PATH_MAX];
    struct stat there;
    struct stat ours;

    if (f->last_number == 0 || !audit_file_rotated(f->path, f->last_number, rotated) ||
        stat(rotated, &there) < 0 || fstat(f->fd, &ours) < 0 || there.st_dev != ours.st_dev ||
        there.st_ino != ours.st_ino) {
        return 0;
    }
    f->last_number--;
    return unlink(rotated) < 0 ? -errno : audit_disk_sync_folder(f->path);
}

/* Checks that all records sealed by a checkpoint of our key exist, or that the loss is accepted. */
static enum audit_open audit_open_check_loss(struct audit_file *f, struct audit_fault *why)
{
    const int err = f->torn_bytes > 0 ? audit_recover_search(f) : 0;

    if (err < 0) {
        return audit_open_refuse_system(err, f->path, why);
    }
    if (f->mark.size <= f->on_disk.tree.size || f->accept_loss) {
        return AUDIT_OPEN_OK;
    }
    return audit_open_refuse(AUDIT_OPEN_LOSS, 0, f->path, why,
                             "sealed records are missing: a checkpoint of this log covers %" PRIu64
                             " records, but only %" PRIu64
                             " are left; restore the log, or continue without them by "
                             "poemd --accept-loss, which is recorded",
                             f->mark.size, f->on_disk.tree.size);
}

/* Opens and locks the file; sets *fresh if it was created. */
static enum audit_open open_file(struct audit_file *f, bool *fresh, struct audit_fault *why)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    struct stat st;
    int err = audit_open_find_last(f->path, &f->last_number);

    if (err < 0) {
        return audit_open_refuse_system(err, f->path, why);
    }
    f->fd = open(f->path, flags);
    *fresh = f->fd < 0 && errno == ENOENT && f->last_number == 0;
    if (*fresh && f->mark.size > 0 && !f->accept_loss) {
        return audit_open_check_loss(f, why);
    }
    if (*fresh) {
        f->fd = open(f->path, flags | O_CREAT | O_EXCL, 0600);
    }
    if (f->fd < 0 && errno == ENOENT) {
        return audit_open_refuse(
            AUDIT_OPEN_TAMPERED, 0, f->path, why,
            "missing, although files rotated from it exist; restore it, or move all of "
            "them away to begin a new log");
    }
    if (f->fd < 0 || fstat(f->fd, &st) < 0) {
        return audit_open_refuse_system(-errno, f->path, why);
    }
    if (!S_ISREG(st.st_mode)) {
        return audit_open_refuse_system(-EINVAL, f->path, why);
    }
    err = audit_file_lock(f->fd);
    if (err == -EBUSY) {
        return audit_open_refuse(AUDIT_OPEN_BUSY, err, f->path, why,
                                 "another process writes this log");
    }
    if (err == 0) {
        err = *fresh ? audit_disk_sync_folder(f->path) : audit_open_undo_rotation(f);
    }
    return err < 0 ? audit_open_refuse_system(err, f->path, why) : AUDIT_OPEN_OK;
}

/* ---- content ---- */

/*
 * Learns the number in the name of the file that this one continues: that file may have been
 * removed.
 */
static void audit_open_learn_number(struct audit_file *f, const char *line, size_t n)
{
    json_t *const o = json_loadb(line, n, 0, NULL);
    const char *const file = json_string_value(json_object_get(o, "file"));
    const char *const dot = file ? strrchr(file, '.') : NULL;
    char base[PATH_MAX];

    if (dot && (size_t)(dot - file) < sizeof base) {
        unsigned v;

        memcpy(base, file, (size_t)(dot - file));
        base[dot - file] = '\0';
        v = audit_open_number_of(file, base);
        f->last_number = v > f->last_number ? v : f->last_number;
    }
    json_decref(o);
}

static enum audit_open audit_open_refuse_step(const struct audit_file *f,
                                              const struct audit_walk *w, enum audit_step s,
                                              struct audit_fault *why)
{
    switch (s) {
    case AUDIT_STEP_NO_MEMORY:
        return audit_open_refuse_system(-ENOMEM, f->path, why);
    case AUDIT_STEP_OTHER_KEY:
        return audit_open_refuse(
            AUDIT_OPEN_WRONG_KEY, 0, f->path, why,
            "sealed with a key other than %s; a new key requires a new log: move this "
            "log's files away",
            f->key.vkey.name);
    default:
        return audit_open_refuse(AUDIT_OPEN_TAMPERED, 0, f->path, why,
                                 "altered since it was written: record %" PRIu64
                                 ": %s; run poemctl audit verify, and move its files away",
                                 w->tree.size, audit_step_text(s));
    }
}

/* Returns whether the tree equals the mark's, if both have the same size. */
static bool audit_open_same_as_mark(const struct audit_file *f, const struct audit_tree *tree)
{
    struct audit_hash root;

    return f->mark.size == 0 || f->mark.size != tree->size ||
           (audit_tree_root(tree, &root) == 0 && audit_hash_same(&root, &f->mark.root));
}

/* Walks the whole file. */
static enum audit_open audit_open_walk(struct audit_file *f, struct audit_walk *w,
                                       struct audit_scan *scan, struct audit_fault *why)
{
    enum audit_scan_outcome o;
    struct audit_head head;
    const char *line;
    size_t n;

    while ((o = audit_scan_next(scan, &line, &n)) == AUDIT_SCAN_LINE) {
        const enum audit_step s = audit_walk_line(w, line, n, scan->lines == 1, &head);

        if (s != AUDIT_STEP_OK) {
            return audit_open_refuse_step(f, w, s, why);
        }
        if (!audit_open_same_as_mark(f, &w->tree)) {
            return audit_open_refuse(
                AUDIT_OPEN_TAMPERED, 0, f->path, why,
                "not the log that was sealed: its first %" PRIu64
                " records differ from those at its last checkpoint; restore the log, or "
                "move its files away",
                f->mark.size);
        }
        if (scan->lines == 1) {
            audit_open_learn_number(f, line, n);
        }
        f->on_disk.last_n = n;
    }
    if (o == AUDIT_SCAN_LONG) {
        return audit_open_refuse_step(f, w, AUDIT_STEP_NO_RECORD, why);
    }
    if (o == AUDIT_SCAN_ERROR) {
        return audit_open_refuse_system(-scan->error, f->path, why);
    }
    if (scan->lines == 0 && f->last_number > 0) {
        return audit_open_refuse_step(f, w, AUDIT_STEP_BEGINNING, why);
    }
    return AUDIT_OPEN_OK;
}

/* ---- opening ---- */

static enum audit_open audit_open_read_again(struct audit_file *f, struct audit_fault *why)
{
    struct audit_scan scan;
    struct audit_walk w;
    struct stat st;
    enum audit_open o;

    audit_walk_init(&w, &f->key.vkey, 1);
    o = audit_scan_init(&scan, f->fd) < 0 ? audit_open_refuse_system(-ENOMEM, f->path, why)
                                          : audit_open_walk(f, &w, &scan, why);
    f->length = scan.offset;
    audit_scan_deinit(&scan);
    if (o != AUDIT_OPEN_OK) {
        return o;
    }
    if (fstat(f->fd, &st) < 0) {
        return audit_open_refuse_system(-errno, f->path, why);
    }
    f->torn_bytes = (uint64_t)st.st_size - f->length;
    f->unsealed = w.tree.size - w.sealed;
    f->on_disk.tree = w.tree;
    memcpy(f->on_disk.prev, w.prev, sizeof w.prev);
    f->on_disk.sealed = w.sealed;
    memcpy(f->on_disk.time, w.time, sizeof w.time);
    memcpy(f->on_disk.latest, w.latest, sizeof w.latest);
    f->batch = f->on_disk;
    return AUDIT_OPEN_OK;
}

static enum audit_open audit_open_all(struct audit_file *f, const struct audit_settings *settings,
                                      struct audit_fault *why)
{
    enum audit_open o;
    bool fresh;
    int err;

    if (strlen(settings->path) + SUFFIX_MAX >= sizeof f->path) {
        return audit_open_refuse_system(-ENAMETOOLONG, settings->path, why);
    }
    snprintf(f->path, sizeof f->path, "%s", settings->path);
    err = audit_key_load(&f->key, settings->key_path, why->text, sizeof why->text);
    if (err < 0) {
        why->error = -err;
        return AUDIT_OPEN_KEY;
    }
    err = audit_mark_open(f);
    o = err < 0 ? audit_open_refuse_system(err, f->path, why) : open_file(f, &fresh, why);
    if (o == AUDIT_OPEN_OK) {
        o = audit_open_read_again(f, why);
    }
    if (o == AUDIT_OPEN_OK) {
        o = audit_open_check_loss(f, why);
    }
    if (o == AUDIT_OPEN_OK && (err = audit_recover(f)) < 0) {
        o = audit_open_refuse_system(err, f->path, why);
    }
    return o;
}

enum audit_open audit_file_open(struct audit_file *f, const struct audit_settings *settings,
                                struct audit_fault *why)
{
    enum audit_open o;

    memset(f, 0, sizeof *f);
    f->fd = -1;
    f->mark_fd = -1;
    f->rotate_size = settings->rotate_size;
    f->accept_loss = settings->accept_loss;
    f->host = json_incref(settings->host);
    o = audit_open_all(f, settings, why);
    if (o != AUDIT_OPEN_OK) {
        audit_file_deinit(f);
    }
    return o;
}
