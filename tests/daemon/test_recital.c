/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The real poemd recites to clients, and demands recitals of both sides where the route says so.
 * What makes a recital good is tests/unit/test_recital.c's matter.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handshake/recital.h"
#include "handshake/version.h"
#include "poem/poem.h"
#include "tests/daemon/reciting.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

#define ID RECITING_ID
#define LICENCE "GPL-2.0-only"
#define REFRAIN "\"poem\":\"Say this aloud, in freedom's name, and pass.\""

static const char other_text[] = "Another one.\nAnother one.\n";

/* ---- to a client that knows nothing of it ---- */

START_TEST(a_stock_qemu_hears_the_refrain)
{
    struct rig r;
    struct pair p;
    struct message m;

    rig_start(&r, "recite to client when-it-fits");
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv(p.backend_fd, &m);
    ck_assert_ptr_null(strstr((char *)m.payload + 4, "poem"));
    message_deinit(&m);
    /* As much as QEMU offered: what is default makes room. */
    peer_send_version(p.backend_fd, ID, WIRE_TYPE_REPLY, peer_qemu_json, NULL);
    peer_recv(p.client_fd, &m);
    ck_assert_ptr_nonnull(strstr((char *)m.payload + 4, REFRAIN));
    ck_assert_ptr_nonnull(strstr((char *)m.payload + 4, "\"max_msg_fds\":16"));
    ck_assert_uint_le(m.hdr.size, 214);
    message_deinit(&m);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* A backend's capabilities, none of them default, that leave less than the refrain takes. */
static const char wide[] = "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":65536,"
                           "\"max_dma_maps\":1024,\"migration\":{\"pgsize\":65536},"
                           "\"write_multiple\":true,\"x\":\"012345678901234567\"}}";

START_TEST(without_room_it_is_left_out_and_logged)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "recite to client when-it-fits");
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(
        p.backend_fd, ID, WIRE_TYPE_COMMAND,
        "{\"capabilities\":{\"pgsizes\":4096,\"max_msg_fds\":16,\"max_dma_maps\":65535,"
        "\"max_data_xfer_size\":1048576,\"migration\":{\"max_bitmap_size\":268435456,"
        "\"pgsize\":4096},\"write_multiple\":true}}");
    peer_send_version(p.backend_fd, ID, WIRE_TYPE_REPLY, wide, NULL);
    peer_recv_version(p.client_fd, ID, WIRE_TYPE_REPLY, wide);
    rig_await_log(&r, "recited: nothing: the refrain would make the reply longer", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(without_room_always_refuses)
{
    struct rig r;
    struct pair p;
    struct message m;

    rig_init(&r);
    rig_configure(&r, "workers 1\nroute r {\nlisten %s\nbackend %s\nrecite to client always\n}\n",
                  r.listen, r.backend);
    rig_launch(&r);
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv(p.backend_fd, &m);
    message_deinit(&m);
    peer_send_version(p.backend_fd, ID, WIRE_TYPE_REPLY, wide, NULL);
    ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), EMSGSIZE);
    rig_await_log(&r, "ended: reason=recital", NULL, 0);
    pair_expect_end(&p);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* ---- to a client that asks ---- */

static void a_client_that_asks(const struct poem *behind, enum recital_outcome judged,
                               const char *statement)
{
    struct recital_client c;
    struct recital_reply told;
    struct pair p;
    struct rig r;
    bool challenged;

    rig_start(&r, statement);
    p.client_fd = peer_connect(r.listen);
    reciting_client(p.client_fd, &c, &poem_builtin, true, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    reciting_backend(p.backend_fd, behind, LICENCE, &challenged);
    ck_assert(challenged);
    ck_assert_int_eq(reciting_judge(p.client_fd, &c, &told), judged);
    ck_assert_uint_eq(told.via.n, 1);
    ck_assert(told.via.hops[0].recited == (behind == &poem_builtin));
    if (behind) {
        ck_assert_str_eq(told.via.hops[0].licence, "GPL-2.0-only");
    }
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}

START_TEST(who_asks_gets_the_whole_poem_and_who_is_behind)
{
    a_client_that_asks(&poem_builtin, RECITAL_OK, "recite to client when-it-fits");
}
END_TEST

START_TEST(a_silent_backend_is_named_as_such)
{
    a_client_that_asks(NULL, RECITAL_OK, "recite to client always");
}
END_TEST

START_TEST(who_never_recites_still_says_who_is_behind)
{
    struct recital_client c;
    struct recital_reply told;
    struct pair p;
    struct rig r;
    bool challenged;

    rig_start(&r, "recite to client never");
    p.client_fd = peer_connect(r.listen);
    reciting_client(p.client_fd, &c, &poem_builtin, true, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    reciting_backend(p.backend_fd, &poem_builtin, LICENCE, &challenged);
    ck_assert_int_eq(reciting_judge(p.client_fd, &c, &told), RECITAL_MISSING);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- demands ---- */

static const char *const demand_config =
    "workers 1\n%s\nroute r {\nlisten %s\nbackend %s\nrecite to client never\n"
    "demand recital from %s\n}\n";

static void launch_demanding(struct rig *r, const char *global, const char *party)
{
    rig_init(r);
    rig_configure(r, demand_config, global, r->listen, r->backend, party);
    rig_launch(r);
}

START_TEST(a_backend_that_recites_is_served)
{
    struct rig r;
    struct pair p;
    struct message m;
    bool challenged;

    launch_demanding(&r, "", "backend");
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    reciting_backend(p.backend_fd, &poem_builtin, LICENCE, &challenged);
    ck_assert(challenged);
    /* What it said was said to poemd: the client hears nothing of it. */
    peer_recv(p.client_fd, &m);
    ck_assert_str_eq((char *)m.payload + 4, "{\"capabilities\":{\"max_msg_fds\":8}}");
    message_deinit(&m);
    pair_ping(&p);
    pair_close(&p);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

static void backend_is_denied(const struct poem *poem)
{
    struct rig r;
    struct pair p;
    bool challenged;

    launch_demanding(&r, "", "backend");
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    reciting_backend(p.backend_fd, poem, LICENCE, &challenged);
    ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), EACCES);
    rig_await_log(&r, "the rule \"demand recital from backend\" is not met", NULL, 0);
    pair_expect_end(&p);
    rig_terminate(&r);
    rig_deinit(&r);
}

/* No rule demands the recital, or a licence: the statement alone has it asked for, and denies. */
START_TEST(a_backend_that_contradicts_itself_is_denied)
{
    static const char config[] = "workers 1\nroute r {\nlisten %s\nbackend %s\n"
                                 "recite to client never\nlicence of backend consistent\n%s\n}\n";
    const bool taints = _i == 1;
    struct rig r;
    struct pair p;
    bool challenged;

    rig_init(&r);
    rig_configure(&r, config, r.listen, r.backend, taints ? "otherwise taint" : "");
    rig_launch(&r);
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    reciting_backend_declares(p.backend_fd, &poem_builtin, "GPL-2.0-only", "LicenseRef-ours",
                              &challenged);
    ck_assert(challenged);
    if (taints) {
        struct message m;

        peer_recv(p.client_fd, &m);
        message_deinit(&m);
        pair_ping(&p);
        pair_close(&p);
    } else {
        ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), EACCES);
        pair_expect_end(&p);
    }
    rig_await_log(&r,
                  "contradiction: the backend recites under GPL-2.0-only, but declares "
                  "LicenseRef-ours",
                  NULL, 0);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

START_TEST(a_silent_backend_is_denied)
{
    backend_is_denied(NULL);
}
END_TEST

START_TEST(a_backend_with_another_poem_is_denied)
{
    struct poem other;

    ck_assert_int_eq(poem_read(&other, other_text, strlen(other_text)), POEM_OK);
    backend_is_denied(&other);
}
END_TEST

/* A client recites poem (NULL: does not) on a route that demands it. The errno it gets, or 0. */
static int client_recites(const struct poem *poem)
{
    struct recital_client c;
    struct rig r;
    struct pair p;
    struct message m;
    bool challenged;
    int err = 0;

    launch_demanding(&r, "", "client");
    p.client_fd = peer_connect(r.listen);
    if (poem) {
        reciting_client(p.client_fd, &c, poem, false, LICENCE);
    } else {
        peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    }
    p.backend_fd = peer_accept(r.backend_fd);
    reciting_backend(p.backend_fd, NULL, LICENCE, &challenged);
    ck_assert(!challenged);
    peer_recv(p.client_fd, &m);
    if (m.hdr.flags & WIRE_ERROR) {
        err = (int)m.hdr.error;
        rig_await_log(&r, "the rule \"demand recital from client\" is not met", NULL, 0);
        pair_expect_end(&p);
    } else {
        pair_ping(&p);
        pair_close(&p);
    }
    message_deinit(&m);
    rig_terminate(&r);
    rig_deinit(&r);
    return err;
}

START_TEST(a_client_that_recites_is_served)
{
    ck_assert_int_eq(client_recites(&poem_builtin), 0);
}
END_TEST

START_TEST(a_silent_client_is_denied)
{
    ck_assert_int_eq(client_recites(NULL), EACCES);
}
END_TEST

START_TEST(a_client_with_another_poem_is_denied)
{
    struct poem other;

    ck_assert_int_eq(poem_read(&other, other_text, strlen(other_text)), POEM_OK);
    ck_assert_int_eq(client_recites(&other), EACCES);
}
END_TEST

/* ---- another poem, and circles ---- */

START_TEST(another_poem_is_recited_where_it_is_configured)
{
    struct recital_client c;
    struct recital_reply told;
    struct poem other;
    struct rig r;
    struct pair p;
    bool challenged;
    char statement[256];
    FILE *f;

    ck_assert_int_eq(poem_read(&other, other_text, strlen(other_text)), POEM_OK);
    rig_init(&r);
    f = fopen(unit_path("poem.txt"), "w");
    ck_assert_ptr_nonnull(f);
    fputs(other_text, f);
    fclose(f);
    snprintf(statement, sizeof statement, "poem %s", unit_path("poem.txt"));
    rig_configure(&r, "workers 1\n%s\nroute r {\nlisten %s\nbackend %s\n}\n", statement, r.listen,
                  r.backend);
    rig_launch(&r);
    for (int i = 0; i < 2; i++) {
        p.client_fd = peer_connect(r.listen);
        reciting_client(p.client_fd, &c, i == 0 ? &other : &poem_builtin, true, NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        reciting_backend(p.backend_fd, NULL, LICENCE, &challenged);
        ck_assert_int_eq(reciting_judge(p.client_fd, &c, &told),
                         i == 0 ? RECITAL_OK : RECITAL_OTHER_POEM);
        pair_close(&p);
        rig_await_log(&r, " ended: ", NULL, 0);
    }
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* Starts a broker with a route "outer" in front of r, whose backend is as told. */
static void launch_two_routes(struct rig *r, const char *outer, const char *backend)
{
    rig_configure(r,
                  "workers 1\nroute r {\nlisten %s\nbackend %s\nsessions 4\n}\n"
                  "route outer {\nlisten %s\nbackend %s\nsessions 4\n}\n",
                  r->listen, backend, outer, r->listen);
    rig_launch(r);
}

/* Two routes of one broker in a row are two hops, not a circle. */
START_TEST(two_routes_in_a_row)
{
    struct recital_client c;
    struct recital_reply told;
    char outer[RIG_PATH + 8];
    struct rig r;
    struct pair p;
    bool challenged;

    rig_init(&r);
    snprintf(outer, sizeof outer, "%s.outer", r.listen);
    launch_two_routes(&r, outer, r.backend);
    p.client_fd = peer_connect(outer);
    reciting_client(p.client_fd, &c, &poem_builtin, true, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    reciting_backend(p.backend_fd, NULL, LICENCE, &challenged);
    ck_assert_int_eq(reciting_judge(p.client_fd, &c, &told), RECITAL_OK);
    ck_assert_uint_eq(told.via.n, 2);
    ck_assert(told.via.hops[0].recited);
    ck_assert(!told.via.hops[1].recited);
    pair_ping(&p);
    pair_close(&p);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* Each route's backend is the other: the request comes back to who sent it. */
START_TEST(a_circle_is_refused)
{
    struct recital_client c;
    char outer[RIG_PATH + 8];
    struct rig r;
    int fd;

    rig_init(&r);
    snprintf(outer, sizeof outer, "%s.outer", r.listen);
    launch_two_routes(&r, outer, outer);
    fd = peer_connect(outer);
    reciting_client(fd, &c, &poem_builtin, true, NULL);
    ck_assert_int_eq(peer_recv_error(fd, ID, WIRE_VERSION), ELOOP);
    peer_expect_eof(fd);
    close(fd);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon: recital");
    TCase *tells = rig_case(suite, "recites");
    TCase *demands = rig_case(suite, "demands");
    TCase *whole = rig_case(suite, "the whole poem");

    tcase_set_tags(whole, RIG_VALGRIND);
    tcase_add_test(whole, who_asks_gets_the_whole_poem_and_who_is_behind);
    tcase_add_test(whole, a_backend_that_recites_is_served);
    tcase_add_test(tells, a_stock_qemu_hears_the_refrain);
    tcase_add_test(tells, without_room_it_is_left_out_and_logged);
    tcase_add_test(tells, without_room_always_refuses);
    tcase_add_test(tells, a_silent_backend_is_named_as_such);
    tcase_add_test(tells, who_never_recites_still_says_who_is_behind);
    tcase_add_test(tells, another_poem_is_recited_where_it_is_configured);
    tcase_add_test(tells, two_routes_in_a_row);
    tcase_add_test(tells, a_circle_is_refused);
    if (rig_wrapped()) {
        puts("skipped: test_recital, contradictions: valgrind has no pidfd_open, which an "
             "inspector needs");
    } else {
        tcase_add_loop_test(demands, a_backend_that_contradicts_itself_is_denied, 0, 2);
    }
    tcase_add_test(demands, a_silent_backend_is_denied);
    tcase_add_test(demands, a_backend_with_another_poem_is_denied);
    tcase_add_test(demands, a_client_that_recites_is_served);
    tcase_add_test(demands, a_silent_client_is_denied);
    tcase_add_test(demands, a_client_with_another_poem_is_denied);
    return unit_run(suite);
}
