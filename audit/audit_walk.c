/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Walks the audit log's lines. */
#include "audit/audit_walk.h"

#include <string.h>

const char *audit_step_text(enum audit_step s)
{
    static const char *const texts[] = {
        [AUDIT_STEP_OK] = "ok",
        [AUDIT_STEP_NO_RECORD] = "the line is not a record of an audit log",
        [AUDIT_STEP_SEQ] = "an unexpected record number: a line was removed, duplicated or moved",
        [AUDIT_STEP_PREV] =
            "the record is not the one that the next one followed when it was written",
        [AUDIT_STEP_BEGINNING] = "the file does not continue the records before it",
        [AUDIT_STEP_ROOT] =
            "a checkpoint of other records: one since the last checkpoint was altered",
        [AUDIT_STEP_NOTE] = "the checkpoint is malformed",
        [AUDIT_STEP_FORGED] = "the checkpoint's signature is wrong",
        [AUDIT_STEP_OTHER_KEY] = "the checkpoint was signed with another key",
        [AUDIT_STEP_NO_MEMORY] = "out of memory",
    };

    return texts[s];
}

void audit_walk_init(struct audit_walk *w, const struct audit_vkey *key, size_t n_keys)
{
    w->key = key;
    w->n_keys = n_keys;
    w->begun = false;
    w->first = 0;
    audit_tree_init(&w->tree);
    audit_line_prev(NULL, w->prev);
    w->sealed = 0;
    w->time[0] = w->latest[0] = '\0';
    w->has_checkpoint = false;
    w->note[0] = '\0';
}

/* Checks the first line of a log or a file, which names the tree it continues. */
static enum audit_step audit_walk_begin(struct audit_walk *w, const struct audit_head *head,
                                        bool rotated)
{
    struct audit_tree before;
    struct audit_hash a;
    struct audit_hash b;

    if (head->seq == 0 && !w->begun) {
        return rotated ? AUDIT_STEP_BEGINNING : AUDIT_STEP_OK;
    }
    if (!rotated || !audit_line_rotated(head, &before, w->begun ? NULL : w->latest)) {
        return AUDIT_STEP_BEGINNING;
    }
    if (!w->begun) {
        w->tree = before;
        w->first = w->sealed = before.size;
        w->prev[0] = '\0';
        return AUDIT_STEP_OK;
    }
    if (audit_tree_root(&before, &a) < 0 || audit_tree_root(&w->tree, &b) < 0) {
        return AUDIT_STEP_NO_MEMORY;
    }
    return before.size == w->tree.size && audit_hash_same(&a, &b) ? AUDIT_STEP_OK
                                                                  : AUDIT_STEP_BEGINNING;
}

static unsigned audit_walk_count_lines(const char *text)
{
    unsigned n = 0;

    while ((text = strchr(text, '\n'))) {
        n++;
        text++;
    }
    return n;
}

/* Origin, size, root, an empty line, one signature: the log writes no other notes. */
#define NOTE_LINES 5

/* The first key that matches a checkpoint becomes the log's key. */
static enum audit_note audit_walk_read_note(struct audit_walk *w, const char *note,
                                            struct audit_checkpoint *c)
{
    const size_t n = strlen(note);
    enum audit_note o = AUDIT_NOTE_OTHER_KEY;

    if (!w->key) {
        return audit_checkpoint_parse(c, note, n);
    }
    for (size_t i = 0; i < w->n_keys && o == AUDIT_NOTE_OTHER_KEY; i++) {
        o = audit_checkpoint_read(c, note, n, &w->key[i]);
        if (o != AUDIT_NOTE_OTHER_KEY) {
            w->key = &w->key[i];
            w->n_keys = 1;
        }
    }
    return o;
}

static enum audit_step audit_walk_check_note(struct audit_walk *w, const struct audit_head *head,
                                             char *note, struct audit_checkpoint *c)
{
    struct audit_hash root;
    enum audit_note o;

    if (!audit_line_note(head, note) || audit_walk_count_lines(note) != NOTE_LINES) {
        return AUDIT_STEP_NOTE;
    }
    o = audit_walk_read_note(w, note, c);
    switch (o) {
    case AUDIT_NOTE_OK:
        break;
    case AUDIT_NOTE_MALFORMED:
        return AUDIT_STEP_NOTE;
    case AUDIT_NOTE_FORGED:
        return AUDIT_STEP_FORGED;
    case AUDIT_NOTE_OTHER_KEY:
        return AUDIT_STEP_OTHER_KEY;
    case AUDIT_NOTE_NO_MEMORY:
        return AUDIT_STEP_NO_MEMORY;
    }
    if (audit_tree_root(&w->tree, &root) < 0) {
        return AUDIT_STEP_NO_MEMORY;
    }
    return c->size == w->tree.size && audit_hash_same(&c->root, &root) ? AUDIT_STEP_OK
                                                                       : AUDIT_STEP_ROOT;
}

static void audit_walk_note_time(struct audit_walk *w, const struct audit_head *head)
{
    /*
     * In older logs, a log-rotated record has the time of the rotation, which may be later than
     * that of records that waited to be written then: they are not compared with it.
     */
    if (!head->time || (w->time[0] && strcmp(head->event->name, AUDIT_ROTATED) == 0)) {
        return;
    }
    memcpy(w->time, head->time, AUDIT_TIME_SIZE);
    w->time[AUDIT_TIME_SIZE] = '\0';
    if (memcmp(w->time, w->latest, AUDIT_TIME_SIZE) > 0) {
        memcpy(w->latest, w->time, sizeof w->latest);
    }
}

static enum audit_step audit_walk_add(struct audit_walk *w, const char *line, size_t n)
{
    struct audit_hash leaf;

    if (audit_hash_leaf(line, n, &leaf) < 0 || audit_tree_add(&w->tree, &leaf) < 0) {
        return AUDIT_STEP_NO_MEMORY;
    }
    audit_line_prev(&leaf, w->prev);
    w->begun = true;
    return AUDIT_STEP_OK;
}

enum audit_step audit_walk_line(struct audit_walk *w, const char *line, size_t n,
                                bool first_of_file, struct audit_head *head)
{
    struct audit_checkpoint c;
    char note[AUDIT_NOTE_MAX];
    enum audit_step s = AUDIT_STEP_OK;
    enum audit_step added;
    bool rotated;

    if (!audit_line_read(head, line, n)) {
        return AUDIT_STEP_NO_RECORD;
    }
    rotated = strcmp(head->event->name, AUDIT_ROTATED) == 0;
    if (rotated && !first_of_file && !w->begun) {
        return AUDIT_STEP_BEGINNING;
    }
    if (head->seq != w->tree.size && (w->begun || !rotated)) {
        return AUDIT_STEP_SEQ;
    }
    if ((first_of_file || rotated) && (s = audit_walk_begin(w, head, rotated)) != AUDIT_STEP_OK) {
        return s;
    }
    if (w->prev[0] && memcmp(head->prev, w->prev, AUDIT_PREV_SIZE) != 0) {
        return AUDIT_STEP_PREV;
    }
    if (!head->time) {
        s = audit_walk_check_note(w, head, note, &c);
        if (s != AUDIT_STEP_OK && s != AUDIT_STEP_OTHER_KEY) {
            return s;
        }
    }
    added = audit_walk_add(w, line, n);
    if (added != AUDIT_STEP_OK) {
        return added;
    }
    audit_walk_note_time(w, head);
    if (!head->time && s == AUDIT_STEP_OK) {
        w->checkpoint = c;
        memcpy(w->note, note, sizeof note);
        w->has_checkpoint = true;
        w->sealed = w->tree.size;
    }
    return s;
}

uint64_t audit_walk_blame(uint64_t seq, const struct audit_hash *leaf, const char *next, size_t n)
{
    char prev[AUDIT_PREV_SIZE + 1];
    struct audit_head after;

    if (!audit_line_read(&after, next, n)) {
        return seq - 1;
    }
    audit_line_prev(leaf, prev);
    return memcmp(after.prev, prev, AUDIT_PREV_SIZE) == 0 ? seq - 1 : seq;
}
