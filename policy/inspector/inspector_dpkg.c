/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds the Debian package that owns an executable, in folders opened by the parent, with the pure
 * readers of evidence_dpkg.h and evidence_copyright.h. Runs in the sandbox; no file outside of the
 * folders is reachable, not even through links.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/evidence/debian/evidence_copyright.h"
#include "policy/evidence/debian/evidence_dpkg.h"
#include "policy/inspector/inspector_channel.h"
#include "policy/inspector/inspector_index.h"

/* Maximum number of packages that list one path, because of diversions and split packages. */
#define OWNERS 4u

/* Names that the database may have for a path, and for the one that it was diverted from. */
#define PATHS 4u

/* Links that are followed to one copyright file, one after the other. */
#define LINKS 4u

struct owner {
    struct evidence_dpkg_name package;
    const char *path; /* as listed by the package */
};

struct search {
    const struct inspector_tools *tools;
    const char *paths[PATHS];
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

int inspector_open_below(int dir_fd, const char *name)
{
    const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    const long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof how);

    return fd < 0 ? -errno : (int)fd;
}

static ssize_t inspector_dpkg_read_take(int fd, char **out)
{
    ssize_t n;

    *out = NULL;
    if (fd < 0) {
        return fd;
    }
    n = inspector_read(fd, INSPECTOR_DPKG_MAX, out);
    close(fd);
    return n;
}

static ssize_t inspector_dpkg_read_below(int dir_fd, const char *name, char **out)
{
    return inspector_dpkg_read_take(inspector_open_below(dir_fd, name), out);
}

/* ---- links of the documentation ---- */

/*
 * Replaces a link at the beginning of path, which is `part` bytes long, by its target, if that is
 * an absolute path below /usr/share/doc: the same folder as the open one, which is all that can be
 * reached. Returns false otherwise.
 */
static bool inspector_dpkg_follow(int doc_fd, char path[PATH_MAX], size_t part)
{
    static const char folder[] = "/usr/share/doc/";
    char link[PATH_MAX];
    char target[PATH_MAX];
    ssize_t n;

    memcpy(link, path, part);
    link[part] = '\0';
    n = readlinkat(doc_fd, link, target, sizeof target - 1);
    if (n <= 0) {
        return false;
    }
    target[n] = '\0';
    if (strncmp(target, folder, sizeof folder - 1) != 0 ||
        (size_t)n - (sizeof folder - 1) + strlen(path + part) >= sizeof link) {
        return false;
    }
    n = snprintf(link, sizeof link, "%.*s%s", (int)(sizeof link - strlen(path + part) - 1),
                 target + sizeof folder - 1, path + part);
    memcpy(path, link, (size_t)n + 1);
    return true;
}

/* Opens a package's copyright file, also behind absolute links within /usr/share/doc. */
static int inspector_dpkg_open_copyright(int doc_fd, const char *package)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/copyright", package);
    fd = inspector_open_below(doc_fd, path);
    for (unsigned i = 0; fd == -EXDEV && i < LINKS; i++) {
        const char *slash = strchr(path, '/');

        if (!(slash && inspector_dpkg_follow(doc_fd, path, (size_t)(slash - path))) &&
            !inspector_dpkg_follow(doc_fd, path, strlen(path))) {
            break;
        }
        fd = inspector_open_below(doc_fd, path);
    }
    return fd;
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

/* Looks into a list that the index returns, unless its package is known as an owner already. */
static int inspector_dpkg_look_at(void *arg, const char *list)
{
    struct search *const s = arg;
    struct evidence_dpkg_name package;

    if (!evidence_dpkg_list_name(list, &package)) {
        return 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->owners[i].package.name, package.name) == 0 &&
            strcmp(s->owners[i].package.arch, package.arch) == 0) {
            return 0;
        }
    }
    return inspector_dpkg_look_into(s, list, &package);
}

static int inspector_dpkg_find_owners(struct search *s)
{
    int err = 0;

    for (size_t i = 0; i < s->n_paths && !err; i++) {
        err = inspector_index_find(s->tools->index, s->paths[i], inspector_dpkg_look_at, s);
    }
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

/* Adds the reason why a copyright file gives no licence. */
static void inspector_dpkg_add_fault(const char *package, const struct evidence_copyrights *c,
                                     enum evidence_copyright outcome, struct evidence *e)
{
    if (outcome == EVIDENCE_COPYRIGHT_MALFORMED) {
        evidence_add_unknown(e, EVIDENCE_FROM_DPKG, 0,
                             "package %s: its copyright file, line %u: %s", package, c->line,
                             c->why);
    } else {
        evidence_add_unknown(e, EVIDENCE_FROM_DPKG, 0, "package %s: its copyright file: %s",
                             package, evidence_copyright_text(outcome));
    }
}

/* Writes what the licence is based on. */
static void inspector_dpkg_describe(const struct evidence_copyrights *c,
                                    char detail[EVIDENCE_DETAIL_SIZE])
{
    static const char begins[] = "its MD5 (dpkg has no better digest) matches the package, whose "
                                 "copyright file";
    int n;

    if (c->free_text) {
        snprintf(detail, EVIDENCE_DETAIL_SIZE, "%s is a text without fields: matched text", begins);
        return;
    }
    n = snprintf(detail, EVIDENCE_DETAIL_SIZE,
                 "%s gives this for its sources: %u Files stanzas; %u set apart", begins,
                 c->counted, c->apart);
    if (c->matched > 0) {
        snprintf(detail + n, EVIDENCE_DETAIL_SIZE - (size_t)n, "; matched text of %u licences",
                 c->matched);
    }
}

static void inspector_dpkg_add_licence(const struct search *s, const struct owner *o,
                                       struct evidence *e)
{
    char version[EVIDENCE_DPKG_VERSION_SIZE];
    char name[EVIDENCE_NAME_SIZE * 2];
    char detail[EVIDENCE_DETAIL_SIZE];
    struct evidence_copyrights c;
    enum evidence_copyright outcome;
    char *text = NULL;
    ssize_t n = s->tools->doc_fd < 0
                    ? -ENOENT
                    : inspector_dpkg_read_take(
                          inspector_dpkg_open_copyright(s->tools->doc_fd, o->package.name), &text);

    inspector_dpkg_version_of(s, o, version);
    snprintf(name, sizeof name, "%s %s", o->package.name, version);
    evidence_set_package(e, name);
    if (n < 0) {
        evidence_add_unknown(e, EVIDENCE_FROM_DPKG, (int)-n, "package %s: its copyright file: %s",
                             o->package.name,
                             n == -EXDEV ? "a link leads out of /usr/share/doc, and is not followed"
                                         : strerror((int)-n));
        return;
    }
    outcome = evidence_copyright_read(&c, text, (size_t)n);
    free(text);
    if (outcome != EVIDENCE_COPYRIGHT_OK) {
        inspector_dpkg_add_fault(o->package.name, &c, outcome, e);
        return;
    }
    inspector_dpkg_describe(&c, detail);
    evidence_add(e, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, c.licence, name, detail);
    for (uint32_t i = 0; i < c.n_files; i++) {
        evidence_add_files(e, &c.files[i]);
    }
    e->files_cut = e->files_cut || c.files_cut;
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

/* Adds the names under which the database may list a path. Returns false if it cannot. */
static bool inspector_dpkg_add_path(struct search *s, const char *path)
{
    const char *unmerged;

    if (!evidence_dpkg_path(path, &unmerged)) {
        return false;
    }
    for (unsigned i = 0; i < 2 && s->n_paths < PATHS; i++) {
        if (i == 0 || unmerged) {
            s->paths[s->n_paths++] = i == 0 ? path : unmerged;
        }
    }
    return true;
}

/* Adds the path from which dpkg-divert(1) has moved the file. */
static int inspector_dpkg_add_diverted(struct search *s, char from[PEER_PATH_MAX])
{
    const size_t n_paths = s->n_paths;
    char *text;
    const ssize_t n = inspector_dpkg_read_below(s->tools->dpkg_fd, "diversions", &text);

    if (n < 0) {
        return n == -ENOENT ? 0 : (int)n;
    }
    for (size_t i = 0; i < n_paths; i++) {
        if (evidence_dpkg_diverted_from(text, (size_t)n, s->paths[i], from, PEER_PATH_MAX)) {
            (void)inspector_dpkg_add_path(s, from);
            break;
        }
    }
    free(text);
    return 0;
}

void inspector_dpkg_add(const struct inspector_tools *t, int err, const char *path,
                        inspector_md5 *md5, void *arg, struct evidence *e)
{
    struct search s = {.tools = t};
    char from[PEER_PATH_MAX];

    if (t->dpkg_fd < 0 || !inspector_dpkg_add_path(&s, path)) {
        return;
    }
    err = err ? err : inspector_dpkg_add_diverted(&s, from);
    err = err ? err : inspector_dpkg_find_owners(&s);
    if (err) {
        evidence_add_unknown(e, EVIDENCE_FROM_DPKG, -err, "the dpkg database cannot be read: %s",
                             strerror(-err));
    } else if (s.n > 0) {
        inspector_dpkg_judge_owners(&s, md5, arg, e);
    }
}
