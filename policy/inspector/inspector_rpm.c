/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds the rpm package that owns an executable, with the pure reader of evidence_rpm.h, and
 * compares the digest that rpm records with the file's own. Runs in the sandbox.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/evidence/evidence_rpm.h"
#include "policy/inspector/inspector_channel.h"
#include "policy/inspector/inspector_rpm_db.h"

/* Maximum number of packages with one path: those of several architectures share their programs. */
#define RPM_OWNERS 4u

/* How often a search is tried while rpm changes the database. */
#define RPM_TRIES 3

#define RPM_MD5_SIZE 16u

struct rpm_owner {
    char name[EVIDENCE_NAME_SIZE];
    char licence[EVIDENCE_LICENCE_SIZE]; /* "" if the License tag is not understood, see why */
    char why[EVIDENCE_DETAIL_SIZE];
    char tag[64]; /* the License tag, cut; foreign bytes */
    bool exact;   /* the package has the very path, not another name of it */
    uint32_t algorithm;
    uint32_t n_digest;
    uint8_t digest[EVIDENCE_RPM_DIGEST_MAX];
};

struct rpm_search {
    const char *path;
    struct rpm_owner owners[RPM_OWNERS];
    size_t n;
    size_t n_exact;
    unsigned malformed; /* headers */
};

/* ---- the owners ---- */

static void inspector_rpm_add_owner(struct rpm_search *s, const struct evidence_rpm_header *h,
                                    const struct evidence_rpm_file *file)
{
    struct rpm_owner *const o = &s->owners[s->n++];
    const char *const tag = evidence_rpm_licence_tag(h);

    memset(o, 0, sizeof *o);
    o->exact = strcmp(file->path, s->path) == 0;
    s->n_exact += o->exact;
    o->algorithm = file->algorithm;
    o->n_digest = file->n_digest;
    memcpy(o->digest, file->digest, sizeof o->digest);
    if (!evidence_rpm_name(h, o->name)) {
        snprintf(o->name, sizeof o->name, "of unknown name");
    }
    if (!tag) {
        snprintf(o->why, sizeof o->why, "it has no License tag");
        return;
    }
    snprintf(o->tag, sizeof o->tag, "%s", tag);
    if (!evidence_rpm_expression(tag, o->licence, o->why)) {
        o->licence[0] = '\0';
    }
}

static int inspector_rpm_on_row(const uint8_t *header, size_t n, uint32_t file, void *arg)
{
    static struct evidence_rpm_file found; /* with a path: large */
    struct rpm_search *const s = arg;
    struct evidence_rpm_header h;

    if (!evidence_rpm_read(&h, header, n) || !evidence_rpm_file(&h, file, &found)) {
        s->malformed++;
    } else if (found.installed && s->n < RPM_OWNERS &&
               evidence_rpm_path_merged(found.path, s->path)) {
        inspector_rpm_add_owner(s, &h, &found);
    }
    return 0;
}

static int inspector_rpm_find_owners(const struct inspector_tools *t, struct rpm_search *s,
                                     const char **why)
{
    int err = -EAGAIN;

    for (int i = 0; i < RPM_TRIES && err == -EAGAIN; i++) {
        s->n = 0;
        s->n_exact = 0;
        s->malformed = 0;
        err = inspector_rpm_db_find(t->rpm_fd, strrchr(s->path, '/') + 1, inspector_rpm_on_row, s,
                                    why);
    }
    return err;
}

/* Returns the reason if the folder has a database in a form that is not read, otherwise NULL. */
static const char *inspector_rpm_other_form(int dir_fd)
{
    static const struct {
        const char *file;
        const char *why;
    } forms[] = {
        {"Packages", "the rpm database has the form bdb; rpmdb --rebuilddb changes it to sqlite"},
        {"Packages.db", "the rpm database has the form ndb; only the form sqlite is read"},
    };
    struct stat st;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (fstatat(dir_fd, forms[i].file, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            return forms[i].why;
        }
    }
    return NULL;
}

static void inspector_rpm_add_failure(const struct inspector_tools *t, int err, const char *why,
                                      struct evidence *e)
{
    const char *const other = err == -ENOENT ? inspector_rpm_other_form(t->rpm_fd) : NULL;

    if (err == -ENOENT && other) {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, 0, "%s", other);
    } else if (err == -EAGAIN) {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, EAGAIN,
                             "the rpm database is being changed; try again after the transaction");
    } else if (err == -E2BIG) {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, E2BIG,
                             "more than %u files in the rpm database have the executable's name",
                             INSPECTOR_RPM_FILES);
    } else if (err != -ENOENT) {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, -err, "the rpm database cannot be read: %s",
                             err == -EIO ? why : strerror(-err));
    }
}

/* ---- their evidence ---- */

/* Returns 1 if the owner's digest is the file's, 0 if not, or -errno if they cannot be compared. */
static int inspector_rpm_is_owners(const struct rpm_owner *o, const uint8_t *sha256,
                                   inspector_md5 *md5, void *arg)
{
    uint8_t own_md5[RPM_MD5_SIZE];
    int err;

    if (o->n_digest == 0) {
        return -ENODATA;
    }
    if (o->algorithm == EVIDENCE_RPM_SHA256) {
        return o->n_digest == INSPECTION_SHA256_SIZE && memcmp(o->digest, sha256, o->n_digest) == 0;
    }
    if (o->algorithm != EVIDENCE_RPM_MD5) {
        return -EOPNOTSUPP;
    }
    err = md5(arg, own_md5);
    return err ? err : o->n_digest == RPM_MD5_SIZE && memcmp(o->digest, own_md5, o->n_digest) == 0;
}

static void inspector_rpm_add_licence(const struct rpm_owner *o, struct evidence *e)
{
    char detail[EVIDENCE_DETAIL_SIZE];

    evidence_set_package(e, o->name);
    if (o->licence[0] == '\0') {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, 0, "package %s: %s", o->name, o->why);
        return;
    }
    snprintf(detail, sizeof detail,
             "its %s matches the package in the rpm database, whose License tag is: %s",
             o->algorithm == EVIDENCE_RPM_SHA256 ? "SHA-256" : "MD5", o->tag);
    evidence_add(e, EVIDENCE_PACKAGED, EVIDENCE_FROM_RPM, o->licence, o->name, detail);
}

static void inspector_rpm_judge_owners(const struct rpm_search *s, const uint8_t *sha256,
                                       inspector_md5 *md5, void *arg, struct evidence *e)
{
    const struct rpm_owner *owner = NULL;
    int r = 0;

    for (size_t i = 0; i < s->n; i++) {
        /* A package with another name of the path counts only if no other has the path itself. */
        if (s->n_exact > 0 && !s->owners[i].exact) {
            continue;
        }
        owner = &s->owners[i];
        r = inspector_rpm_is_owners(owner, sha256, md5, arg);
        if (r == 1) {
            inspector_rpm_add_licence(owner, e);
            return;
        }
    }
    if (r == 0) {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, 0,
                             "package %s owns the path, but the file differs from the package's",
                             owner->name);
    } else if (r == -EOPNOTSUPP) {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, EOPNOTSUPP,
                             "package %s owns the path, but its digests are of another algorithm "
                             "(%u) than SHA-256 and MD5",
                             owner->name, (unsigned)owner->algorithm);
    } else {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, -r,
                             "package %s owns the path, but its digest of the file is unavailable: "
                             "%s",
                             owner->name, strerror(-r));
    }
}

void inspector_rpm_add(const struct inspector_tools *t, const char *path,
                       const uint8_t sha256[INSPECTION_SHA256_SIZE], inspector_md5 *md5, void *arg,
                       struct evidence *e)
{
    static struct rpm_search s; /* large */
    const char *why = "";
    int err;

    if (t->rpm_fd < 0 || path[0] != '/') {
        return;
    }
    s.path = path;
    err = inspector_rpm_find_owners(t, &s, &why);
    if (err) {
        inspector_rpm_add_failure(t, err, why, e);
    } else if (s.n > 0) {
        inspector_rpm_judge_owners(&s, sha256, md5, arg, e);
    } else if (s.malformed > 0) {
        evidence_add_unknown(e, EVIDENCE_FROM_RPM, 0,
                             "the rpm database has a malformed header of a package with a file of "
                             "this name");
    }
}
