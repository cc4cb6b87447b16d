/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Packs with zlib and a dictionary; base64 makes it text again. Before that, the size of the object
 * and a space.
 */
#define ZLIB_CONST
#include "proxy/monitor/facts/facts_pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/text/base64.h"
#include "base/text/numbers.h"

/*
 * Facts as they usually are, what is most frequent last. A change makes facts unreadable that an
 * earlier version has packed.
 */
static const char facts_dictionary[] =
    "\"verdict\":\"deny\",\"permissive\":true,\"contradiction\":\"it recites under , but \"via\":[{"
    "\"by\":\"\",\"recited\":true,\"licence\":\"\"}]\"recital\":\"recited\"\"deleted\":true\"ima\":"
    "{"
    "\"entry\":,\"pcr\":10}\"verity\":\"sha256:not inspected\"sha256\":\"the inspection was too "
    "slow\"exe\":\"unknown: its executable no such process permission denied"
    "MIT\"BSD-3-Clause\"Apache-2.0\"LGPL-2.1-or-later\"LGPL-2.1-only AND  OR  WITH "
    "\"grade\":\"signed\",\"source\":\"envelope\"\"grade\":\"declared\",\"source\":\"declaration\""
    "\"grade\":\"recited\",\"source\":\"recital\"\"grade\":\"assigned\",\"source\":\"operator\""
    "\"grade\":\"packaged\",\"source\":\"rpm\""
    "{\"verdict\":\"allow-tainted\",\"rule\":{\"line\":0,\"why\":\"this route has no rules\"},"
    "{\"verdict\":\"allow\",\"rule\":{\"line\":1,\"of\":\"backend\",\"why\":\"licence of backend: "
    "GPL-2.0-or-later, packaged (dpkg)\"},\"permissive\":false,\"client\":{\"unknown\":{\"label\":"
    "\"unknown: no security module labels sockets here (Protocol not available)\",\"unit\":"
    "\"unknown: its cgroup is not in a unit\"},\"label\":\"unconfined\",\"unit\":\"machine-qemu-"
    ".scope\"},\"recital\":\"no recital\"},\"backend\":{\"unknown\":{},\"pid\":,"
    "\"pid-namespace\":\"ours\",\"start\":,\"uid\":0,\"gid\":0,\"groups\":[0],\"unit\":\"."
    "service\","
    "\"exe\":{\"path\":\"/usr/libexec//usr/local/bin//usr/sbin//usr/bin/qemu-system-x86_64\","
    "\"deleted\":false,\"file\":{\"major\":254,\"minor\":0,\"inode\":,\"size\":},\"sha256\":\""
    "\"},\"recital\":\"no recital\"},\"licences\":[{\"of\":\"client\",\"grade\":\"packaged\","
    "\"source\":\"dpkg\",\"licence\":\"GPL-2.0-only\"},{\"of\":\"backend\",\"grade\":\"packaged\","
    "\"source\":\"dpkg\",\"licence\":\"GPL-2.0-or-later\"}]}";

#define FACTS_DICTIONARY (const Bytef *)facts_dictionary, (uInt)(sizeof facts_dictionary - 1)

/* 4 KiB: the dictionary and what lies behind it. */
#define FACTS_WINDOW_BITS 12

/* Small tables, which is enough for so little. */
#define FACTS_MEMORY 4

/* Characters of FACTS_PACK_MOST, and the space. */
#define FACTS_SIZE_ROOM 8u

/* Deflates n bytes to out, which has room. Returns the size, or 0 if out of memory. */
/* NOLINTNEXTLINE(readability-non-const-parameter): zlib writes it. */
static size_t facts_deflate(const char *text, size_t n, uint8_t *out, size_t room)
{
    z_stream z = {.next_in = (const Bytef *)text,
                  .avail_in = (uInt)n,
                  .next_out = out,
                  .avail_out = (uInt)room};
    size_t size = 0;

    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, FACTS_WINDOW_BITS, FACTS_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return 0;
    }
    if (deflateSetDictionary(&z, FACTS_DICTIONARY) == Z_OK &&
        deflate(&z, Z_FINISH) == Z_STREAM_END) {
        size = room - z.avail_out;
    }
    (void)deflateEnd(&z);
    return size;
}

/* Returns n bytes of JSON as packed text, or NULL if out of memory. */
static char *facts_pack_text(const char *json, size_t n)
{
    /* The bound for any stream, and the dictionary's number. */
    const size_t room = compressBound((uLong)n) + 64;
    uint8_t *const bytes = malloc(room);
    const size_t size = bytes ? facts_deflate(json, n, bytes, room) : 0;
    char *const text = size > 0 ? malloc(FACTS_SIZE_ROOM + BASE64_SIZE(size) + 1) : NULL;

    if (text) {
        const int before = snprintf(text, FACTS_SIZE_ROOM + 1, "%zu ", n);

        base64_write(bytes, size, text + before);
    }
    free(bytes);
    return text;
}

char *facts_pack(const json_t *facts)
{
    char *const json = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
    const size_t n = json ? strlen(json) : 0;
    char *const text = n > 0 && n <= FACTS_PACK_MOST ? facts_pack_text(json, n) : NULL;

    free(json);
    return text;
}

/* Inflates to exactly n bytes. */
/* NOLINTNEXTLINE(readability-non-const-parameter): zlib writes it. */
static bool facts_inflate(const uint8_t *bytes, size_t size, char *out, size_t n)
{
    z_stream z = {
        .next_in = bytes, .avail_in = (uInt)size, .next_out = (Bytef *)out, .avail_out = (uInt)n};
    bool whole;

    if (inflateInit2(&z, FACTS_WINDOW_BITS) != Z_OK) {
        return false;
    }
    whole = inflate(&z, Z_FINISH) == Z_NEED_DICT &&
            inflateSetDictionary(&z, FACTS_DICTIONARY) == Z_OK &&
            inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0 && z.avail_in == 0;
    (void)inflateEnd(&z);
    return whole;
}

json_t *facts_unpack(const char *text)
{
    const char *const space = text ? strchr(text, ' ') : NULL;
    const size_t room = space ? strlen(space + 1) / 4 * 3 : 0;
    json_t *facts = NULL;
    uint8_t *bytes;
    char *json;
    size_t size;
    uint64_t n;

    if (!space || !numbers_read(text, (size_t)(space - text), FACTS_PACK_MOST, &n) || n == 0) {
        return NULL;
    }
    bytes = malloc(room + 1);
    json = malloc(n);
    if (bytes && json && base64_read_any(space + 1, strlen(space + 1), bytes, room, &size) &&
        facts_inflate(bytes, size, json, n)) {
        facts = json_loadb(json, n, 0, NULL);
    }
    if (facts && !json_is_object(facts)) {
        json_decref(facts);
        facts = NULL;
    }
    free(json);
    free(bytes);
    return facts;
}
