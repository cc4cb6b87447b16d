/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu program and its clients: DMA by messages on either socket, commands both ways at once,
 * one client after another, wrong ones among them, the command line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/client.h"
#include "base/limits.h"
#include "base/sock.h"
#include "contrib/edu/regs.h"
#include "tests/support/fdcount.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/edu/edu_process.h"

#define BUS 0x100000u

static struct edu edu;
static struct client c;

/* ---- DMA by messages ---- */

/* The memory of a client that maps it without an fd. */
static struct memory {
    uint8_t bytes[0x4000];
    unsigned reads;
    unsigned writes;
    uint64_t largest; /* request seen */
    int refuse;       /* errno to answer with */
    bool done;        /* something has been answered */
} memory;

static ssize_t serve_dma(struct client *client, const struct wire_hdr *hdr, const void *p, size_t n,
                         void *out, size_t room, void *arg)
{
    struct wire_dma_access a;
    uint8_t *at;

    (void)client;
    (void)arg;
    memory.done = true;
    ck_assert(wire_get(p, n, &a, sizeof a));
    ck_assert_uint_ge(a.address, BUS);
    ck_assert_uint_le(a.address - BUS + a.count, sizeof memory.bytes);
    ck_assert_uint_le(sizeof a + a.count, room);
    memory.largest = a.count > memory.largest ? a.count : memory.largest;
    if (memory.refuse) {
        return -memory.refuse;
    }
    at = memory.bytes + (a.address - BUS);
    wire_put(out, &a, sizeof a);
    if (hdr->command == WIRE_DMA_READ) {
        memory.reads++;
        memcpy((uint8_t *)out + sizeof a, at, a.count);
        return (ssize_t)(sizeof a + a.count);
    }
    memory.writes++;
    memcpy(at, (const uint8_t *)p + sizeof a, a.count);
    return sizeof a;
}

/* Starts edu, connects and maps the memory. json NULL: what edu_connect offers. */
static void begin(const char *const options[], const char *json)
{
    memset(&memory, 0, sizeof memory);
    for (size_t i = 0; i < sizeof memory.bytes; i++) {
        memory.bytes[i] = (uint8_t)(i * 31 >> 4);
    }
    edu_start(&edu, "edu", options);
    if (json) {
        edu_dial(edu.path, &c);
        edu_ok(&c, client_version(&c, 0, 0, json));
    } else {
        edu_connect(&edu, &c);
    }
    c.handler = serve_dma;
    edu_ok(&c, client_dma_map(&c, BUS, sizeof memory.bytes, 0, 3, -1));
    edu_master(&c);
}

static void end(void)
{
    client_deinit(&c);
    edu_stop(&edu);
}

/* Asks the device until its transfer is over; its requests are answered meanwhile. */
static void finish_dma(void)
{
    while (edu_dma_running(&c)) {
    }
}

static void dma_round_trip(void)
{
    edu_dma(&c, BUS + 5, EDU_BUFFER, 4000, 1);
    finish_dma();
    edu_dma(&c, EDU_BUFFER, BUS + 0x2001, 4000, 3);
    finish_dma();
    ck_assert_mem_eq(memory.bytes + 5, memory.bytes + 0x2001, 4000);
}

START_TEST(dma_by_messages)
{
    begin(NULL, NULL);
    dma_round_trip();
    ck_assert_uint_eq(memory.reads, 1);
    ck_assert_uint_eq(memory.writes, 1);
    end();
}
END_TEST

/* No message carries more than the client said it takes. */
START_TEST(dma_in_pieces)
{
    begin(NULL, "{\"capabilities\":{\"max_data_xfer_size\":512}}");
    dma_round_trip();
    ck_assert_uint_eq(memory.largest, 512);
    ck_assert_uint_eq(memory.reads, 8);
    ck_assert_uint_eq(memory.writes, 8);
    end();
}
END_TEST

START_TEST(dma_on_the_twin_socket)
{
    const char *const options[] = {"--twin-socket", NULL};

    begin(options, NULL);
    ck_assert_int_ge(c.twin_fd, 0);
    dma_round_trip();
    ck_assert_uint_eq(memory.reads, 1);
    ck_assert_uint_eq(memory.writes, 1);
    end();
}
END_TEST

/* The reply to the write comes before the request that it causes, so that a client may wait. */
START_TEST(reply_before_request)
{
    begin(NULL, NULL);
    edu_dma(&c, BUS, EDU_BUFFER, 16, 1);
    ck_assert(!memory.done);
    edu_ok(&c, client_serve(&c, &memory.done));
    finish_dma();
    end();
}
END_TEST

/* A client that does not answer is served all the same, and may take its memory away. */
START_TEST(unanswered_request)
{
    struct wire_hdr hdr;
    struct message m;

    begin(NULL, NULL);
    edu_dma(&c, BUS, EDU_BUFFER, 16, 1);
    /* The request is left where it is; the next replies are read behind it. */
    peer_recv(c.fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_DMA_READ);
    hdr = m.hdr;
    message_deinit(&m);
    ck_assert(edu_dma_running(&c));
    edu_ok(&c, client_dma_unmap(&c, BUS, sizeof memory.bytes));
    ck_assert(!edu_dma_running(&c));
    /* A late reply to it is taken, and changes nothing. */
    hdr = wire_error_hdr(&hdr, EFAULT);
    peer_send(c.fd, hdr, NULL, 0, NULL);
    ck_assert_uint_eq(edu_get(&c, EDU_IDENT, 4), EDU_IDENT_VALUE);
    end();
}
END_TEST

START_TEST(refused_request)
{
    begin(NULL, NULL);
    memory.refuse = EFAULT;
    edu_dma(&c, BUS, EDU_BUFFER, 16, 5);
    finish_dma();
    ck_assert_uint_eq(edu_get(&c, EDU_IRQ_STATUS, 4), EDU_IRQ_DMA);
    end();
}
END_TEST

/*
 * Starts a transfer by single messages, so that nobody answers what it makes the device ask on
 * either socket. The request's id.
 */
static uint16_t start_unanswered(void)
{
    const struct {
        struct wire_region_access access;
        uint64_t value;
    } write = {{.offset = EDU_DMA_CMD, .count = 8}, EDU_DMA_START};
    struct message m;
    uint16_t id;

    edu_put(&c, EDU_DMA_SRC, BUS, 8);
    edu_put(&c, EDU_DMA_DST, EDU_BUFFER, 8);
    edu_put(&c, EDU_DMA_COUNT, 16, 8);
    peer_send(c.fd, (struct wire_hdr){.command = WIRE_REGION_WRITE}, &write, sizeof write, NULL);
    peer_recv(c.fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_REGION_WRITE);
    message_deinit(&m);
    peer_recv(c.twin_fd >= 0 ? c.twin_fd : c.fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_DMA_READ);
    id = m.hdr.id;
    message_deinit(&m);
    return id;
}

/* Whatever the client does wrong with a reply ends the session, not the device. */
START_TEST(wrong_reply)
{
    const char *const options[] = {"--twin-socket", NULL};
    struct wire_dma_access a = {.address = BUS, .count = 16};
    uint8_t p[sizeof a + 16] = {0};
    struct wire_hdr hdr = {.command = WIRE_DMA_READ, .flags = WIRE_TYPE_REPLY};
    size_t n = sizeof p;
    int fd;

    begin(_i == 4 ? options : NULL, NULL);
    hdr.id = start_unanswered();
    switch (_i) {
    case 0:
        hdr.id++; /* to nothing that was asked */
        break;
    case 1:
        a.address++;
        break;
    case 2:
        a.count = 15;
        n--;
        break;
    case 3:
        n--; /* count and bytes differ */
        break;
    default:
        break; /* on the wrong socket */
    }
    wire_put(p, &a, sizeof a);
    fd = c.fd;
    peer_send(fd, hdr, p, n, NULL);
    peer_expect_eof(fd);
    client_deinit(&c);
    edu_connect(&edu, &c);
    ck_assert(!edu_dma_running(&c));
    end();
}
END_TEST

START_TEST(command_on_the_twin_socket)
{
    const char *const options[] = {"--twin-socket", NULL};

    begin(options, NULL);
    peer_send(c.twin_fd, (struct wire_hdr){.command = WIRE_DEVICE_RESET}, NULL, 0, NULL);
    peer_expect_eof(c.fd);
    end();
}
END_TEST

/* ---- both directions at once ---- */

/* Large writes are taken while large replies wait to be read. */
START_TEST(large_both_ways)
{
    static uint8_t payload[sizeof(struct wire_region_access) + LIMIT_DATA_XFER_DEFAULT];
    const struct wire_region_access a = {.count = LIMIT_DATA_XFER_DEFAULT};
    struct message m;

    begin(NULL, NULL);
    wire_put(payload, &a, sizeof a);
    for (uint16_t i = 0; i < 3; i++) {
        peer_send(c.fd, (struct wire_hdr){.id = i, .command = WIRE_REGION_READ}, &a, sizeof a,
                  NULL);
        peer_send(c.fd, (struct wire_hdr){.id = i, .command = WIRE_REGION_WRITE}, payload,
                  sizeof payload, NULL);
        peer_recv(c.fd, &m);
        ck_assert_uint_eq(m.hdr.command, WIRE_REGION_READ);
        ck_assert_uint_eq(m.n, sizeof payload);
        message_deinit(&m);
        peer_recv(c.fd, &m);
        ck_assert_uint_eq(m.hdr.command, WIRE_REGION_WRITE);
        ck_assert_uint_eq(m.hdr.id, i);
        message_deinit(&m);
    }
    end();
}
END_TEST

/* Many commands in one write, cut anywhere, are answered in order. */
START_TEST(pipelined)
{
    uint8_t bytes[200 * (WIRE_HDR_SIZE + sizeof(struct wire_region_access))];
    const struct wire_region_access a = {.region = 0, .count = 4};
    const size_t each = WIRE_HDR_SIZE + sizeof a;
    struct message m;

    begin(NULL, NULL);
    for (uint16_t i = 0; i < 200; i++) {
        const struct wire_hdr hdr = {
            .id = i, .command = WIRE_REGION_READ, .size = WIRE_HDR_SIZE + sizeof a};

        wire_put_hdr(bytes + i * each, &hdr);
        wire_put(bytes + i * each + WIRE_HDR_SIZE, &a, sizeof a);
    }
    peer_send_raw(c.fd, bytes, 7, NULL);
    peer_send_raw(c.fd, bytes + 7, 14, NULL);
    peer_send_raw(c.fd, bytes + 21, sizeof bytes - 21, NULL);
    for (uint16_t i = 0; i < 200; i++) {
        peer_recv(c.fd, &m);
        ck_assert_uint_eq(m.hdr.id, i);
        message_deinit(&m);
    }
    end();
}
END_TEST

/* ---- one client after another ---- */

/* "Client Disconnection": the device's state stays, maps and eventfds go. */
START_TEST(succession)
{
    struct fdset fds;
    int before;

    begin(NULL, NULL);
    before = fdcount_of(edu.pid);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), 0);
    edu_ok(&c, client_set_irqs(&c, WIRE_PCI_MSI, 0, 1, &fds));
    edu_ok(&c, client_dma_map(&c, 0x1000000, 0x1000, 0, 3, fds.fds[0]));
    edu_ok(&c, client_dma_unmap(&c, 0x1000000, 0x1000));
    edu_put(&c, EDU_LIVENESS, 9, 4);
    client_deinit(&c);

    edu_connect(&edu, &c);
    ck_assert_int_eq(fdcount_of(edu.pid), before);
    ck_assert_uint_eq(edu_get(&c, EDU_LIVENESS, 4), ~9u);
    edu_put(&c, EDU_IRQ_RAISE, 1, 4);
    ck_assert_int_eq((int)read(fds.fds[0], &(uint64_t){0}, 8), -1);
    /* The ranges of the client before are no more: the same one can be mapped. */
    edu_ok(&c, client_dma_map(&c, BUS, sizeof memory.bytes, 0, 3, -1));
    fdset_close(&fds);
    end();
}
END_TEST

/* A client that goes away in the middle of a transfer leaves a device that can be used. */
START_TEST(gone_during_dma)
{
    begin(NULL, NULL);
    edu_dma(&c, BUS, EDU_BUFFER, 16, 5);
    client_deinit(&c);
    edu_connect(&edu, &c);
    ck_assert(!edu_dma_running(&c));
    ck_assert_uint_eq(edu_get(&c, EDU_IRQ_STATUS, 4), EDU_IRQ_DMA);
    end();
}
END_TEST

/* What is no vfio-user ends its own session; first each as the first message, then as a later one.
 */
static const struct {
    const char *what;
    struct wire_hdr hdr;
    size_t n; /* bytes of it that are sent */
} garbage[] = {
    {"too small", {.command = WIRE_DEVICE_GET_INFO, .size = 15}, 16},
    {"empty", {.command = WIRE_DEVICE_GET_INFO, .size = 0}, 16},
    {"too large", {.command = WIRE_REGION_WRITE, .size = UINT32_MAX}, 16},
    {"half a header", {.command = WIRE_VERSION, .size = 20}, 8},
    {"half a message", {.command = WIRE_VERSION, .size = 20}, 16},
    {"nothing", {.command = 0}, 0},
};

START_TEST(garbage_is_survived)
{
    const size_t i = (size_t)_i / 2;

    edu_start(&edu, "edu", NULL);
    if (_i % 2) {
        edu_connect(&edu, &c);
    } else {
        edu_dial(edu.path, &c);
    }
    if (garbage[i].n) {
        peer_send_raw(c.fd, &garbage[i].hdr, garbage[i].n, NULL);
    }
    ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
    peer_expect_eof(c.fd);
    client_deinit(&c);
    edu_connect(&edu, &c);
    end();
}
END_TEST

static const struct {
    uint16_t major;
    const char *json;
    int error;
} refusals[] = {
    {1, NULL, ENOTSUP},
    {0, "[]", EINVAL},
    {0, "{\"capabilities\":{\"max_msg_fds\":-1}}", EINVAL},
};

START_TEST(version_refused)
{
    edu_start(&edu, "edu", NULL);
    edu_dial(edu.path, &c);
    ck_assert_int_eq(client_version(&c, refusals[_i].major, 0, refusals[_i].json), CLIENT_REFUSED);
    ck_assert_int_eq(c.error, refusals[_i].error);
    peer_expect_eof(c.fd);
    end();
}
END_TEST

START_TEST(first_message_is_not_version)
{
    edu_start(&edu, "edu", NULL);
    edu_dial(edu.path, &c);
    ck_assert_int_eq(edu_errno(&c, WIRE_DEVICE_RESET, NULL, 0), EPROTO);
    peer_expect_eof(c.fd);
    end();
}
END_TEST

START_TEST(version_without_json)
{
    edu_start(&edu, "edu", NULL);
    edu_dial(edu.path, &c);
    edu_ok(&c, client_version(&c, 0, 2, NULL));
    ck_assert_ptr_null(c.json);
    ck_assert_uint_eq(c.version.minor, 0);
    ck_assert_uint_eq(edu_get(&c, EDU_IDENT, 4), EDU_IDENT_VALUE);
    end();
}
END_TEST

/* ---- the command line ---- */

static void check_and_close(void)
{
    edu_ok(&c, client_version(&c, 0, 0, NULL));
    ck_assert_uint_eq(edu_get(&c, EDU_IDENT, 4), EDU_IDENT_VALUE);
    client_deinit(&c);
}

START_TEST(connected_fd)
{
    int pair[2];
    pid_t pid;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    pid = edu_start_fd(pair[1], NULL);
    client_init_take(&c, pair[0], patience_ms());
    check_and_close();
    ck_assert_int_eq(edu_join(pid), 0);
}
END_TEST

START_TEST(listening_fd)
{
    const char *const once[] = {"--once", NULL};
    const char *path = unit_path("given");
    const pid_t pid = edu_start_fd(peer_listen(path, 1), once);

    edu_dial(path, &c);
    check_and_close();
    ck_assert_int_eq(edu_join(pid), 0);
    /* It is not edu's to remove. */
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(only_once)
{
    const char *const once[] = {"--once", NULL};

    edu_start(&edu, "edu", once);
    edu_dial(edu.path, &c);
    check_and_close();
    ck_assert_int_eq(edu_join(edu.pid), 0);
    ck_assert_int_ne(access(edu.path, F_OK), 0);
}
END_TEST

START_TEST(terminated_with_a_client)
{
    edu_start(&edu, "edu", NULL);
    edu_connect(&edu, &c);
    edu_stop(&edu);
    peer_expect_eof(c.fd);
    client_deinit(&c);
}
END_TEST

/* A socket that is listened on is not taken over; one that nobody listens on any more is. */
START_TEST(socket_in_use)
{
    const char *options[] = {"--socket-path", NULL, NULL};
    struct edu second;

    edu_start(&edu, "edu", NULL);
    options[1] = edu.path;
    ck_assert_int_eq(edu_run(options), 3);
    edu_connect(&edu, &c);
    client_deinit(&c);
    ck_assert_int_eq(kill(edu.pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(edu.pid, NULL, 0), edu.pid);
    ck_assert_int_eq(access(edu.path, F_OK), 0);
    edu_start(&second, "edu", NULL);
    edu_stop(&second);
}
END_TEST

START_TEST(mode_of_the_socket)
{
    const mode_t mask = umask(0007);
    struct stat st;

    edu_start(&edu, "edu", NULL);
    ck_assert_int_eq(stat(edu.path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0770);
    edu_stop(&edu);
    umask(mask);
}
END_TEST

START_TEST(options)
{
    static const char *const none[] = {"--max-msg-fds", "3",          "--max-data-xfer", "4096",
                                       "--no-mmap",     "--dma-mask", "0xffff",          NULL};
    struct wire_region_info info;
    const void *payload;
    uint8_t data[8192];
    size_t n;

    edu_start(&edu, "edu", none);
    edu_connect(&edu, &c);
    ck_assert_ptr_nonnull(strstr(c.json, "\"max_msg_fds\":3,\"max_data_xfer_size\":4096,"));
    edu_ok(&c, client_region_info(&c, 2, &info, &payload, &n, NULL));
    ck_assert_uint_eq(info.flags, 3);
    edu_ok(&c, client_region_read(&c, 0, 0, data, 4096));
    ck_assert_int_eq(client_region_read(&c, 0, 0, data, 4097), CLIENT_REFUSED);
    ck_assert_int_eq(c.error, EINVAL);
    end();
}
END_TEST

static const char *const usages[][5] = {
    {NULL},
    {"--socket-path", "/nowhere/x", "--fd", "3", NULL},
    {"--fd", "x", NULL},
    {"--fd", "-1", NULL},
    {"--nonsense", NULL},
    {"--socket-path", "/nowhere/x", "more", NULL},
    {"--socket-path", "/nowhere/x", "--fault", "sudden:1", NULL},
    {"--socket-path", "/nowhere/x", "--max-msg-fds", "254", NULL},
    {"--socket-path", "/nowhere/x", "--max-data-xfer", "0", NULL},
    {"--socket-path", "/nowhere/x", "--max-dma-maps", "65536", NULL},
    {"--socket-path", "/nowhere/x", "--dma-mask", "0x10000000000000000", NULL},
    {"--socket-path", "/nowhere/x", "--log-level", "loud", NULL},
};

START_TEST(usage)
{
    ck_assert_int_eq(edu_run(usages[_i]), 2);
}
END_TEST

START_TEST(answers)
{
    static const char *const help[] = {"--help", NULL};
    static const char *const version[] = {"--version", NULL};
    static const char *const nowhere[] = {"--socket-path", "/nowhere/x", NULL};

    ck_assert_int_eq(edu_run(help), 0);
    ck_assert_int_eq(edu_run(version), 0);
    ck_assert_int_eq(edu_run(nowhere), 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edu clients");
    TCase *tc = unit_case(s, "dma");

    tcase_add_test(tc, dma_by_messages);
    tcase_add_test(tc, dma_in_pieces);
    tcase_add_test(tc, dma_on_the_twin_socket);
    tcase_add_test(tc, reply_before_request);
    tcase_add_test(tc, unanswered_request);
    tcase_add_test(tc, refused_request);
    tcase_add_loop_test(tc, wrong_reply, 0, 5);
    tcase_add_test(tc, command_on_the_twin_socket);
    tc = unit_case(s, "both ways");
    tcase_add_test(tc, large_both_ways);
    tcase_add_test(tc, pipelined);
    tc = unit_case(s, "succession");
    tcase_add_test(tc, succession);
    tcase_add_test(tc, gone_during_dma);
    tcase_add_loop_test(tc, garbage_is_survived, 0, 2 * sizeof garbage / sizeof *garbage);
    tcase_add_loop_test(tc, version_refused, 0, sizeof refusals / sizeof *refusals);
    tcase_add_test(tc, first_message_is_not_version);
    tcase_add_test(tc, version_without_json);
    tc = unit_case(s, "command line");
    tcase_add_test(tc, connected_fd);
    tcase_add_test(tc, listening_fd);
    tcase_add_test(tc, only_once);
    tcase_add_test(tc, terminated_with_a_client);
    tcase_add_test(tc, socket_in_use);
    tcase_add_test(tc, mode_of_the_socket);
    tcase_add_test(tc, options);
    tcase_add_loop_test(tc, usage, 0, sizeof usages / sizeof *usages);
    tcase_add_test(tc, answers);
    return unit_run(s);
}
