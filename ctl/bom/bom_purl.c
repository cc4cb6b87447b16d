/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads package names and versions from evidence, and writes them as package URLs. */
#include "ctl/bom/bom_purl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ctl/bom/bom_log.h"

/* Sources of evidence that are package databases, and the type of their URLs. */
static const struct database {
    const char *source;
    const char *type;
    bool lower;     /* names are in lower case */
    bool has_epoch; /* the epoch is a qualifier, and not a part of the version */
} databases[] = {{"dpkg", "deb", true, false}, {"rpm", "rpm", false, true}};

static const struct database *bom_purl_database(const json_t *item)
{
    for (size_t i = 0; i < sizeof databases / sizeof *databases; i++) {
        if (strcmp(bom_log_text(item, "source"), databases[i].source) == 0) {
            return &databases[i];
        }
    }
    return NULL;
}

/* Appends a part of a URL, percent-encoded; cut at size. */
static void bom_purl_encode(char *out, size_t size, const char *part, bool lower)
{
    size_t n = strlen(out);

    for (const char *p = part; *p && n + 4 < size; p++) {
        const unsigned char c = (unsigned char)(lower ? tolower((unsigned char)*p) : *p);

        if (isalnum(c) || strchr("-._~:", c)) {
            out[n++] = (char)c;
            out[n] = '\0';
        } else {
            n += (size_t)snprintf(out + n, size - n, "%%%02X", c);
        }
    }
}

static void bom_purl_append(char *out, size_t size, const char *text)
{
    const size_t n = strlen(out);

    snprintf(out + n, size - n, "%s", text);
}

static void bom_purl_write(struct bom_package *p, const struct database *d,
                           const json_t *distribution)
{
    const char *const id = bom_log_text(distribution, "id");
    const char *const release = bom_log_text(distribution, "version");
    const char *const colon = d->has_epoch ? strchr(p->version, ':') : NULL;
    char epoch[BOM_PURL_PART] = "";

    if (!*id) {
        return;
    }
    snprintf(p->purl, sizeof p->purl, "pkg:%s/", d->type);
    bom_purl_encode(p->purl, sizeof p->purl, id, true);
    bom_purl_append(p->purl, sizeof p->purl, "/");
    bom_purl_encode(p->purl, sizeof p->purl, p->name, d->lower);
    if (*p->version) {
        bom_purl_append(p->purl, sizeof p->purl, "@");
        bom_purl_encode(p->purl, sizeof p->purl, colon ? colon + 1 : p->version, false);
    }
    if (*p->arch) {
        bom_purl_append(p->purl, sizeof p->purl, "?arch=");
        bom_purl_encode(p->purl, sizeof p->purl, p->arch, false);
    }
    bom_purl_append(p->purl, sizeof p->purl, *p->arch ? "&distro=" : "?distro=");
    bom_purl_encode(p->purl, sizeof p->purl, id, true);
    if (*release) {
        bom_purl_append(p->purl, sizeof p->purl, "-");
        bom_purl_encode(p->purl, sizeof p->purl, release, false);
    }
    if (colon) {
        snprintf(epoch, sizeof epoch, "%.*s", (int)(colon - p->version), p->version);
        bom_purl_append(p->purl, sizeof p->purl, "&epoch=");
        bom_purl_encode(p->purl, sizeof p->purl, epoch, false);
    }
}

/* Reads "NAME VERSION" or "NAME VERSION ARCH"; other words mean that something is unknown. */
static bool bom_purl_read(struct bom_package *p, const char *text)
{
    char words[4][BOM_PURL_PART] = {"", "", "", ""};
    const int n = sscanf(text, "%159s %159s %159s %159s", words[0], words[1], words[2], words[3]);

    *p = (struct bom_package){.name = ""};
    if (n < 1 || strcmp(words[0], "of") == 0) {
        return false;
    }
    memcpy(p->name, words[0], sizeof p->name);
    if (n == 2 || n == 3) {
        memcpy(p->version, words[1], sizeof p->version);
        memcpy(p->arch, words[2], sizeof p->arch);
    }
    return true;
}

bool bom_purl_package(const json_t *row, struct bom_package *out)
{
    const struct database *found = NULL;
    const char *name = "";
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(row, "evidence"), i, item)
    {
        const struct database *const d = bom_purl_database(item);

        if (d && found && strcmp(name, bom_log_text(item, "name")) != 0) {
            return false;
        }
        if (d) {
            found = d;
            name = bom_log_text(item, "name");
        }
    }
    if (!found || !bom_purl_read(out, name)) {
        return false;
    }
    bom_purl_write(out, found, json_object_get(row, "distribution"));
    return true;
}
