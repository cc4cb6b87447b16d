/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rules of trace lint about headers, VERSION, sizes and the telling: what breaks one is found,
 * and its near misses are not.
 */
#include <errno.h>
#include <string.h>

#include "tests/unit/trace/lint_rig.h"

/* ---- headers ---- */

START_TEST(replies_to_posted_requests)
{
    feed(said(SIDE_CLIENT, WIRE_NO_REPLY, 7, 13, NULL, 0));
    EXPECT("reset-unsupported(client)");
    feed(answer(7, WIRE_DEVICE_RESET, NULL, 0));
    EXPECT("reply-to-no-reply(backend)");
    /* Once: another one is to nothing at all. */
    feed(answer(7, WIRE_DEVICE_RESET, NULL, 0));
    EXPECT("unasked-reply(backend)");
    feed(answer(8, WIRE_DEVICE_RESET, NULL, 0));
    EXPECT("unasked-reply(backend)");
}
END_TEST

START_TEST(errors)
{
    const struct wire_region_access a = {0, 0, 4};
    struct said *s;

    feed(ask(2, WIRE_REGION_READ, &a, sizeof a));
    feed(refuse(2, WIRE_REGION_READ, EINVAL));
    feed(ask(2, WIRE_REGION_READ, &a, sizeof a));
    feed(refuse(2, WIRE_REGION_READ, 0));
    EXPECT("");
    feed(ask(3, WIRE_REGION_READ, &a, sizeof a));
    s = said(SIDE_BACKEND, WIRE_ERROR, 3, WIRE_REGION_READ, NULL, 0);
    said_hdr(s, WIRE_HDR_SIZE, EINVAL);
    feed(s);
    EXPECT("error-without-reply(backend)");
    feed(ask(4, WIRE_REGION_READ, &a, sizeof a));
    s = said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, 4, WIRE_REGION_READ, &a, sizeof a);
    feed(s);
    EXPECT("error-payload(backend)");
    s = said(SIDE_CLIENT, WIRE_ERROR, 5, WIRE_REGION_READ, &a, sizeof a);
    feed(s);
    EXPECT("error-in-command(client)");
    s = ask(6, WIRE_REGION_READ, &a, sizeof a);
    said_hdr(s, WIRE_HDR_SIZE + sizeof a, 5);
    feed(s);
    EXPECT("error-field(client)");
}
END_TEST

START_TEST(headers)
{
    const struct wire_region_access a = {0, 0, 4};
    struct said *s;

    feed(said(SIDE_CLIENT, 2, 2, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("unknown-type(client)");
    feed(said(SIDE_CLIENT, 0x40, 2, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("reserved-flags(client)");
    s = answer(2, WIRE_REGION_READ, "0123456789abcdef0123", 20);
    memcpy(s->bytes + WIRE_HDR_SIZE, &a, sizeof a);
    s->bytes[8] |= WIRE_NO_REPLY;
    feed(s);
    EXPECT("no-reply-in-reply(backend)");
    s = ask(3, WIRE_REGION_READ, &a, sizeof a);
    said_hdr(s, 33, 0);
    feed(s);
    EXPECT("header-size(client)");
    feed(answer(3, WIRE_REGION_WRITE, &a, sizeof a));
    EXPECT("reply-command(backend)");
    feed(ask(4, 99, NULL, 0));
    EXPECT("unknown-command(client)");
    feed(refuse(4, 99, ENOTSUP));
    EXPECT("");
    feed(ask(5, WIRE_DMA_READ, &a, sizeof a));
    EXPECT("wrong-direction(client) data-over-max(client) dma-outside(client)");
    feed(device_asks(5, WIRE_REGION_READ, &a, sizeof a));
    EXPECT("wrong-direction(backend)");
    /* What the broker made is nobody's fault. */
    s = said(SIDE_BACKEND, 0x40 | WIRE_TYPE_REPLY, 77, 99, NULL, 0);
    s->m.flags = TRACE_BROKER;
    feed(s);
    EXPECT("");
}
END_TEST

START_TEST(never_answered)
{
    const struct wire_region_access a = {0, 0, 4};
    struct said *s;

    feed(ask(2, WIRE_REGION_WRITE, "\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0abcd", 20));
    feed(ask(3, WIRE_REGION_WRITE, "\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0abcd", 20));
    feed(answer(3, WIRE_REGION_WRITE, &a, sizeof a));
    feed(ask(4, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
    s = ask(5, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    s->m.flags = TRACE_UNDELIVERED;
    feed(s);
    EXPECT("");
    close_session("{\"ended\":\"client closed\"}");
    EXPECT("unanswered(backend) unanswered-at-end(backend)");
}
END_TEST

START_TEST(never_answered_where_the_capture_ended)
{
    feed(ask(4, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
    close_session("{\"stopped\":\"asked\"}");
    EXPECT("");
}
END_TEST

/* A request at 1 s, and the session's end so many ms later. */
static void ask_and_wait(const char *ending, unsigned ms)
{
    struct said *const s = ask(4, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);

    s->m.read_ns = 1000000000;
    feed(s);
    said_session[0].ended_ns = 1000000000 + (uint64_t)ms * 1000000;
    close_session(ending);
}

START_TEST(silence)
{
    static const struct {
        const char *ending;
        unsigned ms;
        const char *found;
    } ends[] = {
        {"{\"ended\":\"client-closed\"}", 999, "unanswered-at-end(backend)"},
        {"{\"ended\":\"client-closed\"}", 1000, "no-answer(backend)"},
        {"{\"ended\":\"client-died\"}", 5000, "no-answer(backend)"},
        {"{\"ended\":\"backend-closed\"}", 1, "no-answer(backend)"},
        {"{\"ended\":\"backend-died\"}", 1, "no-answer(backend)"},
        {"{\"ended\":\"shutdown\"}", 1, "unanswered-at-end(backend)"},
        {"{\"stopped\":\"asked\"}", 5000, ""},
    };

    ask_and_wait(ends[_i].ending, ends[_i].ms);
    EXPECT(ends[_i].found);
}
END_TEST

/* A client that ends owes no answer; one that lives on and is silent does. */
START_TEST(silence_of_a_client)
{
    const struct wire_dma_access a = {0, 4};
    struct said *const s = device_asks(4, WIRE_DMA_READ, &a, sizeof a);

    feed(s);
    EXPECT("dma-outside(backend)");
    said_session[0].ended_ns = s->m.read_ns + (_i ? 2000 : 500) * UINT64_C(1000000);
    close_session("{\"ended\":\"client-closed\"}");
    EXPECT(_i ? "no-answer(client)" : "unanswered-at-end(client)");
}
END_TEST

START_TEST(answered_by_the_broker_in_the_stead)
{
    const struct wire_region_access a = {0, 0, 4};
    struct said *s;

    feed(ask(2, WIRE_REGION_READ, &a, sizeof a));
    s = refuse(2, WIRE_REGION_READ, ETIMEDOUT);
    s->m.flags = TRACE_BROKER;
    s->m.legs = TRACE_LEG_CLIENT;
    feed(s);
    EXPECT("no-answer(backend)");
    close_session("{\"ended\":\"client-closed\"}");
    EXPECT("");
}
END_TEST

/* The first bytes of a reply, or less than its header, and then none for so many ms. */
static void begin_reply(size_t kept, unsigned ms, const char *ending)
{
    const struct wire_region_access a = {0, 0, 4};
    struct said *s;

    feed(ask(2, WIRE_REGION_READ, &a, sizeof a));
    s = answer(2, WIRE_REGION_READ, "0123456789abcdef0123", 20);
    s->m.flags = TRACE_UNDELIVERED;
    s->m.missing = s->m.size - (uint32_t)kept;
    s->m.kept = (uint32_t)kept;
    s->m.passed_ns = (uint64_t)ms * 1000000;
    feed(s);
    EXPECT("");
    close_session(ending);
}

START_TEST(incomplete_messages)
{
    begin_reply(35, 1500, "{\"ended\":\"client-closed\"}");
    EXPECT("incomplete(backend)");
    open_session("", "");
    greet("{}", "{}");
    begin_reply(35, 10, "{\"ended\":\"truncated-message\"}");
    EXPECT("incomplete(backend)");
    open_session("", "");
    greet("{}", "{}");
    begin_reply(35, 10, "{\"ended\":\"client-closed\"}");
    EXPECT("");
}
END_TEST

/* It belongs to no request: both are found. */
START_TEST(incomplete_header)
{
    begin_reply(9, 1500, "{\"ended\":\"backend-closed\"}");
    EXPECT("incomplete(backend) no-answer(backend)");
}
END_TEST

/* ---- VERSION ---- */

START_TEST(version_exchanges)
{
    open_session("", "");
    feed(ask(1, WIRE_DEVICE_GET_INFO, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
    EXPECT("before-version(client)");
    greet("{}", "{}");
    EXPECT("");
    on_leg(version_text(ask, 1, "{}"), TRACE_LEG_CLIENT, false);
    EXPECT("version-again(client)");
    close_session("");

    open_session("", "");
    greet("{\"capabilities\":{\"max_msg_fds\":2}}", "{\"capabilities\":{\"max_msg_fds\":9}}");
    EXPECT("");
    feed(device_asks(1, WIRE_VERSION, "\0\0\0\0", 4));
    EXPECT("wrong-direction(backend)");
    close_session("");

    open_session("", "");
    on_leg(version_text(ask, 1, "{"), TRACE_LEG_CLIENT, false);
    EXPECT("version-data(client)");
    on_leg(version_text(ask, 1, NULL), TRACE_LEG_BACKEND, true);
    on_leg(version_text(answer, 2, NULL), TRACE_LEG_BACKEND, false);
    EXPECT("version-number(backend)");
    close_session("");

    open_session("", "");
    on_leg(ask(0, WIRE_VERSION, "\0\0", 2), TRACE_LEG_CLIENT, false);
    EXPECT("payload-short(client)");
    close_session("");

    open_session("", "");
    on_leg(version_text(ask, 1, NULL), TRACE_LEG_CLIENT, false);
    on_leg(refuse(0, WIRE_VERSION, EACCES), TRACE_LEG_CLIENT, true);
    EXPECT("");
}
END_TEST

START_TEST(fds_of_version)
{
    struct said *s;

    open_session("", "");
    s = version_text(ask, 0, NULL);
    said_fds(s, 1, TRACE_FD_SOCKET);
    on_leg(s, TRACE_LEG_CLIENT, false);
    EXPECT("fds-where-none(client)");
    on_leg(version_text(ask, 0, "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}"),
           TRACE_LEG_BACKEND, true);
    s = version_text(answer, 0,
                     "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}");
    said_fds(s, 1, TRACE_FD_SOCKET);
    on_leg(s, TRACE_LEG_BACKEND, false);
    EXPECT("");
    close_session("");

    open_session("", "");
    on_leg(version_text(ask, 0, "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}"),
           TRACE_LEG_BACKEND, true);
    s = version_text(answer, 0,
                     "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":1}}}");
    said_fds(s, 1, TRACE_FD_SOCKET);
    on_leg(s, TRACE_LEG_BACKEND, false);
    EXPECT("fd-index(backend)");
}
END_TEST

/* A capture that does not have everything is not found fault with for what it does not have. */
START_TEST(captures_with_gaps)
{
    const struct wire_dma_access a = {0x5000, 16};
    const struct wire_dma_unmap u = {24, 0, 0x1000, 0x1000};
    static const char *const comments[][2] = {{"{\"late\":true}", ""},
                                              {"", "{\"filter\":\"errors\"}"}};
    struct said *s;

    for (unsigned i = 0; i < 2; i++) {
        open_session(comments[i][0], comments[i][1]);
        feed(device_asks(3, WIRE_DMA_READ, &a, sizeof a));
        feed(ask(1, WIRE_DMA_UNMAP, &u, sizeof u));
        feed(answer(99, WIRE_DMA_UNMAP, &u, sizeof u));
        close_session("{\"ended\":\"client closed\"}");
        EXPECT("");
    }
    open_session("", "");
    greet("{}", "{}");
    s = device_asks(3, WIRE_DMA_READ, &a, sizeof a);
    s->m.lost = 1;
    feed(s);
    feed(answer(99, WIRE_DMA_UNMAP, &u, sizeof u));
    EXPECT("");
    close_session("{\"ended\":\"client closed\"}");
    EXPECT("");
    /* A number is missing. */
    open_session("", "");
    greet("{}", "{}");
    (void)answer(98, WIRE_DMA_UNMAP, &u, sizeof u);
    feed(answer(99, WIRE_DMA_UNMAP, &u, sizeof u));
    EXPECT("");
}
END_TEST

/* ---- sizes ---- */

START_TEST(payloads)
{
    const struct wire_region_access a = {0, 0, 4};
    uint8_t bytes[64] = {0};
    struct said *s;

    feed(ask(2, WIRE_REGION_READ, bytes, 15));
    EXPECT("payload-short(client)");
    feed(ask(2, WIRE_REGION_READ, bytes, 17));
    EXPECT("payload-long(client)");
    memcpy(bytes, &a, sizeof a);
    feed(ask(2, WIRE_REGION_WRITE, bytes, 19));
    EXPECT("count(client)");
    feed(ask(2, WIRE_REGION_WRITE, bytes, 20));
    EXPECT("");
    feed(ask(2, WIRE_DEVICE_SET_IRQS, bytes, 20));
    EXPECT("flags(client)");
    /* Of data that was not kept, the sizes are enough. */
    s = ask(3, WIRE_REGION_WRITE, bytes, 20);
    s->m.kept = 32;
    feed(s);
    s = ask(3, WIRE_REGION_WRITE, bytes, 21);
    s->m.kept = 32;
    feed(s);
    EXPECT("count(client)");
    /* Of a reply that was too large to be passed on, the header is. */
    feed(ask(4, WIRE_REGION_READ, &a, sizeof a));
    s = answer(4, WIRE_REGION_READ, NULL, 0);
    said_hdr(s, WIRE_HDR_SIZE + 20, 0);
    s->m.size = WIRE_HDR_SIZE + 20;
    feed(s);
    EXPECT("");
    feed(ask(4, WIRE_REGION_READ, &a, sizeof a));
    s = answer(4, WIRE_REGION_READ, NULL, 0);
    said_hdr(s, 1000000, 0);
    s->m.size = 1000000;
    feed(s);
    EXPECT("message-size(backend) count(backend)");
}
END_TEST

START_TEST(argsz)
{
    struct wire_device_info d = {.argsz = 15};
    struct wire_region_info i = {.argsz = 32};
    const struct {
        struct wire_region_info i;
        struct wire_cap cap;
        struct wire_cap_type type;
    } whole = {{48, WIRE_REGION_FLAG_CAPS, 0, 32, 4096, 0}, {WIRE_CAP_TYPE, 1, 0}, {1, 2}};

    feed(ask(2, WIRE_DEVICE_GET_INFO, &d, sizeof d));
    EXPECT("argsz-small(client)");
    d = (struct wire_device_info){sizeof d, 0, 3, 2};
    feed(answer(2, WIRE_DEVICE_GET_INFO, &d, sizeof d));
    EXPECT("reply-over-argsz(backend)");
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &whole, sizeof whole));
    EXPECT("reply-over-argsz(backend)");
    /* The size that is needed, and no more than there was room for. */
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &whole, sizeof whole.i));
    EXPECT("");
    i.argsz = sizeof whole;
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &whole, sizeof whole));
    EXPECT("");
    /* There was room for all of it. */
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &whole, sizeof whole.i));
    EXPECT("reply-argsz(backend)");
    i.argsz = 31;
    i.size = 4096;
    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    EXPECT("argsz-small(client) not-zero(client)");
    i.argsz = 20;
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    EXPECT("reply-over-argsz(backend) reply-argsz(backend)");
}
END_TEST

START_TEST(lists_that_lead_nowhere)
{
    const struct wire_region_info i = {.argsz = 48, .index = 2};
    const struct {
        struct wire_region_info i;
        struct wire_cap cap;
    } reply = {{40, WIRE_REGION_FLAG_CAPS, 2, 32, 4096, 0}, {WIRE_CAP_TYPE, 1, 32}};

    feed(ask(3, WIRE_DEVICE_GET_REGION_INFO, &i, sizeof i));
    feed(answer(3, WIRE_DEVICE_GET_REGION_INFO, &reply, sizeof reply));
    EXPECT("caps(backend)");
}
END_TEST

START_TEST(fields_that_must_be_zero)
{
    const struct wire_device_info d = {16, 0, 1, 0};
    const struct wire_irq_info irq = {16, 0, 0, 1};
    const struct wire_region_io_fds io = {16, 1, 0, 0};

    feed(ask(2, WIRE_DEVICE_GET_INFO, &d, sizeof d));
    feed(ask(2, WIRE_DEVICE_GET_IRQ_INFO, &irq, sizeof irq));
    feed(ask(2, WIRE_DEVICE_GET_REGION_IO_FDS, &io, sizeof io));
    EXPECT("not-zero(client) not-zero(client) not-zero(client)");
}
END_TEST

/* ---- telling ---- */

START_TEST(many_of_one_kind)
{
    for (unsigned i = 0; i < LINT_EACH_MAX + 5; i++) {
        feed(answer(50, WIRE_DEVICE_RESET, NULL, 0));
        if (i + 1 == LINT_EACH_MAX) {
            found[0] = '\0';
        }
    }
    EXPECT("");
    ck_assert_uint_eq(lint_count(lint, LINT_ERROR), LINT_EACH_MAX + 5);
    lint_forget(lint, &said_session[0]);
    EXPECT("unasked-reply+5");
    ck_assert_uint_eq(lint_count(lint, LINT_ERROR), LINT_EACH_MAX + 5);
    ck_assert_uint_eq(lint_count(lint, LINT_WARNING), 0);
}
END_TEST

START_TEST(names_are_different)
{
    for (unsigned i = 0; i < LINT_CODES; i++) {
        ck_assert_ptr_nonnull(lint_rule((enum lint_code)i)->name);
        for (unsigned k = 0; k < i; k++) {
            ck_assert_str_ne(lint_rule((enum lint_code)i)->name,
                             lint_rule((enum lint_code)k)->name);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace lint");
    TCase *tc = unit_case(s, "with a device");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, replies_to_posted_requests);
    tcase_add_test(tc, errors);
    tcase_add_test(tc, headers);
    tcase_add_test(tc, never_answered);
    tcase_add_loop_test(tc, silence, 0, 7);
    tcase_add_loop_test(tc, silence_of_a_client, 0, 2);
    tcase_add_test(tc, answered_by_the_broker_in_the_stead);
    tcase_add_test(tc, incomplete_messages);
    tcase_add_test(tc, incomplete_header);
    tcase_add_test(tc, never_answered_where_the_capture_ended);
    tcase_add_test(tc, payloads);
    tcase_add_test(tc, argsz);
    tcase_add_test(tc, lists_that_lead_nowhere);
    tcase_add_test(tc, fields_that_must_be_zero);
    tcase_add_test(tc, many_of_one_kind);
    tc = unit_case(s, "from the start");
    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_test(tc, version_exchanges);
    tcase_add_test(tc, fds_of_version);
    tcase_add_test(tc, captures_with_gaps);
    tcase_add_test(tc, names_are_different);
    return unit_run(s);
}
