/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* VERSION payloads: what an offer says, what is refused, who agrees with whom. */
#include "handshake/version.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* ---- reading ---- */

/* Reads numbers and n bytes of JSON (NULL: none), from memory of just their size. */
static enum version_outcome read_offer(struct version_offer *o, struct wire_version number,
                                       const char *text, size_t n, enum json_outcome *json)
{
    const size_t size = sizeof number + n;
    uint8_t *const p = malloc(size);
    enum version_outcome r;

    ck_assert_ptr_nonnull(p);
    memcpy(p, &number, sizeof number);
    if (n > 0) {
        memcpy(p + sizeof number, text, n);
    }
    version_init(o);
    r = version_read(o, p, size, json);
    free(p);
    return r;
}

static enum version_outcome read_text(struct version_offer *o, const char *text)
{
    enum json_outcome json;

    return read_offer(o, (struct wire_version){0}, text, strlen(text) + 1, &json);
}

/* Whether an offer is as version_init makes it. */
static void expect_empty(const struct version_offer *o)
{
    ck_assert_ptr_null(o->json);
    ck_assert_uint_eq(o->number.major, 0);
    ck_assert_uint_eq(o->number.minor, 0);
    ck_assert_uint_eq(o->max_msg_fds, LIMIT_FDS_DEFAULT);
    ck_assert_uint_eq(o->max_data_xfer_size, LIMIT_DATA_XFER_DEFAULT);
    ck_assert(!o->twin_supported && !o->twin_has_fd);
    ck_assert_uint_eq(o->twin_fd_index, 0);
}

#define DEFAULTS LIMIT_FDS_DEFAULT, LIMIT_DATA_XFER_DEFAULT

static const struct {
    const char *json;
    uint32_t fds;
    uint32_t data;
    bool twin;
    bool has_fd;
    uint32_t fd_index;
} offers[] = {
    {"{}", DEFAULTS, false, false, 0},
    {"{\"capabilities\":{}}", DEFAULTS, false, false, 0},
    {"{\"unknown\":[1,2,{}],\"capabilities\":{\"other\":{}}}", DEFAULTS, false, false, 0},
    /* a limit counts where the specification puts it, and nowhere else */
    {"{\"max_msg_fds\":7}", DEFAULTS, false, false, 0},
    {"{\"capabilities\":{\"x\":{\"max_msg_fds\":7}}}", DEFAULTS, false, false, 0},
    {"{\"capabilities\":{\"MAX_MSG_FDS\":7}}", DEFAULTS, false, false, 0},
    {"{\"capabilities\":{\"max_msg_fds\":8}}", 8, LIMIT_DATA_XFER_DEFAULT, false, false, 0},
    {"{\"capabilities\":{\"max_msg_fds\":0,\"max_data_xfer_size\":0}}", 0, 0, false, false, 0},
    {"{\"capabilities\":{\"max_msg_fds\":4294967295,\"max_data_xfer_size\":4294967295}}",
     UINT32_MAX, UINT32_MAX, false, false, 0},
    /* … and one above 32 bits is no worse than the largest of those */
    {"{\"capabilities\":{\"max_msg_fds\":4294967296,\"max_data_xfer_size\":9223372036854775807}}",
     UINT32_MAX, UINT32_MAX, false, false, 0},
    {"{\"capabilities\":{\"max_msg_fds\":18446744073709551615,"
     "\"max_data_xfer_size\":9223372036854775808}}",
     UINT32_MAX, UINT32_MAX, false, false, 0},
    {"{\"capabilities\":{\"twin_socket\":{}}}", DEFAULTS, false, false, 0},
    {"{\"capabilities\":{\"twin_socket\":{\"supported\":false}}}", DEFAULTS, false, false, 0},
    {"{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}", DEFAULTS, true, false, 0},
    {"{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}", DEFAULTS, true,
     true, 0},
    {"{\"capabilities\":{\"twin_socket\":{\"fd_index\":3,\"supported\":true,\"more\":1}}}",
     DEFAULTS, true, true, 3},
    {"{\"capabilities\":{\"twin_socket\":{\"fd_index\":3}}}", DEFAULTS, false, true, 3},
};

START_TEST(an_offer_is_understood)
{
    struct version_offer o;

    ck_assert_int_eq(read_text(&o, offers[_i].json), VERSION_OK);
    ck_assert_uint_eq(o.max_msg_fds, offers[_i].fds);
    ck_assert_uint_eq(o.max_data_xfer_size, offers[_i].data);
    ck_assert_int_eq(o.twin_supported, offers[_i].twin);
    ck_assert_int_eq(o.twin_has_fd, offers[_i].has_fd);
    ck_assert_uint_eq(o.twin_fd_index, offers[_i].fd_index);
    version_deinit(&o);
    expect_empty(&o);
}
END_TEST

#define CAP(s) "{\"capabilities\":{" s "}}"

static const struct {
    const char *json;
    enum version_outcome outcome;
} refused[] = {
    {"{\"capabilities\":null}", VERSION_BAD_CAPABILITIES},
    {"{\"capabilities\":[]}", VERSION_BAD_CAPABILITIES},
    {"{\"capabilities\":\"{}\"}", VERSION_BAD_CAPABILITIES},
    {"{\"capabilities\":1}", VERSION_BAD_CAPABILITIES},
    {CAP("\"max_msg_fds\":-1"), VERSION_BAD_FDS},
    {CAP("\"max_msg_fds\":8.0"), VERSION_BAD_FDS},
    {CAP("\"max_msg_fds\":\"8\""), VERSION_BAD_FDS},
    {CAP("\"max_msg_fds\":true"), VERSION_BAD_FDS},
    {CAP("\"max_msg_fds\":null"), VERSION_BAD_FDS},
    {CAP("\"max_msg_fds\":{}"), VERSION_BAD_FDS},
    {CAP("\"max_data_xfer_size\":-1"), VERSION_BAD_DATA},
    {CAP("\"max_data_xfer_size\":[4096]"), VERSION_BAD_DATA},
    {CAP("\"twin_socket\":true"), VERSION_BAD_TWIN},
    {CAP("\"twin_socket\":null"), VERSION_BAD_TWIN},
    {CAP("\"twin_socket\":[]"), VERSION_BAD_TWIN},
    {CAP("\"twin_socket\":{\"supported\":1}"), VERSION_BAD_TWIN},
    {CAP("\"twin_socket\":{\"supported\":\"true\"}"), VERSION_BAD_TWIN},
    {CAP("\"twin_socket\":{\"supported\":null}"), VERSION_BAD_TWIN},
    {CAP("\"twin_socket\":{\"supported\":true,\"fd_index\":-1}"), VERSION_BAD_TWIN},
    {CAP("\"twin_socket\":{\"supported\":true,\"fd_index\":\"0\"}"), VERSION_BAD_TWIN},
    {"[]", VERSION_JSON},
    {"{", VERSION_JSON},
    {CAP("\"max_msg_fds\":8,\"max_msg_fds\":8"), VERSION_JSON},
    {"", VERSION_JSON},
};

START_TEST(an_offer_is_refused_and_leaves_nothing)
{
    struct version_offer o;
    const enum version_outcome r = read_text(&o, refused[_i].json);

    ck_assert_msg(r == refused[_i].outcome, "%s: \"%s\"", refused[_i].json,
                  version_outcome_text(r, JSON_SYNTAX));
    expect_empty(&o);
}
END_TEST

START_TEST(dma_maps_may_be_any_number_or_none)
{
    static const struct {
        const char *json;
        uint32_t is;
    } cases[] = {
        {"{}", 65535},
        {"{\"capabilities\":{}}", 65535},
        {"{\"capabilities\":{\"max_dma_maps\":0}}", 0},
        {"{\"capabilities\":{\"max_dma_maps\":17}}", 17},
        {"{\"capabilities\":{\"max_dma_maps\":4294967295}}", UINT32_MAX},
        {"{\"capabilities\":{\"max_dma_maps\":4294967296}}", UINT32_MAX},
        {"{\"capabilities\":{\"max_dma_maps\":18446744073709551615}}", UINT32_MAX},
        {"{\"capabilities\":{\"max_dma_maps\":5.0}}", 65535},
        {"{\"capabilities\":{\"max_dma_maps\":-1}}", 65535},
        {"{\"capabilities\":{\"max_dma_maps\":\"5\"}}", 65535},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct version_offer o;

        ck_assert_int_eq(read_text(&o, cases[i].json), VERSION_OK);
        ck_assert_uint_eq(version_max_dma_maps(&o), cases[i].is);
        version_deinit(&o);
    }
}
END_TEST

START_TEST(a_bitmap_may_have_any_size)
{
    static const struct {
        const char *json;
        uint32_t is;
    } cases[] = {
        {"{}", LIMIT_BITMAP_DEFAULT},
        {"{\"max_bitmap_size\":5}", LIMIT_BITMAP_DEFAULT},
        {CAP("\"max_bitmap_size\":5"), LIMIT_BITMAP_DEFAULT},
        {CAP("\"migration\":{}"), LIMIT_BITMAP_DEFAULT},
        {CAP("\"migration\":{\"max_bitmap_size\":0}"), 0},
        {CAP("\"migration\":{\"pgsize\":4096,\"max_bitmap_size\":65536}"), 65536},
        {CAP("\"migration\":{\"max_bitmap_size\":18446744073709551615}"), UINT32_MAX},
        {CAP("\"migration\":{\"max_bitmap_size\":-1}"), LIMIT_BITMAP_DEFAULT},
        {CAP("\"migration\":{\"max_bitmap_size\":\"5\"}"), LIMIT_BITMAP_DEFAULT},
        {CAP("\"migration\":true"), LIMIT_BITMAP_DEFAULT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct version_offer o;

        ck_assert_int_eq(read_text(&o, cases[i].json), VERSION_OK);
        ck_assert_uint_eq(o.max_bitmap_size, cases[i].is);
        version_deinit(&o);
    }
}
END_TEST

START_TEST(the_numbers_are_needed)
{
    const uint8_t bytes[sizeof(struct wire_version)] = {1, 2, 3, 4};
    struct version_offer o;
    enum json_outcome json;

    version_init(&o);
    for (size_t n = 0; n < sizeof bytes; n++) {
        ck_assert_int_eq(version_read(&o, bytes, n, &json), VERSION_SHORT);
        ck_assert_int_eq(json, JSON_OK);
        expect_empty(&o);
    }
}
END_TEST

START_TEST(version_data_may_be_absent)
{
    struct version_offer o;
    enum json_outcome json;

    ck_assert_int_eq(read_offer(&o, (struct wire_version){0, 2}, NULL, 0, &json), VERSION_OK);
    ck_assert_uint_eq(o.number.minor, 2);
    ck_assert_ptr_null(o.json);
    o.number = (struct wire_version){0};
    expect_empty(&o);
}
END_TEST

START_TEST(json_at_its_limit_and_one_past)
{
    char *const text = malloc(LIMIT_VERSION_JSON + 1);
    struct version_offer o;
    enum json_outcome json;

    ck_assert_ptr_nonnull(text);
    memset(text, '\0', LIMIT_VERSION_JSON + 1);
    memcpy(text, "{}", 2);
    ck_assert_int_eq(read_offer(&o, (struct wire_version){0}, text, LIMIT_VERSION_JSON, &json),
                     VERSION_OK);
    version_deinit(&o);
    ck_assert_int_eq(read_offer(&o, (struct wire_version){0}, text, LIMIT_VERSION_JSON + 1, &json),
                     VERSION_JSON);
    ck_assert_int_eq(json, JSON_TOO_LONG);
    expect_empty(&o);
    free(text);
}
END_TEST

/* ---- writing ---- */

START_TEST(qemu_s_own_request)
{
    static const char anew[] =
        "{\"capabilities\":{\"pgsizes\":4096,\"max_msg_fds\":16,\"max_dma_maps\":65535,"
        "\"max_data_xfer_size\":1048576,\"migration\":{\"max_bitmap_size\":268435456,"
        "\"pgsize\":4096},\"write_multiple\":true}}";
    const size_t size = strlen(peer_qemu_json) + 1;
    struct version_offer o;
    enum json_outcome json;
    char out[256];

    ck_assert_uint_eq(size, 194);
    ck_assert_int_eq(read_offer(&o, (struct wire_version){0}, peer_qemu_json, size, &json),
                     VERSION_OK);
    ck_assert_uint_eq(o.max_msg_fds, 16);
    ck_assert_uint_eq(o.max_data_xfer_size, 1048576);
    ck_assert(!o.twin_supported);
    /* A backend's reply may be as long as the request that it saw: what is sent on is no longer. */
    ck_assert_uint_le(sizeof anew, size);
    ck_assert_uint_eq(version_write(&o, out, sizeof out), sizeof o.number + sizeof anew);
    ck_assert_str_eq(out + sizeof o.number, anew);
    version_deinit(&o);
}
END_TEST

START_TEST(numbers_are_written_as_they_came)
{
    static const struct wire_version number = {0x1234, 0xabcd};
    struct version_offer o;
    enum json_outcome json;
    struct wire_version out;

    ck_assert_int_eq(read_offer(&o, number, NULL, 0, &json), VERSION_OK);
    ck_assert_uint_eq(version_write(&o, &out, sizeof out), sizeof out);
    ck_assert_mem_eq(&out, &number, sizeof out);
    ck_assert_uint_eq(version_write(&o, &out, sizeof out - 1), 0);
}
END_TEST

START_TEST(writing_needs_room)
{
    static const size_t size = sizeof(struct wire_version) + sizeof "{\"a\":1}";
    struct version_offer o;
    char out[64];

    ck_assert_int_eq(read_text(&o, "{ \"a\" : 1 }"), VERSION_OK);
    for (size_t n = 0; n < size; n++) {
        ck_assert_uint_eq(version_write(&o, out, n), 0);
    }
    ck_assert_uint_eq(version_write(&o, out, size), size);
    version_deinit(&o);
}
END_TEST

static const struct {
    const char *before;
    const char *after; /* fd_index set to 0 */
} twins[] = {
    {CAP("\"twin_socket\":{\"supported\":true,\"fd_index\":7}"),
     CAP("\"twin_socket\":{\"supported\":true,\"fd_index\":0}")},
    {CAP("\"twin_socket\":{\"fd_index\":7,\"x\":1,\"supported\":true},\"y\":2"),
     CAP("\"twin_socket\":{\"fd_index\":0,\"x\":1,\"supported\":true},\"y\":2")},
    {CAP("\"twin_socket\":{\"supported\":true}"),
     CAP("\"twin_socket\":{\"supported\":true,\"fd_index\":0}")},
};

START_TEST(the_twin_s_place_is_set_and_nothing_else)
{
    struct version_offer o;
    char out[256];

    ck_assert_int_eq(read_text(&o, twins[_i].before), VERSION_OK);
    ck_assert_int_eq(version_set_twin_index(&o, 0), 0);
    ck_assert_uint_eq(o.twin_fd_index, 0);
    ck_assert_uint_gt(version_write(&o, out, sizeof out), 0);
    ck_assert_str_eq(out + sizeof o.number, twins[_i].after);
    version_deinit(&o);
}
END_TEST

static const struct {
    const char *before;
    const char *after;
} silent[] = {
    {"{}", CAP("\"max_msg_fds\":1")},
    {"{\"x\":1}", "{\"x\":1,\"capabilities\":{\"max_msg_fds\":1}}"},
    {CAP("\"y\":2"), CAP("\"y\":2,\"max_msg_fds\":1")},
    {CAP("\"max_msg_fds\":8,\"y\":2"), CAP("\"max_msg_fds\":8,\"y\":2")},
    {CAP("\"max_msg_fds\":0"), CAP("\"max_msg_fds\":0")},
};

START_TEST(silence_about_fds_is_spelt_out)
{
    struct version_offer o;
    char out[256];
    size_t n;

    ck_assert_int_eq(read_text(&o, silent[_i].before), VERSION_OK);
    ck_assert_int_eq(version_name_max_msg_fds(&o), 0);
    n = version_write(&o, out, sizeof out);
    ck_assert_str_eq(out + sizeof o.number, silent[_i].after);
    /* It adds no more than it says. */
    ck_assert_uint_le(n,
                      sizeof o.number + strlen(silent[_i].before) + 1 + VERSION_MAX_MSG_FDS_ROOM);
    version_deinit(&o);
}
END_TEST

START_TEST(without_version_data_nothing_is_spelt_out)
{
    struct version_offer o;

    version_init(&o);
    ck_assert_int_eq(version_name_max_msg_fds(&o), 0);
    expect_empty(&o);
}
END_TEST

/* ---- agreeing ---- */

#define NO_TWIN "{}"
#define TWIN CAP("\"twin_socket\":{\"supported\":true}")
#define TWIN_AT(i) CAP("\"twin_socket\":{\"supported\":true,\"fd_index\":" i "}")
#define TWIN_OFF CAP("\"twin_socket\":{\"supported\":false,\"fd_index\":0}")

static const struct {
    struct wire_version asked;
    struct wire_version answered;
    const char *request;
    const char *reply;
    unsigned n_fds;
    enum version_outcome outcome;
} agreements[] = {
    {{0, 0}, {0, 0}, NO_TWIN, NO_TWIN, 0, VERSION_OK},
    {{0, 2}, {0, 2}, NO_TWIN, NO_TWIN, 0, VERSION_OK},
    {{0, 2}, {0, 0}, NO_TWIN, NO_TWIN, 0, VERSION_OK},
    {{5, 1}, {5, 1}, NO_TWIN, NO_TWIN, 0, VERSION_OK},
    {{0, 0}, {1, 0}, NO_TWIN, NO_TWIN, 0, VERSION_OTHER_MAJOR},
    {{1, 0}, {0, 0}, NO_TWIN, NO_TWIN, 0, VERSION_OTHER_MAJOR},
    {{1, 0}, {0, 9}, NO_TWIN, NO_TWIN, 0, VERSION_OTHER_MAJOR},
    {{0, 0}, {0, 1}, NO_TWIN, NO_TWIN, 0, VERSION_HIGHER_MINOR},
    {{0, 2}, {0, 3}, NO_TWIN, NO_TWIN, 0, VERSION_HIGHER_MINOR},
    {{0, 65534}, {0, 65535}, NO_TWIN, NO_TWIN, 0, VERSION_HIGHER_MINOR},

    {{0, 0}, {0, 0}, NO_TWIN, NO_TWIN, 1, VERSION_STRAY_FDS},
    {{0, 0}, {0, 0}, TWIN, NO_TWIN, 0, VERSION_OK},
    {{0, 0}, {0, 0}, TWIN, NO_TWIN, 1, VERSION_STRAY_FDS},
    {{0, 0}, {0, 0}, TWIN, TWIN_OFF, 0, VERSION_OK},
    {{0, 0}, {0, 0}, TWIN, TWIN_OFF, 1, VERSION_STRAY_FDS},
    {{0, 0}, {0, 0}, NO_TWIN, TWIN_AT("0"), 1, VERSION_TWIN_UNASKED},
    {{0, 0}, {0, 0}, TWIN_OFF, TWIN_AT("0"), 1, VERSION_TWIN_UNASKED},
    {{0, 0}, {0, 0}, NO_TWIN, TWIN, 0, VERSION_TWIN_UNASKED},
    {{0, 0}, {0, 0}, TWIN, TWIN_AT("0"), 1, VERSION_OK},
    {{0, 0}, {0, 0}, TWIN, TWIN_AT("0"), 0, VERSION_TWIN_NO_FD},
    {{0, 0}, {0, 0}, TWIN, TWIN_AT("1"), 1, VERSION_TWIN_NO_FD},
    {{0, 0}, {0, 0}, TWIN, TWIN_AT("4294967295"), 1, VERSION_TWIN_NO_FD},
    {{0, 0}, {0, 0}, TWIN, TWIN, 1, VERSION_TWIN_NO_FD},
    {{0, 0}, {0, 0}, TWIN, TWIN_AT("0"), 2, VERSION_STRAY_FDS},
    {{0, 0}, {0, 0}, TWIN, TWIN_AT("1"), 2, VERSION_STRAY_FDS},

    {{0, 0}, {0, 0}, CAP("\"max_msg_fds\":0"), CAP("\"max_msg_fds\":1"), 0, VERSION_OK},
    {{0, 0}, {0, 0}, CAP("\"max_msg_fds\":8"), CAP("\"max_msg_fds\":0"), 0, VERSION_NO_FDS},
};

START_TEST(a_reply_answers_its_request)
{
    struct version_offer request;
    struct version_offer reply;
    enum version_outcome r;

    ck_assert_int_eq(read_text(&request, agreements[_i].request), VERSION_OK);
    ck_assert_int_eq(read_text(&reply, agreements[_i].reply), VERSION_OK);
    request.number = agreements[_i].asked;
    reply.number = agreements[_i].answered;
    r = version_agree(&request, &reply, agreements[_i].n_fds);
    ck_assert_msg(r == agreements[_i].outcome, "\"%s\"", version_outcome_text(r, JSON_OK));
    version_deinit(&request);
    version_deinit(&reply);
}
END_TEST

START_TEST(every_outcome_has_its_text)
{
    for (int o = VERSION_OK; o <= VERSION_NO_FDS; o++) {
        const char *const text = version_outcome_text((enum version_outcome)o, JSON_TOO_DEEP);

        ck_assert_str_ne(text, "?");
        for (int other = 0; other < o; other++) {
            ck_assert_str_ne(text,
                             version_outcome_text((enum version_outcome)other, JSON_TOO_DEEP));
        }
    }
    ck_assert_str_eq(version_outcome_text(VERSION_JSON, JSON_TOO_DEEP),
                     json_outcome_text(JSON_TOO_DEEP));
}
END_TEST

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* ---- what another reply keeps ---- */

static const struct {
    const char *before;
    const char *now;
    const char *lacks; /* NULL: it keeps all */
    uint64_t had, has;
} kept[] = {
    {"{}", "{}", NULL, 0, 0},
    {"{}", "{\"max_msg_fds\":8}", NULL, 0, 0},
    {"{\"max_msg_fds\":8}", "{\"max_msg_fds\":8}", NULL, 0, 0},
    {"{\"max_msg_fds\":8}", "{\"max_msg_fds\":9}", NULL, 0, 0},
    {"{\"max_msg_fds\":8}", "{\"max_msg_fds\":7}", "max_msg_fds", 8, 7},
    {"{\"max_msg_fds\":8}", "{}", "max_msg_fds", 8, 0},
    {"{\"max_msg_fds\":8}", "{\"max_msg_fds\":true}", "max_msg_fds", 8, 0},
    {"{\"pgsizes\":12288}", "{\"pgsizes\":28672}", NULL, 0, 0},
    {"{\"pgsizes\":12288}", "{\"pgsizes\":20480}", "pgsizes", 12288, 20480},
    {"{\"write_multiple\":true}", "{\"write_multiple\":true}", NULL, 0, 0},
    {"{\"write_multiple\":false}", "{}", NULL, 0, 0},
    {"{\"write_multiple\":true}", "{\"write_multiple\":false}", "write_multiple", 1, 0},
    {"{\"migration\":{\"pgsize\":4096}}", "{\"migration\":{\"pgsize\":4096}}", NULL, 0, 0},
    {"{\"migration\":{\"pgsize\":4096}}", "{\"migration\":{\"pgsize\":8192}}", "migration.pgsize",
     4096, 8192},
    {"{\"migration\":{\"pgsize\":4096}}", "{}", "migration.pgsize", 4096, 0},
    {"{\"x\":\"y\"}", "{\"x\":\"y\"}", NULL, 0, 0},
    {"{\"x\":\"y\"}", "{\"x\":\"z\"}", "x", 0, 0},
};

START_TEST(a_reply_keeps_what_another_one_promised)
{
    json_t *const before = json_loads(kept[_i].before, 0, NULL);
    json_t *const now = json_loads(kept[_i].now, 0, NULL);
    char name[VERSION_NAME_SIZE];
    uint64_t had;
    uint64_t has;

    ck_assert_ptr_nonnull(before);
    ck_assert_ptr_nonnull(now);
    ck_assert_int_eq(version_keeps(before, now, name, &had, &has), !kept[_i].lacks);
    if (kept[_i].lacks) {
        ck_assert_str_eq(name, kept[_i].lacks);
        ck_assert_uint_eq(had, kept[_i].had);
        ck_assert_uint_eq(has, kept[_i].has);
    }
    json_decref(before);
    json_decref(now);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("version");
    TCase *tc = unit_case(s, "read");

    tcase_add_loop_test(tc, an_offer_is_understood, 0, ROWS(offers));
    tcase_add_loop_test(tc, an_offer_is_refused_and_leaves_nothing, 0, ROWS(refused));
    tcase_add_test(tc, dma_maps_may_be_any_number_or_none);
    tcase_add_test(tc, a_bitmap_may_have_any_size);
    tcase_add_test(tc, the_numbers_are_needed);
    tcase_add_test(tc, version_data_may_be_absent);
    tcase_add_test(tc, json_at_its_limit_and_one_past);
    tc = unit_case(s, "write");
    tcase_add_test(tc, qemu_s_own_request);
    tcase_add_test(tc, numbers_are_written_as_they_came);
    tcase_add_test(tc, writing_needs_room);
    tcase_add_loop_test(tc, the_twin_s_place_is_set_and_nothing_else, 0, ROWS(twins));
    tcase_add_loop_test(tc, silence_about_fds_is_spelt_out, 0, ROWS(silent));
    tcase_add_test(tc, without_version_data_nothing_is_spelt_out);
    tc = unit_case(s, "agree");
    tcase_add_loop_test(tc, a_reply_answers_its_request, 0, ROWS(agreements));
    tcase_add_test(tc, every_outcome_has_its_text);
    tc = unit_case(s, "keep");
    tcase_add_loop_test(tc, a_reply_keeps_what_another_one_promised, 0, ROWS(kept));
    return unit_run(s);
}
