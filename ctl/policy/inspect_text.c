/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints the findings of poemctl inspect for people. Foreign text is escaped. */
#define _DEFAULT_SOURCE
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <time.h>

#include "base/text/date.h"
#include "base/text/hex.h"
#include "base/log.h"
#include "ctl/policy/inspect.h"

/*
 * Prints the fact's label; if it is unknown, also the reason and a line feed. Returns true if it is
 * known, for the caller to print.
 */
static bool inspect_text_fact(const struct inspect *i, enum peer_fact f, const char *label,
                              FILE *to)
{
    char why[256];

    fprintf(to, "  %-12s ", label);
    if (peer_knows(&i->peer, f)) {
        return true;
    }
    fprintf(to, "%s\n", peer_why(&i->peer, f, why, sizeof why));
    return false;
}

static void inspect_text_line(const char *text, FILE *to)
{
    char out[4 * PEER_PATH_MAX];

    fprintf(to, "%s\n", log_escape(out, sizeof out, text, strlen(text)));
}

static void inspect_text_show_ids(const struct inspect *i, FILE *to)
{
    const struct passwd *user;
    const struct group *group;

    if (inspect_text_fact(i, PEER_UID, "user", to)) {
        user = getpwuid(i->peer.uid);
        fprintf(to, "%lu %s\n", (unsigned long)i->peer.uid, user ? user->pw_name : "");
    }
    if (inspect_text_fact(i, PEER_GID, "group", to)) {
        group = getgrgid(i->peer.gid);
        fprintf(to, "%lu %s\n", (unsigned long)i->peer.gid, group ? group->gr_name : "");
    }
    if (inspect_text_fact(i, PEER_GROUPS, "groups", to)) {
        for (unsigned k = 0; k < i->peer.n_groups; k++) {
            fprintf(to, "%s%lu", k > 0 ? " " : "", (unsigned long)i->peer.groups[k]);
        }
        fprintf(to, "%s\n", i->peer.n_groups == 0 ? "none" : "");
    }
}

static void inspect_text_show_process(const struct inspect *i, FILE *to)
{
    const struct peer *p = &i->peer;

    fprintf(to, "Process\n");
    if (inspect_text_fact(i, PEER_PID, "pid", to)) {
        fprintf(to, "%ld%s\n", (long)p->pid,
                p->pid_sure || !peer_knows(p, PEER_PIDFD) ? "" : " (pidfd opened by number)");
    }
    if (inspect_text_fact(i, PEER_START, "started", to)) {
        fprintf(to, "%" PRIu64 " ticks after boot\n", p->start_ticks);
    }
    inspect_text_show_ids(i, to);
    if (inspect_text_fact(i, PEER_LABEL, "label", to)) {
        inspect_text_line(p->label, to);
    }
    if (inspect_text_fact(i, PEER_CGROUP, "cgroup", to)) {
        inspect_text_line(p->cgroup, to);
    }
    if (inspect_text_fact(i, PEER_UNIT, "unit", to)) {
        inspect_text_line(p->unit, to);
    }
    if (inspect_text_fact(i, PEER_VM, "machine", to)) {
        inspect_text_line(p->vm, to);
    }
}

static void inspect_text_show_time(int64_t ns, FILE *to)
{
    const time_t t = (time_t)(ns / 1000000000);
    struct tm tm;
    char text[64];

    if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0) {
        fprintf(to, "%s\n", text);
    } else {
        fprintf(to, "%" PRId64 " ns after 1970\n", ns);
    }
}

static void inspect_text_show_file(const struct inspect *i, FILE *to)
{
    const struct peer_exe *e = &i->peer.exe;
    const struct inspection *r = &i->inspection;
    char digits[2 * INSPECTION_SHA256_SIZE + 1];
    char verity[PEER_VERITY_TEXT_SIZE];

    fprintf(to, "Executable\n");
    if (inspect_text_fact(i, PEER_EXE_PATH, "path", to)) {
        inspect_text_line(e->path, to);
        if (i->process && !e->path_ours) {
            fprintf(to, "  %-12s the path is in another mount namespace, or in an unknown one\n",
                    "");
        }
        if (e->deleted) {
            fprintf(to, "  %-12s deleted or replaced since it was executed\n", "");
        }
    }
    if (inspect_text_fact(i, PEER_EXE_ID, "file", to)) {
        fprintf(to, "device %" PRIu32 ":%" PRIu32 " inode %" PRIu64 ", %" PRIu64 " bytes\n",
                e->id.dev_major, e->id.dev_minor, e->id.inode, e->id.size);
        fprintf(to, "  %-12s ", "modified");
        inspect_text_show_time(e->id.mtime, to);
    }
    if (!peer_knows(&i->peer, PEER_EXE_FILE)) {
        (void)inspect_text_fact(i, PEER_EXE_FILE, "contents", to);
    } else if (r->outcome != INSPECTION_OK) {
        fprintf(to, "  %-12s unknown: %s%s%s\n", "contents", inspection_text(r->outcome),
                r->error ? ": " : "", r->error ? strerror(r->error) : "");
    } else {
        fprintf(to, "  %-12s %s\n", "SHA-256", hex_text(r->sha256, sizeof r->sha256, digits));
    }
    if (r->ima != INSPECTION_IMA_NO_LIST) {
        fprintf(to, "  %-12s %s", "IMA", inspection_ima_text((enum inspection_ima)r->ima));
        if (r->ima_entry > 0) {
            fprintf(to, " in entry %" PRIu32 " (PCR %" PRIu32 ")", r->ima_entry, r->ima_pcr);
        }
        fprintf(to, "\n");
    }
    if (e->verity.size > 0) {
        fprintf(to, "  %-12s %s\n", "fs-verity", peer_verity_text(&e->verity, verity));
    }
}

static void inspect_text_show_signature(const struct evidence_signature *s, FILE *to)
{
    char digits[2 * EVIDENCE_SHA256_SIZE + 1];
    char date[DATE_SIZE];

    fprintf(to, "  %-12s key      %s\n", "", hex_text(s->key, sizeof s->key, digits));
    fprintf(to, "  %-12s envelope %s\n", "", hex_text(s->envelope, sizeof s->envelope, digits));
    if (s->issued) {
        fprintf(to, "  %-12s issued   %s\n", "", date_text(s->issued, date));
    }
    if (s->expires) {
        fprintf(to, "  %-12s expires after %s\n", "", date_text(s->expires, date));
    }
}

/* Lists the stanzas of the copyright file that decide, and those that do not count. */
static void inspect_text_show_files(const struct evidence *e, FILE *to)
{
    for (uint32_t i = 0; i < e->n_files; i++) {
        const struct evidence_files *f = &e->files[i];
        const enum evidence_place place = (enum evidence_place)f->place;

        if (place == EVIDENCE_PLACE_SOURCE) {
            fprintf(to, "  %-12s %s: %s (line %" PRIu32 ")\n", "source", f->files, f->licence,
                    f->line);
        } else {
            fprintf(to, "  %-12s %s: %s (line %" PRIu32 ", %s: %s)\n", "set apart", f->files,
                    *f->licence ? f->licence : "no licence", f->line, evidence_place_name(place),
                    evidence_place_why(place));
        }
    }
    if (e->files_cut) {
        fprintf(to, "  %-12s more files than can be shown\n", "");
    }
}

static void inspect_text_show_evidence(const struct inspection *r, FILE *to)
{
    const struct evidence *e = &r->evidence;

    fprintf(to, "Licence\n");
    for (uint32_t i = 0; i < e->n; i++) {
        const struct evidence_item *item = &e->items[i];

        fprintf(to, "  %-12s %s\n", evidence_grade_name(item->grade), item->licence);
        fprintf(to, "  %-12s %s, %s: %s\n", "", evidence_source_name(item->source), item->name,
                item->detail);
        if (item->grade == EVIDENCE_SIGNED) {
            inspect_text_show_signature(&item->signature, to);
        }
    }
    for (uint32_t i = 0; i < e->n_unknown; i++) {
        fprintf(to, "  %-12s %s: %s\n", "unknown", evidence_source_name(e->unknowns[i].source),
                e->unknowns[i].why);
    }
    inspect_text_show_files(e, to);
    if (r->envelopes_other > 0) {
        fprintf(to, "  %-12s %" PRIu32 " valid envelopes are about other files\n", "",
                r->envelopes_other);
    }
    if (e->cut) {
        fprintf(to, "  %-12s there is more evidence than can be shown\n", "");
    }
    if (e->n == 0 && e->n_unknown == 0) {
        fprintf(to, "  %-12s no evidence\n", "none");
    }
}

static void inspect_text_show_code(const struct inspect *i, FILE *to)
{
    static const struct rules none;
    const struct peer_code *const code = &i->code;

    fprintf(to, "Mapped code\n");
    if (code->unknown.why) {
        fprintf(to, "  %-12s %s%s%s\n", "unknown", code->unknown.why,
                code->unknown.error ? ": " : "",
                code->unknown.error ? strerror(code->unknown.error) : "");
    }
    for (size_t k = 0; i->found && k < code->n; k++) {
        const struct peer_code_item *const item = &code->items[k];
        const struct rules_code_evidence e =
            rules_code_evidence(&none, SIDE_BACKEND, &i->mapped, k, date_today());

        fprintf(to, "  %-12s ", evidence_grade_name(e.grade));
        if (item->kind == PEER_CODE_FILE) {
            inspect_text_line(item->path, to);
        } else {
            fprintf(to, "0x%" PRIx64 "-0x%" PRIx64 ", %u mapping%s\n", item->start, item->end,
                    item->mappings, item->mappings == 1 ? "" : "s");
        }
        fprintf(to, "  %-12s %s%s%s\n", "", e.why ? e.why : e.licence, *e.name ? ", " : "", e.name);
    }
}

void inspect_text(const struct inspect *i, FILE *to)
{
    if (i->process) {
        inspect_text_show_process(i, to);
    }
    inspect_text_show_file(i, to);
    inspect_text_show_evidence(&i->inspection, to);
    if (i->process) {
        inspect_text_show_code(i, to);
    }
}
