/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The table of statements: their syntax. config_check checks how their values fit together. */
#include "proxy/config/config_words.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "proxy/config/config_words_begin.h"
#include "proxy/config/preset.h"

/* The parser writes numbers as unsigned, whatever type the field has. */
_Static_assert(sizeof(mode_t) == sizeof(unsigned), "mode is written as an unsigned");
_Static_assert(sizeof(enum log_level) == sizeof(unsigned), "log_level is written as an unsigned");

/* A peer that reads nothing for a minute will not read the rest in another one. */
#define DRAIN_MOST_MS 60000u

/* Maximum age of a trace file: 31 days. */
#define TRACE_EVERY_MOST_MS (31u * 86400u * 1000u)

#define IN_CONFIG(field) offsetof(struct config, field)
#define IN_ROUTE(field) offsetof(struct config_route, field)

static const char *const word_to[] = {"to", NULL};
static const char *const word_from[] = {"from", NULL};
static const char *const word_client[] = {"client", NULL};
static const char *const word_recital[] = {"recital", NULL};
static const char *const recite_words[] = {[CONFIG_RECITE_WHEN_IT_FITS] = "when-it-fits",
                                           [CONFIG_RECITE_ALWAYS] = "always",
                                           [CONFIG_RECITE_NEVER] = "never",
                                           NULL};
/* In the order of the bits CONFIG_FROM_*. */
static const char *const party_words[] = {"backend", "client", NULL};

static const char *const demand_words[] = {[CONFIG_DEMAND_ALL_THE_WAY] = "way", NULL};

static const char *const word_of[] = {"of", NULL};
static const char *const word_licence[] = {"licence", NULL};
static const char *const word_until[] = {"until", NULL};
static const char *const word_better[] = {"better", NULL};
/* In the order of the enums rules_party, rules_fact, rules_licence_kind, spdx_target … */
static const char *const side_words[] = {"client", "backend", NULL};
static const char *const fact_words[] = {"user",  "group", "exe", "digest",
                                         "label", "unit",  "vm",  NULL};
static const char *const kind_words[] = {
    "compatible", "osi-approved", [CONFIG_KIND_CONSISTENT] = "consistent", NULL};
static const char *const target_words[] = {"GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-or-later",
                                           "client",       "backend",          NULL};
static const char *const grade_words[] = {"declared", "noted",    "recited", "packaged",
                                          "signed",   "assigned", NULL};
static const char *const word_measured[] = {"measured", NULL};
static const char *const otherwise_words[] = {
    [CONFIG_OTHERWISE_DENY] = "deny", [CONFIG_OTHERWISE_TAINT] = "taint", NULL};
static const char *const dma_words[] = {[CONFIG_DMA_PASS] = "pass",
                                        [CONFIG_DMA_WITHHOLD] = "withhold",
                                        [CONFIG_DMA_WITHHOLD_FILE_IO] = "withhold-file-io",
                                        NULL};
static const char *const same_words[] = {
    [CONFIG_SAME_TAINT] = "taint", [CONFIG_SAME_END] = "end", NULL};
static const char *const covers_words[] = {[CONFIG_COVERS_CODE] = "code", NULL};
static const char *const word_again[] = {"again", NULL};
static const char *const word_every[] = {"every", NULL};
static const char *const same_of_words[] = {[CONFIG_SAME_OF_BOTH] = "both",
                                            [CONFIG_SAME_OF_CLIENT] = "client",
                                            [CONFIG_SAME_OF_BACKEND] = "backend",
                                            NULL};
static const char *const word_backend[] = {"backend", NULL};
static const char *const word_end[] = {"end", NULL};
static const char *const mappable_words[] = {
    [CONFIG_MAPPABLE_PASS] = "pass", [CONFIG_MAPPABLE_STRIP] = "strip", NULL};
static const char *const assist_words[] = {
    [CONFIG_ASSIST_NONE] = "none", [CONFIG_ASSIST_NVME] = "nvme", NULL};
static const char *const pack_words[] = {
    [CONFIG_PACK_NO] = "no", [CONFIG_PACK_ZSTD] = "zstd", NULL};
static const char *const inject_words[] = {
    [CONFIG_INJECT_REFUSED] = "refused", [CONFIG_INJECT_ALLOWED] = "allowed", NULL};
static const char *const failure_words[] = {
    [CONFIG_AUDIT_REFUSE] = "refuse", [CONFIG_AUDIT_TAINT] = "taint", NULL};

#define TO(type, field) offsetof(struct type, field)
#define CHOICE(text, type, field, words) \
    { \
        NULL, text, VALUE_CHOICE, 0, 0, TO(type, field), CONFIG_NO_PLACE, words \
    }

#define WORD(text, words) \
    { \
        NULL, text, VALUE_CHOICE, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, words \
    }

static const struct config_word words[] = {
    {.word = "workers",
     .context = CONTEXT_FILE,
     .flags = CONFIG_FIXED,
     .args = {{NULL, "NUMBER", VALUE_COUNT, 1, LIMIT_WORKERS, IN_CONFIG(workers),
               IN_CONFIG(workers_at), NULL}},
     .help = "processes that relay"},
    {.word = "user",
     .context = CONTEXT_FILE,
     .flags = CONFIG_FIXED,
     .args = {{NULL, "USER", VALUE_ACCOUNT, 0, 0, IN_CONFIG(user), IN_CONFIG(user_at), NULL}},
     .help = "the user of the workers"},
    {.word = "max-sessions",
     .context = CONTEXT_FILE,
     .args = {{NULL, "NUMBER", VALUE_COUNT, 1, LIMIT_SESSIONS, IN_CONFIG(max_sessions),
               IN_CONFIG(max_sessions_at), NULL}},
     .help = "sessions of all routes together"},
    {.word = "log-level",
     .context = CONTEXT_FILE,
     .args = {{NULL, "LEVEL", VALUE_LEVEL, 0, 0, IN_CONFIG(log_level), CONFIG_NO_PLACE, NULL}},
     .help = "how much is logged"},
    {.word = "handshake-timeout",
     .context = CONTEXT_FILE,
     .args = {{NULL, "DURATION", VALUE_DURATION, 1, LIMIT_HANDSHAKE_MAX_MS, IN_CONFIG(handshake_ms),
               CONFIG_NO_PLACE, NULL}},
     .help = "time limit of a handshake, for routes without one of their own"},
    {.word = "orphan-timeout",
     .context = CONTEXT_FILE,
     .args = {{NULL, "DURATION", VALUE_DURATION, LIMIT_ORPHAN_LEAST_MS, LIMIT_ORPHAN_MOST_MS,
               IN_CONFIG(orphan_ms), CONFIG_NO_PLACE, NULL}},
     .help = "how long sessions go on without a monitor"},
    {.word = "control",
     .context = CONTEXT_FILE,
     .flags = CONFIG_FIXED,
     .args = {{NULL, "PATH", VALUE_SOCKET, 0, 0, IN_CONFIG(control.path), IN_CONFIG(control.at),
               NULL},
              {"mode", "MODE", VALUE_MODE, 0, 0, IN_CONFIG(control.mode),
               IN_CONFIG(control.mode_at), NULL},
              {"owner", "USER", VALUE_ACCOUNT, 0, 0, IN_CONFIG(control.owner_name),
               IN_CONFIG(control.owner_at), NULL},
              {"group", "GROUP", VALUE_ACCOUNT, 0, 0, IN_CONFIG(control.group_name),
               IN_CONFIG(control.group_at), NULL}},
     .help = "the socket for poemctl"},
    {.word = "metrics",
     .context = CONTEXT_FILE,
     .flags = CONFIG_FIXED,
     .args = {{NULL, "ADDRESS:PORT", VALUE_ENDPOINT, 0, 0, IN_CONFIG(metrics_address),
               IN_CONFIG(metrics_address_at), NULL}},
     .help = "serve metrics by HTTP at a TCP port"},
    {.word = "metrics",
     .second = "unix",
     .context = CONTEXT_FILE,
     .flags = CONFIG_FIXED,
     .args = {{NULL, "PATH", VALUE_SOCKET, 0, 0, IN_CONFIG(metrics.path), IN_CONFIG(metrics.at),
               NULL},
              {"mode", "MODE", VALUE_MODE, 0, 0, IN_CONFIG(metrics.mode),
               IN_CONFIG(metrics.mode_at), NULL},
              {"owner", "USER", VALUE_ACCOUNT, 0, 0, IN_CONFIG(metrics.owner_name),
               IN_CONFIG(metrics.owner_at), NULL},
              {"group", "GROUP", VALUE_ACCOUNT, 0, 0, IN_CONFIG(metrics.group_name),
               IN_CONFIG(metrics.group_at), NULL}},
     .help = "serve metrics by HTTP at a socket"},
    {.word = "poem",
     .context = CONTEXT_FILE,
     .flags = CONFIG_FIXED,
     .args = {{NULL, "FILE", VALUE_FILE, 0, 0, IN_CONFIG(poem_file), IN_CONFIG(poem_at), NULL}},
     .help = "a poem that replaces the built-in one"},
    {.word = "audit",
     .context = CONTEXT_FILE,
     .flags = CONFIG_FIXED,
     .args = {{NULL, "FILE", VALUE_FILE, 0, 0, IN_CONFIG(audit_file), IN_CONFIG(audit_at), NULL},
              {"key", "FILE", VALUE_FILE, 0, 0, IN_CONFIG(audit_key), CONFIG_NO_PLACE, NULL},
              {"rotate", "MIB", VALUE_COUNT, 1, 1048576, IN_CONFIG(audit_rotate_mib),
               CONFIG_NO_PLACE, NULL}},
     .help = "the log of sessions, their parties and licences"},
    {.word = "on-audit-failure",
     .context = CONTEXT_FILE,
     .args = {{NULL, "WHAT", VALUE_CHOICE, 0, 0, IN_CONFIG(on_audit_failure), CONFIG_NO_PLACE,
               failure_words}},
     .help = "treatment of new sessions while the audit log cannot be written"},
    {.word = "trace-buffer",
     .context = CONTEXT_FILE,
     .flags = CONFIG_FIXED,
     .args = {{NULL, "MIB", VALUE_COUNT, 1, CONFIG_TRACE_BUFFER_MOST, IN_CONFIG(trace_buffer_mib),
               IN_CONFIG(trace_buffer_at), NULL}},
     .help = "memory of each worker for captures"},
    {.word = "trust-key",
     .context = CONTEXT_FILE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_trust_key_begin,
     .args = {{NULL, "FILE", VALUE_FILE, 0, 0, TO(config_text, text), CONFIG_NO_PLACE, NULL}},
     .help = "a public key that may sign licence statements"},
    {.word = "envelope",
     .context = CONTEXT_FILE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_envelope_begin,
     .args = {{NULL, "FILE", VALUE_FILE, 0, 0, TO(config_text, text), CONFIG_NO_PLACE, NULL}},
     .help = "a signed statement of an executable's licence"},
    {.word = "revoked",
     .context = CONTEXT_FILE,
     .args = {{NULL, "FILE", VALUE_FILE, 0, 0, IN_CONFIG(revoked_file), IN_CONFIG(revoked_at),
               NULL}},
     .help = "the keys and envelopes that are trusted no longer"},
    {.word = "include",
     .context = CONTEXT_FILE,
     .flags = CONFIG_REPEATABLE,
     .special = CONFIG_INCLUDE,
     .args = {{NULL, "PATTERN", VALUE_TEXT, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, NULL}},
     .help = "other files, which are read here"},
    {.word = "source",
     .context = CONTEXT_FILE,
     .flags = CONFIG_REPEATABLE,
     .special = CONFIG_SOURCE,
     .args = {{NULL, "FILE", VALUE_TEXT, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, NULL},
              {NULL, "LINE", VALUE_TEXT, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, NULL}},
     .help = "where the lines that follow come from; written by poemd"},
    {.word = "define",
     .context = CONTEXT_FILE,
     .flags = CONFIG_REPEATABLE,
     .special = CONFIG_DEFINE,
     .args = {{NULL, "NAME", VALUE_TEXT, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, NULL},
              {NULL, "VALUE", VALUE_TEXT, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, NULL}},
     .help = "a variable, for ${NAME} in the values that follow"},
    {.word = "defaults",
     .context = CONTEXT_FILE,
     .opens = CONTEXT_DEFAULTS,
     .help = "statements for all routes that follow"},
    {.word = "route",
     .context = CONTEXT_FILE,
     .opens = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_route_begin,
     .args = {{NULL, "NAME", VALUE_NAME, 0, 0, IN_ROUTE(name), IN_ROUTE(name_at), NULL}},
     .help = "a connection from a listening socket to a backend"},
    {.word = "instances",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE | CONFIG_OWN,
     .special = CONFIG_INSTANCES,
     .args = {{NULL, "NAME", VALUE_TEXT, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, NULL}},
     .help = "the instances of a template, or the folders that are"},
    {.word = "listen",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REQUIRED | CONFIG_OWN,
     .args = {{NULL, "PATH", VALUE_SOCKET, 0, 0, IN_ROUTE(listen), IN_ROUTE(listen_at), NULL},
              {"mode", "MODE", VALUE_MODE, 0, 0, IN_ROUTE(mode), CONFIG_NO_PLACE, NULL},
              {"owner", "USER", VALUE_ACCOUNT, 0, 0, IN_ROUTE(owner_name), IN_ROUTE(owner_at),
               NULL},
              {"group", "GROUP", VALUE_ACCOUNT, 0, 0, IN_ROUTE(group_name), IN_ROUTE(group_at),
               NULL}},
     .help = "the socket that clients connect to"},
    {.word = "backend",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REQUIRED | CONFIG_OWN,
     .args = {{NULL, "PATH", VALUE_SOCKET, 0, 0, IN_ROUTE(backend), IN_ROUTE(backend_at), NULL}},
     .help = "the socket that the device process listens on"},
    {.word = "backend",
     .second = "spawn",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_OWN,
     .args = {{NULL, "COMMAND", VALUE_COMMAND, 0, 0, IN_ROUTE(spawn), IN_ROUTE(backend_at), NULL},
              {"user", "USER", VALUE_ACCOUNT, 0, 0, IN_ROUTE(spawn_user), IN_ROUTE(spawn_user_at),
               NULL},
              {"group", "GROUP", VALUE_ACCOUNT, 0, 0, IN_ROUTE(spawn_group),
               IN_ROUTE(spawn_group_at), NULL}},
     .help = "a device process is started for each session"},
    {.word = "sessions",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "NUMBER", VALUE_COUNT, 1, LIMIT_SESSIONS, IN_ROUTE(sessions),
               IN_ROUTE(sessions_at), NULL}},
     .help = "sessions of this route at once"},
    {.word = "wait-backend",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "DURATION", VALUE_DURATION, 0, LIMIT_HANDSHAKE_MAX_MS,
               IN_ROUTE(wait_backend_ms), IN_ROUTE(wait_at), NULL}},
     .help = "how long to wait for an absent backend"},
    {.word = "handshake-timeout",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "DURATION", VALUE_DURATION, 1, LIMIT_HANDSHAKE_MAX_MS, IN_ROUTE(handshake_ms),
               CONFIG_NO_PLACE, NULL}},
     .help = "time limit of a handshake"},
    {.word = "drain-timeout",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "DURATION", VALUE_DURATION, 0, DRAIN_MOST_MS, IN_ROUTE(drain_ms),
               CONFIG_NO_PLACE, NULL}},
     .help = "how long one side may read on after the other has closed"},
    {.word = "stall-timeout",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "DURATION", VALUE_DURATION, 1, LIMIT_STALL_MOST_MS, IN_ROUTE(stall_ms),
               CONFIG_NO_PLACE, NULL}},
     .help = "how long a side may leave data unread"},
    {.word = "answer-after",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "DURATION", VALUE_WAIT, 1, LIMIT_ANSWER_MOST_MS, IN_ROUTE(answer_ms),
               CONFIG_NO_PLACE, NULL}},
     .help = "age at which a request is answered in the device's stead, or never"},
    {.word = "on",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "backend", VALUE_CHOICE, 0, 0, IN_ROUTE(loss), IN_ROUTE(loss_at),
               word_backend},
              {"loss hold", "DURATION", VALUE_DURATION, 1, LIMIT_HOLD_MOST_MS, IN_ROUTE(hold_ms),
               IN_ROUTE(hold_at), NULL},
              {"loss", "end", VALUE_CHOICE, 0, 0, IN_ROUTE(loss_end), IN_ROUTE(loss_end_at),
               word_end}},
     .help = "whether sessions wait for another process of a device that is gone"},
    {.word = "mappable",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "HOW", VALUE_CHOICE, 0, 0, IN_ROUTE(mappable), IN_ROUTE(mappable_at),
               mappable_words}},
     .help = "whether clients may map the device's memory"},
    {.word = "mappable",
     .second = "adopt",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_OWN,
     .args = {{NULL, "PATH", VALUE_FILE, 0, 0, IN_ROUTE(adopt), IN_ROUTE(adopt_at), NULL}},
     .help = "where the device's next process finds the memory that its client has mapped"},
    {.word = "assist",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "CLASS", VALUE_CHOICE, 0, 0, IN_ROUTE(assist), CONFIG_NO_PLACE, assist_words}},
     .help = "whose drivers are led to reset a device that has been restarted"},
    {.word = "busy-poll",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "TIME", VALUE_MICROSECONDS, 0, LIMIT_BUSY_POLL_MOST_US, IN_ROUTE(busy_poll_us),
               CONFIG_NO_PLACE, NULL}},
     .help = "how long to look for the next message before sleeping"},
    {.word = "recite",
     .context = CONTEXT_ROUTE,
     .args = {WORD("to", word_to),
              WORD("client", word_client),
              {NULL, "WHEN", VALUE_CHOICE, 0, 0, IN_ROUTE(recite_to_client), CONFIG_NO_PLACE,
               recite_words}},
     .help = "whether the broker recites the poem to clients"},
    {.word = "demand",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .args = {WORD("recital", word_recital),
              WORD("from", word_from),
              {NULL, "PARTY", VALUE_CHOICES, 0, 0, IN_ROUTE(demand_from), IN_ROUTE(demand_at),
               party_words},
              {"all the", "way", VALUE_CHOICE, 0, 0, IN_ROUTE(demand_how), IN_ROUTE(demand_how_at),
               demand_words}},
     .help = "the parties that must recite"},
    {.word = "preset",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_PRESET,
     .args = {{NULL, "NAME", VALUE_CHOICE, 0, 0, IN_ROUTE(preset), IN_ROUTE(preset_at),
               preset_names}},
     .help = "rules that come with poemd"},
    {.word = "allow",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_allow_begin,
     .args = {CHOICE("PARTY", config_allow, party, side_words),
              CHOICE("FACT", config_allow, fact, fact_words),
              {NULL, "VALUE", VALUE_TEXT, 0, 0, TO(config_allow, value), TO(config_allow, value_at),
               NULL}},
     .help = "the accepted clients or backends"},
    {.word = "licence",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_licence_begin,
     .args = {WORD("of", word_of),
              CHOICE("PARTY", config_licence, party, side_words),
              CHOICE("WHAT", config_licence, kind, kind_words),
              {"with", "LICENCE", VALUE_CHOICE, 0, 0, TO(config_licence, target), CONFIG_NO_PLACE,
               target_words},
              {"evidence", "GRADE", VALUE_CHOICE, 0, 0, TO(config_licence, grade), CONFIG_NO_PLACE,
               grade_words},
              {"or", "better", VALUE_CHOICE, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, word_better},
              {"covering", "code", VALUE_CHOICE, 0, 0, TO(config_licence, covers), CONFIG_NO_PLACE,
               covers_words}},
     .help = "a party's required licence, and the required grade of evidence"},
    {.word = "code",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_code_begin,
     .args = {WORD("of", word_of),
              CHOICE("PARTY", config_code, party, side_words),
              CHOICE("GRADE", config_code, grade, grade_words),
              {"or", "better", VALUE_CHOICE, 0, 0, CONFIG_NO_TARGET, CONFIG_NO_PLACE, word_better}},
     .help = "the required evidence of all code that a party has mapped"},
    {.word = "executable",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_executable_begin,
     .args = {WORD("of", word_of), CHOICE("PARTY", config_executable, party, side_words),
              WORD("measured", word_measured)},
     .help = "the party whose executable the kernel must have measured"},
    {.word = "assign",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_assign_begin,
     .args = {WORD("licence", word_licence),
              {NULL, "EXPRESSION", VALUE_TEXT, 0, 0, TO(config_assign, licence), CONFIG_NO_PLACE,
               NULL},
              WORD("to", word_to),
              CHOICE("PARTY", config_assign, party, side_words),
              {"exe", "PATH", VALUE_FILE, 0, 0, TO(config_assign, exe), CONFIG_NO_PLACE, NULL},
              {"digest", "DIGEST", VALUE_TEXT, 0, 0, TO(config_assign, digest), CONFIG_NO_PLACE,
               NULL}},
     .help = "a licence assigned by the operator"},
    {.word = "same-process",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "WHAT", VALUE_CHOICE, 0, 0, IN_ROUTE(same_process), CONFIG_NO_PLACE,
               same_words},
              {"of", "PARTY", VALUE_CHOICE, 0, 0, IN_ROUTE(same_of), CONFIG_NO_PLACE,
               same_of_words}},
     .help = "treatment of a session if another process uses its socket"},
    {.word = "look",
     .context = CONTEXT_ROUTE,
     .args = {WORD("again", word_again),
              WORD("every", word_every),
              {NULL, "DURATION", VALUE_DURATION, LIMIT_LOOK_LEAST_MS, LIMIT_LOOK_MOST_MS,
               IN_ROUTE(look_ms), CONFIG_NO_PLACE, NULL},
              {"then", "WHAT", VALUE_CHOICE, 0, 0, IN_ROUTE(look_then), CONFIG_NO_PLACE,
               same_words}},
     .help = "how often to look at the parties' executables again"},
    {.word = "otherwise",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "WHAT", VALUE_CHOICE, 0, 0, IN_ROUTE(otherwise), IN_ROUTE(otherwise_at),
               otherwise_words}},
     .help = "treatment of a session that does not meet the rules"},
    {.word = "permissive",
     .context = CONTEXT_ROUTE,
     .args = {WORD("until", word_until),
              {NULL, "DATE", VALUE_DATE, 0, 0, IN_ROUTE(permissive_until), IN_ROUTE(permissive_at),
               NULL}},
     .help = "last day on which sessions are tainted instead of denied"},
    {.word = "trace",
     .context = CONTEXT_ROUTE,
     .args = {{NULL, "FILE", VALUE_FILE, 0, 0, IN_ROUTE(trace_file), IN_ROUTE(trace_at), NULL},
              {"payload", "BYTES", VALUE_PAYLOAD, 0, 0, IN_ROUTE(trace.payload), CONFIG_NO_PLACE,
               NULL},
              {"rotate", "MIB", VALUE_COUNT, 1, 1048576, IN_ROUTE(trace.rotate_mib),
               CONFIG_NO_PLACE, NULL},
              {"every", "DURATION", VALUE_DURATION, 1000, TRACE_EVERY_MOST_MS,
               IN_ROUTE(trace.every_ms), CONFIG_NO_PLACE, NULL},
              {"keep", "NUMBER", VALUE_COUNT, 1, 1000000, IN_ROUTE(trace.keep), CONFIG_NO_PLACE,
               NULL},
              {"memory", "MIB", VALUE_COUNT, 1, 4096, IN_ROUTE(trace.memory_mib), CONFIG_NO_PLACE,
               NULL},
              {"pack", "HOW", VALUE_CHOICE, 0, 0, IN_ROUTE(trace.pack), IN_ROUTE(trace_pack_at),
               pack_words},
              {"filter", "FILTER", VALUE_TEXT, 0, 0, IN_ROUTE(trace.filter),
               IN_ROUTE(trace_filter_at), NULL}},
     .help = "the file to which messages are captured"},
    {.word = "inject",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_inject_begin,
     .args = {{NULL, "WHETHER", VALUE_CHOICE, 0, 0, IN_ROUTE(inject), CONFIG_NO_PLACE,
               inject_words}},
     .help = "whether faults may be injected into sessions, for tests of devices and clients"},
    {.word = "inject",
     .second = "rule",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_inject_rule_begin,
     .args = {{NULL, "RULE", VALUE_TEXT, 0, 0, TO(config_text, text), CONFIG_NO_PLACE, NULL}},
     .help = "a fault that is injected into each session"},
    {.word = "dma",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_dma_begin,
     .args = {{NULL, "HOW", VALUE_CHOICE, 0, 0, IN_ROUTE(dma_how), CONFIG_NO_PLACE, dma_words}},
     .help = "whether the backend gets direct access to the client's memory"},
    {.word = "dma",
     .second = "max-bytes",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_dma_max_bytes_begin,
     .args = {{NULL, "SIZE", VALUE_SIZE, 0, 0, IN_ROUTE(dma_max_bytes), CONFIG_NO_PLACE, NULL}},
     .help = "how much of it at once"},
    {.word = "dma",
     .second = "max-maps",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_dma_max_maps_begin,
     .args = {{NULL, "NUMBER", VALUE_COUNT, 1, LIMIT_DMA_MAPS, IN_ROUTE(dma_max_maps),
               CONFIG_NO_PLACE, NULL}},
     .help = "how many maps of it at once"},
    {.word = "dma",
     .second = "ranges",
     .context = CONTEXT_ROUTE,
     .flags = CONFIG_REPEATABLE,
     .begin = config_words_dma_ranges_begin,
     .args = {{NULL, "FIRST-LAST", VALUE_RANGE, 0, 0, TO(config_text, text), CONFIG_NO_PLACE,
               NULL}},
     .help = "at which addresses; several statements add up"},
    {.word = "listen",
     .context = CONTEXT_DEFAULTS,
     .args = {{"mode", "MODE", VALUE_MODE, 0, 0, IN_ROUTE(mode), CONFIG_NO_PLACE, NULL},
              {"owner", "USER", VALUE_ACCOUNT, 0, 0, IN_ROUTE(owner_name), IN_ROUTE(owner_at),
               NULL},
              {"group", "GROUP", VALUE_ACCOUNT, 0, 0, IN_ROUTE(group_name), IN_ROUTE(group_at),
               NULL}},
     .help = "mode, owner and group of the routes' sockets"},
};

_Static_assert(sizeof words / sizeof *words <= CONFIG_WORDS_MAX, "CONFIG_WORDS_MAX is too small");

const struct config_word *config_word_at(size_t i)
{
    return &words[i];
}

size_t config_word_count(void)
{
    return sizeof words / sizeof *words;
}

bool config_word_in(const struct config_word *row, enum config_context context)
{
    return row->context == context || (context == CONTEXT_DEFAULTS &&
                                       row->context == CONTEXT_ROUTE && !(row->flags & CONFIG_OWN));
}

size_t config_word_first(size_t i)
{
    while (words[i].second && i > 0) {
        i--;
    }
    return i;
}

/* Appends as much as fits. */
static void config_words_append(char *out, size_t size, const char *before, const char *text)
{
    const size_t n = strlen(out);

    snprintf(out + n, size - n, "%s%s", before, text);
}

const char *config_word_usage(const struct config_word *row, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", row->word, row->second ? " " : "",
             row->second ? row->second : "");
    for (const struct config_arg *a = row->args; a < row->args + CONFIG_ARGS && a->name; a++) {
        if (a->keyword) {
            config_words_append(out, size, " [", a->keyword);
        }
        config_words_append(out, size, " ", a->name);
        if (a->keyword) {
            config_words_append(out, size, "]", "");
        }
    }
    if (row->opens != CONTEXT_NONE) {
        config_words_append(out, size, " ", "{");
    }
    return out;
}
