/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The part of reading a configuration that depends on the machine, besides its text: the ids of
 * users and groups, the number of cores. Runs once, before anything is opened for a peer.
 */
#define _GNU_SOURCE

#include "proxy/config/config.h"
#include "proxy/config/config_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text/numbers.h"
#include "base/users.h"
#include "proxy/config/text/config_source.h"
#include "proxy/config/config_value.h"

/* ---- names ---- */

/* No account can have (uid_t)-1, which means "unchanged" to chown(2). */
#define ID_MOST ((unsigned long)(uid_t)-2)

static void config_load_no_account(struct config_errors *e, struct config_place at,
                                   const char *what, const char *name)
{
    char shown[80];

    log_escape(shown, sizeof shown, name, strlen(name));
    config_errors_add(e, at, "use a name that exists on this machine, or a number",
                      "there is no %s \"%s\"", what, shown);
}

/* name is NULL if not configured. */
static void config_load_find_owner(const char *name, struct config_place at, uid_t *out,
                                   struct config_errors *e)
{
    uint64_t id;
    const struct passwd *pw;

    if (!name) {
        return;
    }
    if (numbers_decimal(name, ID_MOST, &id)) {
        *out = (uid_t)id;
    } else if ((pw = getpwnam(name))) {
        *out = pw->pw_uid;
    } else {
        config_load_no_account(e, at, "user", name);
    }
}

static void config_load_find_group(const char *name, struct config_place at, gid_t *out,
                                   struct config_errors *e)
{
    uint64_t id;
    const struct group *gr;

    if (!name) {
        return;
    }
    if (numbers_decimal(name, ID_MOST, &id)) {
        *out = (gid_t)id;
    } else if ((gr = getgrnam(name))) {
        *out = gr->gr_gid;
    } else {
        config_load_no_account(e, at, "group", name);
    }
}

static void config_load_resolve_owner(struct config_route *r, struct config_errors *e)
{
    config_load_find_owner(r->owner_name, r->owner_at, &r->owner, e);
}

static void config_load_resolve_group(struct config_route *r, struct config_errors *e)
{
    config_load_find_group(r->group_name, r->group_at, &r->group, e);
}

static void config_load_resolve_control(struct config_control *control, struct config_errors *e)
{
    config_load_find_owner(control->owner_name, control->owner_at, &control->owner, e);
    config_load_find_group(control->group_name, control->group_at, &control->group, e);
}

/* Finds the groups of an account, including its own. Returns 0 or -ENOMEM. */
static int config_load_find_groups(struct config_route *r, const char *name, gid_t gid)
{
    int n = 0;

    /* The first call only asks for the number of groups. */
    (void)getgrouplist(name, gid, NULL, &n);
    r->spawn_groups = calloc((size_t)n + 1, sizeof *r->spawn_groups);
    if (!r->spawn_groups) {
        return -ENOMEM;
    }
    n++;
    r->n_spawn_groups = getgrouplist(name, gid, r->spawn_groups, &n) < 0 ? 0 : (size_t)n;
    return 0;
}

static int config_load_resolve_spawn_user(struct config_route *r, struct config_errors *e)
{
    uint64_t id;
    const struct passwd *pw;

    r->spawn_uid = CONFIG_NO_UID;
    r->spawn_gid = CONFIG_NO_UID;
    if (!r->spawn_user) {
        return 0;
    }
    if (numbers_decimal(r->spawn_user, ID_MOST, &id)) {
        pw = getpwuid((uid_t)id);
        r->spawn_uid = (uid_t)id;
        r->spawn_gid = (gid_t)id;
    } else {
        pw = getpwnam(r->spawn_user);
        if (!pw) {
            config_load_no_account(e, r->spawn_user_at, "user", r->spawn_user);
            return 0;
        }
    }
    if (!pw) {
        return 0;
    }
    r->spawn_uid = pw->pw_uid;
    r->spawn_gid = pw->pw_gid;
    return config_load_find_groups(r, pw->pw_name, pw->pw_gid);
}

static const char config_own_user[] =
    "choose a user that nothing else uses; without \"user\" poemd picks a free number";

/*
 * A device must not share a user with poemd's processes or others: it could signal and trace them.
 */
static void config_check_device_user(const struct config *c, const struct config_route *r,
                                     struct config_errors *e)
{
    const uid_t uid = r->spawn_uid;

    if (uid == CONFIG_NO_UID) {
        return;
    }
    if (uid == c->worker.uid || uid == c->inspector.uid || uid == c->tracer.uid ||
        uid == c->exporter.uid) {
        config_errors_add(e, r->spawn_user_at, config_own_user,
                          "a device cannot run as the user of poemd's own processes");
    } else if (uid == USERS_OVERFLOW) {
        config_errors_add(e, r->spawn_user_at, config_own_user,
                          "other programs run as this user, too");
    }
}

/* Finds user and groups of a spawned device. */
static int config_load_resolve_spawn(const struct config *c, struct config_route *r,
                                     struct config_errors *e)
{
    uint64_t id;
    const struct group *gr;

    free(r->spawn_groups);
    r->spawn_groups = NULL;
    r->n_spawn_groups = 0;
    if (config_load_resolve_spawn_user(r, e) < 0) {
        return -ENOMEM;
    }
    config_check_device_user(c, r, e);
    if (!r->spawn_group) {
        return 0;
    }
    if (numbers_decimal(r->spawn_group, ID_MOST, &id)) {
        r->spawn_gid = (gid_t)id;
    } else if ((gr = getgrnam(r->spawn_group))) {
        r->spawn_gid = gr->gr_gid;
    } else {
        config_load_no_account(e, r->spawn_group_at, "group", r->spawn_group);
    }
    return 0;
}

/* Finds the account's ids, if it exists. */
static void config_find_account(const char *name, struct config_ids *out)
{
    const struct passwd *const pw = getpwnam(name);

    *out = pw ? (struct config_ids){pw->pw_uid, pw->pw_gid}
              : (struct config_ids){CONFIG_NO_UID, CONFIG_NO_UID};
}

static void config_resolve_user(struct config *c, struct config_errors *e)
{
    uint64_t id;
    const struct passwd *pw;

    config_find_account(CONFIG_WORKER_ACCOUNT, &c->worker);
    config_find_account(CONFIG_INSPECTOR_ACCOUNT, &c->inspector);
    config_find_account(CONFIG_TRACER_ACCOUNT, &c->tracer);
    config_find_account(CONFIG_EXPORTER_ACCOUNT, &c->exporter);
    if (!c->user) {
        return;
    }
    if (numbers_decimal(c->user, ID_MOST, &id)) {
        pw = getpwuid((uid_t)id);
        c->worker = (struct config_ids){(uid_t)id, pw ? pw->pw_gid : (gid_t)id};
    } else if ((pw = getpwnam(c->user))) {
        c->worker = (struct config_ids){pw->pw_uid, pw->pw_gid};
    } else {
        config_load_no_account(e, c->user_at, "user", c->user);
        return;
    }
    if (c->worker.uid == 0) {
        config_errors_add(e, c->user_at,
                          "choose a user without rights, since workers read peers' data",
                          "workers cannot run as root");
    } else if (c->worker.uid == USERS_OVERFLOW) {
        config_errors_add(e, c->user_at, config_own_user, "other programs run as this user, too");
    } else if (c->worker.uid == c->inspector.uid || c->worker.uid == c->tracer.uid ||
               c->worker.uid == c->exporter.uid) {
        config_errors_add(
            e, c->user_at, config_own_user,
            "workers cannot run as the inspector's, the tracer's or the exporter's user");
    }
}

static void config_load_resolve_poem(struct config *c, struct config_errors *e)
{
    enum poem_outcome outcome;
    int err;

    /* A file's configuration is resolved again after the command line has been applied. */
    poem_file_deinit(&c->poem);
    err = poem_file_init(&c->poem, c->poem_file, &outcome);
    if (err) {
        config_errors_add(e, c->poem_at, "a poem has 1 to 8192 bytes of UTF-8 without NUL",
                          "cannot use the poem: %s", poem_file_why(err, outcome));
    }
}

int config_resolve(struct config *c, struct config_errors *e)
{
    const size_t before = e->total;

    if (c->workers == 0) {
        const long cores = sysconf(_SC_NPROCESSORS_ONLN);

        c->workers = cores < 1                       ? 1
                     : cores > LIMIT_WORKERS_DEFAULT ? LIMIT_WORKERS_DEFAULT
                                                     : (unsigned)cores;
    }
    c->most_sessions = c->max_sessions;
    config_resolve_user(c, e);
    config_load_resolve_poem(c, e);
    config_load_resolve_control(&c->control, e);
    config_load_resolve_control(&c->metrics, e);
    for (size_t i = 0; i < c->n_routes; i++) {
        config_load_resolve_owner(&c->routes[i], e);
        config_load_resolve_group(&c->routes[i], e);
        if (config_load_resolve_spawn(c, &c->routes[i], e) < 0) {
            return -ENOMEM;
        }
    }
    if (config_resolve_rules(c, e) < 0) {
        return -ENOMEM;
    }
    return e->total > before ? -EINVAL : 0;
}

/* Takes the text, of n bytes. Returns as config_load does. */
static int config_load_parse_take(struct config *c, const char *path, char *text, size_t n,
                                  struct config_errors *e)
{
    int r;

    c->file = realpath(path, NULL);
    c->from_file = EVP_Digest(text, n, c->digest, NULL, EVP_sha256(), NULL) == 1;
    r = config_parse(c, text, n, e);
    r = r == 0 && e->total > 0 ? -EINVAL : r;
    free(c->text);
    c->text = text;
    c->text_size = n;
    if (r == 0 || r == -EINVAL) {
        /* Names are looked up in any case, so that all errors in the file are reported at once. */
        const int resolved = config_resolve(c, e);

        r = r < 0 ? r : resolved;
    }
    return r;
}

int config_load(struct config *c, const char *path, struct config_errors *e)
{
    char *text = NULL;
    size_t n;
    const int r = config_source_read(path, &text, &n, e);

    return r < 0 ? r : config_load_parse_take(c, path, text, n, e);
}

int config_load_text_take(struct config *c, const char *path, int text_fd, struct config_errors *e)
{
    struct stat st;
    char *text = NULL;

    if (fstat(text_fd, &st) == 0 && st.st_size <= LIMIT_CONFIG_FILE) {
        text = malloc((size_t)st.st_size + 1);
    }
    if (!text || pread(text_fd, text, (size_t)st.st_size, 0) != st.st_size) {
        free(text);
        close(text_fd);
        return -EIO;
    }
    close(text_fd);
    return config_load_parse_take(c, path, text, (size_t)st.st_size, e);
}
