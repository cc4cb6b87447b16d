/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * sqlite on files that are reached through a folder's fd: a VFS of sqlite that can only read. With
 * an exclusive locking mode sqlite keeps the index of a write-ahead log in its own memory and needs
 * neither locks nor shared memory.
 */
#define _GNU_SOURCE
#include "policy/inspector/inspector_rpm_db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/inspector/inspector_channel.h"

#define DATABASE "rpmdb.sqlite"
#define DATABASE_WAL DATABASE "-wal"

/* The folder of the current search. */
static int folder = -1;

/* ---- an open file, as sqlite sees it ---- */

struct rpm_db_file {
    sqlite3_file file;
    int fd; /* -1 for a log that does not exist: it is empty */
};

static int inspector_rpm_db_close(sqlite3_file *file)
{
    struct rpm_db_file *const f = (struct rpm_db_file *)file;

    if (f->fd >= 0) {
        close(f->fd);
    }
    return SQLITE_OK;
}

static int inspector_rpm_db_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
    const int fd = ((const struct rpm_db_file *)file)->fd;
    size_t have = 0;
    ssize_t r = 1;

    while (fd >= 0 && have < (size_t)n && r > 0) {
        r = pread(fd, (char *)out + have, (size_t)n - have, at + (off_t)have);
        have += r > 0 ? (size_t)r : 0;
    }
    if (r < 0) {
        return SQLITE_IOERR_READ;
    }
    memset((char *)out + have, 0, (size_t)n - have);
    return have == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int inspector_rpm_db_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
    (void)file;
    (void)p;
    (void)n;
    (void)at;
    return SQLITE_READONLY;
}

static int inspector_rpm_db_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    (void)file;
    (void)size;
    return SQLITE_READONLY;
}

static int inspector_rpm_db_size(sqlite3_file *file, sqlite3_int64 *out)
{
    const struct rpm_db_file *const f = (const struct rpm_db_file *)file;
    struct stat st = {.st_size = 0};

    if (f->fd >= 0 && fstat(f->fd, &st) < 0) {
        return SQLITE_IOERR_FSTAT;
    }
    *out = st.st_size;
    return SQLITE_OK;
}

/* Serves for sync, lock and unlock: there is nothing to do. */
static int inspector_rpm_db_nothing(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int inspector_rpm_db_is_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

static int inspector_rpm_db_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int inspector_rpm_db_sector(sqlite3_file *file)
{
    (void)file;
    return 512;
}

static int inspector_rpm_db_traits(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1, /* neither shared memory nor mappings */
    .xClose = inspector_rpm_db_close,
    .xRead = inspector_rpm_db_read,
    .xWrite = inspector_rpm_db_write,
    .xTruncate = inspector_rpm_db_truncate,
    .xSync = inspector_rpm_db_nothing,
    .xFileSize = inspector_rpm_db_size,
    .xLock = inspector_rpm_db_nothing,
    .xUnlock = inspector_rpm_db_nothing,
    .xCheckReservedLock = inspector_rpm_db_is_reserved,
    .xFileControl = inspector_rpm_db_control,
    .xSectorSize = inspector_rpm_db_sector,
    .xDeviceCharacteristics = inspector_rpm_db_traits,
};

/* ---- the file system, as sqlite sees it ---- */

static int inspector_rpm_db_vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                                     int flags, int *out_flags)
{
    struct rpm_db_file *const f = (struct rpm_db_file *)file;
    const bool is_log = (flags & SQLITE_OPEN_WAL) != 0;

    (void)vfs;
    *f = (struct rpm_db_file){.fd = -1};
    /* A journal or a temporary file would have to be written. */
    if (!name || !(is_log || (flags & SQLITE_OPEN_MAIN_DB))) {
        return SQLITE_CANTOPEN;
    }
    f->fd = inspector_open_below(folder, name);
    if (f->fd < 0 && !(is_log && f->fd == -ENOENT)) {
        return SQLITE_CANTOPEN;
    }
    f->file.pMethods = &file_methods;
    if (out_flags) {
        *out_flags = SQLITE_OPEN_READONLY | (is_log ? SQLITE_OPEN_WAL : SQLITE_OPEN_MAIN_DB);
    }
    return SQLITE_OK;
}

static int inspector_rpm_db_vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)name;
    (void)sync;
    return SQLITE_READONLY;
}

static int inspector_rpm_db_vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    const int fd = inspector_open_below(folder, name);

    (void)vfs;
    *out = fd >= 0 && flags != SQLITE_ACCESS_READWRITE;
    if (fd >= 0) {
        close(fd);
    }
    return SQLITE_OK;
}

static int inspector_rpm_db_vfs_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    snprintf(out, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int inspector_rpm_db_vfs_random(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    memset(out, 0, (size_t)n);
    return n;
}

static int inspector_rpm_db_vfs_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int inspector_rpm_db_vfs_time(sqlite3_vfs *vfs, double *out)
{
    (void)vfs;
    *out = 0;
    return SQLITE_OK;
}

static sqlite3_vfs vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(struct rpm_db_file),
    .mxPathname = 64,
    .zName = "poemd",
    .xOpen = inspector_rpm_db_vfs_open,
    .xDelete = inspector_rpm_db_vfs_delete,
    .xAccess = inspector_rpm_db_vfs_access,
    .xFullPathname = inspector_rpm_db_vfs_path,
    .xRandomness = inspector_rpm_db_vfs_random,
    .xSleep = inspector_rpm_db_vfs_sleep,
    .xCurrentTime = inspector_rpm_db_vfs_time,
};

/* ---- a search ---- */

/* Of the index Basenames_key_idx: no row of another name is read. */
static const char query[] = "SELECT Packages.blob, Basenames.idx FROM Basenames JOIN Packages "
                            "ON Packages.hnum = Basenames.hnum WHERE Basenames.key = ?1";

/* The identity of both files; all 0 for a log that does not exist. */
struct rpm_db_state {
    struct peer_file_id files[2];
};

static void inspector_rpm_db_state_get(struct rpm_db_state *s)
{
    static const char *const names[2] = {DATABASE, DATABASE_WAL};

    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < 2; i++) {
        const int fd = inspector_open_below(folder, names[i]);

        if (fd >= 0) {
            if (peer_file_id_get(fd, &s->files[i]) < 0) {
                s->files[i].inode = 0;
            }
            close(fd);
        }
    }
}

static bool inspector_rpm_db_state_same(const struct rpm_db_state *a, const struct rpm_db_state *b)
{
    return peer_file_id_same(&a->files[0], &b->files[0]) &&
           peer_file_id_same(&a->files[1], &b->files[1]);
}

static int inspector_rpm_db_rows(sqlite3_stmt *statement, inspector_rpm_row *fn, void *arg,
                                 int *result)
{
    unsigned n = 0;
    int rc;

    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const sqlite3_int64 file = sqlite3_column_int64(statement, 1);
        const void *const blob = sqlite3_column_blob(statement, 0);
        const int size = sqlite3_column_bytes(statement, 0);

        if (++n > INSPECTOR_RPM_FILES) {
            *result = -E2BIG;
            return SQLITE_OK;
        }
        *result = fn(blob ? blob : (const void *)"", blob && size > 0 ? (size_t)size : 0,
                     file < 0 || file > UINT32_MAX ? UINT32_MAX : (uint32_t)file, arg);
        if (*result) {
            return SQLITE_OK;
        }
    }
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Searches once. Returns sqlite's result; *result has that of the rows. */
static int inspector_rpm_db_search(const char *base, inspector_rpm_row *fn, void *arg, int *result)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_open_v2(DATABASE, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, vfs.zName);

    *result = 0;
    if (rc == SQLITE_OK) {
        (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, INSPECTOR_RPM_HEADER_MAX);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        rc = sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_prepare_v2(db, query, sizeof query, &statement, NULL);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_bind_text(statement, 1, base, -1, SQLITE_STATIC);
    }
    if (rc == SQLITE_OK) {
        rc = inspector_rpm_db_rows(statement, fn, arg, result);
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return rc;
}

int inspector_rpm_db_find(int dir_fd, const char *base, inspector_rpm_row *fn, void *arg,
                          const char **why)
{
    struct rpm_db_state before;
    struct rpm_db_state after;
    int result = 0;
    int rc;

    *why = "";
    folder = dir_fd;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
        return -ENOMEM;
    }
    inspector_rpm_db_state_get(&before);
    if (before.files[0].inode == 0) {
        return -ENOENT;
    }
    rc = inspector_rpm_db_search(base, fn, arg, &result);
    inspector_rpm_db_state_get(&after);
    if (!inspector_rpm_db_state_same(&before, &after)) {
        return -EAGAIN;
    }
    *why = sqlite3_errstr(rc);
    return rc == SQLITE_NOMEM ? -ENOMEM : rc != SQLITE_OK ? -EIO : result;
}
