/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds the Debian package that owns an executable, in folders opened by the parent, with the pure
 * readers of evidence_dpkg.h and evidence_copyright.h. Runs in the sandbox; no file outside of the
 * folders is reachable, not even through links.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/evidence/evidence_copyright.h"
#include "policy/evidence/evidence_dpkg.h"
#include "policy/inspector/inspector_channel.h"

/* Maximum number of packages that list one path, because of diversions and split packages. */
#define OWNERS 4u

struct owner {
    struct evidence_dpkg_name package;
    const char *path; /* as listed by the package */
};

struct search {
    const struct inspector_tools *tools;
    const char *paths[2];
    size_t n_paths;
    struct owner owners[OWNERS];
    size_t n;
};

ssize_t inspector_read(int fd, size_t most, char **out)
{
    struct stat st;
    size_t have = 0;
    ssize_t r = -1;
    char *p;

    *out = NULL;
    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return -EINVAL;
    }
    if (st.st_size < 0 || (uint64_t)st.st_size > most) {
        return -EFBIG;
    }
    p = malloc((size_t)st.st_size + 1);
    if (!p) {
        return -ENOMEM;
    }
    while (have < (size_t)st.st_size &&
           (r = pread(fd, p + have, (size_t)st.st_size - have, (off_t)have)) > 0) {
        have += (size_t)r;
    }
    if (st.st_size > 0 && r < 0) {
        r = -errno;
        free(p);
        return r;
    }
    *out = p;
    return (ssize_t)have;
}

static ssize_t inspector_dpkg_read_below(int dir_fd, const char *name, char **out)
{
    const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    const long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof how);
    ssize_t n;

    *out = NULL;
    if (fd < 0) {
        return -errno;
    }
    n = inspector_read((int)fd, INSPECTOR_DPKG_MAX, out);
    close((int)fd);
    return n;
}

/* ---- the owner ---- */

/*
 * Notes the package if its list contains one of the paths. An error such as -ENOMEM means that the
 * owner is unknown.
 */
static int inspector_dpkg_look_into(struct search *s, const char *file,
                                    const struct evidence_dpkg_name *package)
{
    char name[300];
    char *text;
    ssize_t n;

    snprintf(name, sizeof name, "info/%s", file);
    n = inspector_dpkg_read_below(s->tools->dpkg_fd, name, &text);
    if (n < 0) {
        return n == -ENOENT ? 0 : (int)n;
    }
    for (size_t i = 0; i < s->n_paths; i++) {
        if (s->n < OWNERS && evidence_dpkg_lists(text, (size_t)n, s->paths[i])) {
            s->owners[s->n++] = (struct owner){*package, s->paths[i]};
            break;
        }
    }
    free(text);
    return 0;
}

static int inspector_dpkg_find_owners(struct search *s)
{
    const int fd = openat(s->tools->dpkg_fd, "info", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct evidence_dpkg_name package;
    const struct dirent *d;
    int err = 0;

    if (!dir) {
        err = -errno;
        if (fd >= 0) {
            close(fd);
        }
        return err;
    }
    while (!err && (d = readdir(dir))) {
        if (evidence_dpkg_list_name(d->d_name, &package)) {
            err = inspector_dpkg_look_into(s, d->d_name, &package);
        }
    }
    closedir(dir);
    return err;
}

/* ---- its evidence ---- */

/*
 * Compares the file's digest with the package's. Returns 1 if they are equal, 0 if not, or -errno
 * (-ENOENT if the package has no digest of the file).
 */
static int inspector_dpkg_is_packages(const struct search *s, const struct owner *o,
                                      const uint8_t *have)
{
    const char *colon = o->package.arch[0] ? ":" : "";
    uint8_t want[EVIDENCE_MD5_SIZE];
    char name[300];
    char *text;
    ssize_t n;
    bool found;

    snprintf(name, sizeof name, "info/%s%s%s.md5sums", o->package.name, colon, o->package.arch);
    n = inspector_dpkg_read_below(s->tools->dpkg_fd, name, &text);
    if (n < 0) {
        return (int)n;
    }
    found = evidence_dpkg_md5(text, (size_t)n, o->path, want);
    free(text);
    if (!found) {
        return -ENOENT;
    }
    return memcmp(want, have, sizeof want) == 0;
}

static void inspector_dpkg_version_of(const struct search *s, const struct owner *o,
                                      char out[EVIDENCE_DPKG_VERSION_SIZE])
{
    char *text;
    const ssize_t n = inspector_dpkg_read_below(s->tools->dpkg_fd, "status", &text);

    if (n < 0 || !evidence_dpkg_version(text, (size_t)n, &o->package, out)) {
        snprintf(out, EVIDENCE_DPKG_VERSION_SIZE, "of unknown version");
    }
    free(text);
}

static void inspector_dpkg_add_licence(const struct search *s, const struct owner *o,
                                       struct evidence *e)
{
    char version[EVIDENCE_DPKG_VERSION_SIZE];
    char name[EVIDENCE_NAME_SIZE * 2];
    char detail[EVIDENCE_DETAIL_SIZE];
    struct evidence_copyrights c;
    enum evidence_copyright outcome;
    char *text;
    ssize_t n;

    snprintf(name, sizeof name, "%s/copyright", o->package.name);
    n = s->tools->doc_fd < 0 ? -ENOENT : inspector_dpkg_read_below(s->tools->doc_fd, name, &text);
    if (n < 0) {
        evidence_add_unknown(e, EVIDENCE_FROM_DPKG, (int)-n, "package %s: its copyright file: %s",
                             o->package.name, strerror((int)-n));
        return;
    }
    outcome = evidence_copyright_read(&c, text, (size_t)n);
    free(text);
    if (outcome != EVIDENCE_COPYRIGHT_OK) {
        evidence_add_unknown(e, EVIDENCE_FROM_DPKG, 0, "package %s: its copyright file: %s",
                             o->package.name, evidence_copyright_text(outcome));
        return;
    }
    inspector_dpkg_version_of(s, o, version);
    snprintf(name, sizeof name, "%s %s", o->package.name, version);
    if (c.whole) {
        snprintf(detail, sizeof detail,
                 "its MD5 (dpkg has no better digest) matches the package, whose copyright file "
                 "gives this licence for the package as a whole");
    } else {
        snprintf(detail, sizeof detail,
                 "its MD5 (dpkg has no better digest) matches the package, whose copyright file "
                 "gives this for its sources: all of %u Files paragraphs, without %u on debian/",
                 c.files, c.packaging);
    }
    evidence_add(e, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, c.licence, name, detail);
}

static void inspector_dpkg_judge_owners(const struct search *s, inspector_md5 *md5, void *arg,
                                        struct evidence *e)
{
    uint8_t have[EVIDENCE_MD5_SIZE];
    const int err = md5(arg, have);
    int r = 0;

    if (err) {
        evidence_add_unknown(e, EVIDENCE_FROM_DPKG, -err, "its MD5 cannot be computed: %s",
                             strerror(-err));
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        r = inspector_dpkg_is_packages(s, &s->owners[i], have);
        if (r == 1) {
            inspector_dpkg_add_licence(s, &s->owners[i], e);
            return;
        }
    }
    if (r == 0) {
        evidence_add_unknown(
            e, EVIDENCE_FROM_DPKG, 0,
            "package %s owns the path, but the file differs from the package's (MD5)",
            s->owners[0].package.name);
    } else {
        evidence_add_unknown(
            e, EVIDENCE_FROM_DPKG, -r,
            "package %s owns the path, but its digest of the file is unavailable: %s",
            s->owners[s->n - 1].package.name, strerror(-r));
    }
}

void inspector_dpkg_add(const struct inspector_tools *t, const char *path, inspector_md5 *md5,
                        void *arg, struct evidence *e)
{
    struct search s = {.tools = t, .paths = {path}, .n_paths = 1};
    const char *unmerged;
    int err;

    if (t->dpkg_fd < 0 || !evidence_dpkg_path(path, &unmerged)) {
        return;
    }
    if (unmerged) {
        s.paths[s.n_paths++] = unmerged;
    }
    err = inspector_dpkg_find_owners(&s);
    if (err) {
        evidence_add_unknown(e, EVIDENCE_FROM_DPKG, -err, "the dpkg database cannot be read: %s",
                             strerror(-err));
    } else if (s.n > 0) {
        inspector_dpkg_judge_owners(&s, md5, arg, e);
    }
}
