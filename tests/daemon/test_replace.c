/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "poemctl replace" with real device processes: the client notices a pause, and nothing else. If
 * anything fails, it notices a pause, and the device that it had goes on.
 */
#define _GNU_SOURCE
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/wire/wire_command.h"
#include "contrib/edu/regs.h"
#include "tests/daemon/control_rig.h"
#include "tests/daemon/rig.h"
#include "tests/daemon/trace_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"
#include "tests/unit/edu/edu_process.h"

#define ADDRESS 0x10000u
#define PAGE 4096u

struct machine {
    struct rig rig;
    struct edu device;
    struct client client;
    int memory_fd;
    uint8_t *memory;
    int event_fd;
};

/* ---- a machine with a device, behind poemd ---- */

static void begin_with(struct machine *m, const char *route, const char *const options[])
{
    const struct wire_device_info info = {.argsz = sizeof info};
    struct edu through;
    struct fdset fds;

    edu_start(&m->device, "before", options);
    rig_init(&m->rig);
    rig_configure(&m->rig, "workers 1\ncontrol %s\nroute r {\nlisten %s\nbackend %s\n%s}\n",
                  control_path(), m->rig.listen, m->device.path, route);
    rig_launch(&m->rig);
    memset(&through, 0, sizeof through);
    memcpy(through.path, m->rig.listen, sizeof m->rig.listen);
    edu_connect(&through, &m->client);
    m->memory_fd = peer_memfd();
    ck_assert_int_eq(ftruncate(m->memory_fd, PAGE), 0);
    m->memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m->memory_fd, 0);
    ck_assert_ptr_ne(m->memory, MAP_FAILED);
    edu_ok(&m->client, client_dma_map(&m->client, ADDRESS, PAGE, 0,
                                      WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE, m->memory_fd));
    m->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, dup(m->event_fd)), 0);
    edu_ok(&m->client, client_set_irqs(&m->client, WIRE_PCI_INTX, 0, 1, &fds));
    fdset_close(&fds);
    ck_assert_int_eq(edu_errno(&m->client, WIRE_DEVICE_GET_INFO, &info, sizeof info), 0);
    edu_master(&m->client);
}

static void begin(struct machine *m)
{
    begin_with(m, "mappable strip\n", NULL);
}

static void leave(struct machine *m)
{
    munmap(m->memory, PAGE);
    close(m->memory_fd);
    close(m->event_fd);
    client_deinit(&m->client);
}

static void release(struct machine *m)
{
    leave(m);
    rig_terminate(&m->rig);
    rig_deinit(&m->rig);
}

static void end(struct machine *m, struct edu *device)
{
    leave(m);
    rig_await_log(&m->rig, " ended: reason=client-closed", NULL, 0);
    rig_terminate(&m->rig);
    rig_deinit(&m->rig);
    edu_stop(device);
}

/* A byte goes from memory to the device's buffer and back. */
static void transfer(struct machine *m, uint8_t byte)
{
    struct client *const c = &m->client;

    memset(m->memory, byte, 16);
    edu_dma(c, ADDRESS, EDU_BUFFER, 16, EDU_DMA_START);
    while (edu_dma_running(c)) {
    }
    memset(m->memory, 0, 16);
    edu_dma(c, EDU_BUFFER, ADDRESS, 16, EDU_DMA_START | EDU_DMA_TO_RAM);
    while (edu_dma_running(c)) {
    }
    ck_assert_uint_eq(m->memory[0], byte);
    ck_assert_uint_eq(m->memory[15], byte);
}

/* What the device has in a register, and nothing else knows. */
static void remember(struct machine *m, uint32_t value)
{
    edu_put(&m->client, EDU_LIVENESS, value, 4);
}

static void expect_remembered(struct machine *m, uint32_t value)
{
    ck_assert_uint_eq(edu_get(&m->client, EDU_LIVENESS, 4), ~value);
}

/* ---- asking for it ---- */

static int ask(const struct edu *other, uint32_t flags)
{
    struct control_request q = control_request_of(CONTROL_REPLACE);
    const int fd = control_connect();
    int device_fd = sock_connect(other->path, false);

    ck_assert_int_ge(device_fd, 0);
    q.number = 1;
    q.flags = flags;
    control_send(fd, &q, sizeof q, &device_fd, 1);
    sock_close(&device_fd);
    return fd;
}

/* The answer's "replacement", a new reference. */
static json_t *answer(int fd)
{
    bool last = false;
    json_t *const part = control_receive(fd, CONTROL_OK, &last);
    json_t *const r = json_incref(json_object_get(part, "replacement"));

    ck_assert(last);
    ck_assert(json_is_object(r));
    json_decref(part);
    close(fd);
    return r;
}

static void expect(json_t *r, const char *member, const char *text)
{
    const char *const value = json_string_value(json_object_get(r, member));

    ck_assert_msg(value && strcmp(value, text) == 0, "%s is %s, not %s (%s)", member,
                  value ? value : "missing", text, json_dumps(r, 0));
}

static void replace(const struct edu *other, uint32_t flags, const char *outcome)
{
    json_t *const r = answer(ask(other, flags));

    expect(r, "outcome", outcome);
    json_decref(r);
}

/* What is listed about replacing session 1: a new reference. */
static json_t *listed(void)
{
    const struct control_request q = control_request_of(CONTROL_SESSIONS);
    const int fd = control_connect();
    bool last = false;
    json_t *part;
    json_t *r;

    control_send(fd, &q, sizeof q, NULL, 0);
    part = control_receive(fd, CONTROL_OK, &last);
    r = json_incref(json_object_get(json_object_get(part, "session"), "replace"));
    json_decref(part);
    close(fd);
    return r;
}

/* An attempt shows whether the device supports migration. */
static void expect_listed(bool possible, json_type migration)
{
    json_t *const r = listed();

    ck_assert(json_is_object(r));
    ck_assert_int_eq(json_is_true(json_object_get(r, "possible")), possible);
    ck_assert_int_eq(json_typeof(json_object_get(r, "migration")), migration);
    json_decref(r);
}

/* ---- tests ---- */

START_TEST(another_process_goes_on_with_all_that_the_device_was)
{
    struct edu other;
    struct machine m;

    begin(&m);
    transfer(&m, 1);
    for (uint8_t i = 0; i < 4; i++) {
        edu_start(&other, i % 2 == 0 ? "after" : "before", NULL);
        remember(&m, i);
        replace(&other, 0, "replaced");
        expect_remembered(&m, i);
        transfer(&m, i);
        /* It has noticed the end of its only client. */
        edu_stop(&m.device);
        m.device = other;
    }
    end(&m, &m.device);
}
END_TEST

/* A trial changes nothing; a route's name stands for its sessions. */
START_TEST(poemctl_tries_then_replaces_the_devices_of_a_route)
{
    const char *replace_route[] = {POEMCTL_PATH, "replace",      "--dry-run", "--backend", NULL,
                                   "--control",  control_path(), "r",         NULL};
    struct edu other;
    struct machine m;

    begin(&m);
    remember(&m, 5);
    edu_start(&other, "after", NULL);
    replace_route[4] = other.path;
    expect_listed(true, JSON_NULL);
    ck_assert_int_eq(process_wait(process_start(replace_route, STDERR_FILENO, -1)), 0);
    rig_await_log(&m.rig, "device could be replaced", NULL, 0);
    expect_listed(true, JSON_TRUE);
    expect_remembered(&m, 5);
    replace_route[2] = "--json";
    ck_assert_int_eq(process_wait(process_start(replace_route, STDERR_FILENO, -1)), 0);
    rig_await_log(&m.rig, "device replaced by another process", NULL, 0);
    expect_remembered(&m, 5);
    transfer(&m, 5);
    edu_stop(&m.device);
    end(&m, &other);
}
END_TEST

/* The pid of the device that the command has started, which has written it. */
static pid_t started(const char *pid_file)
{
    FILE *const f = fopen(pid_file, "re");
    int pid = 0;

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
    fclose(f);
    return pid;
}

/* It ends with a trial, and goes on as a session's device. */
START_TEST(poemctl_starts_the_other_process)
{
    char pid_file[256];
    char command[1024];
    struct edu other;
    const char *replace_session[] = {POEMCTL_PATH,   "replace", "--dry-run", "--backend",
                                     other.path,     "--spawn", command,     "--control",
                                     control_path(), "1",       NULL};
    struct machine m;

    /* What poemctl leaves behind becomes this process's. */
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    begin(&m);
    remember(&m, 6);
    snprintf(other.path, sizeof other.path, "%s/after.sock", unit_folder());
    snprintf(pid_file, sizeof pid_file, "%s/pid", unit_folder());
    snprintf(command, sizeof command, "echo $$ >%s; exec %s --socket-path %s", pid_file,
             EDU_PROGRAM, other.path);
    ck_assert_int_eq(process_wait(process_start(replace_session, STDERR_FILENO, -1)), 0);
    ck_assert_int_eq(kill(started(pid_file), 0), -1);
    replace_session[2] = "--json";
    ck_assert_int_eq(process_wait(process_start(replace_session, STDERR_FILENO, -1)), 0);
    other.pid = started(pid_file);
    expect_remembered(&m, 6);
    /* A process listens there now, and may be the session's. */
    ck_assert_int_eq(WEXITSTATUS(process_wait(process_start(replace_session, STDERR_FILENO, -1))),
                     3);
    edu_stop(&m.device);
    transfer(&m, 6);
    end(&m, &other);
}
END_TEST

/* The client would go on to use the memory of the old process. */
START_TEST(a_device_that_shares_memory_is_not_replaced)
{
    struct control_request q = control_request_of(CONTROL_REPLACE);
    bool last = false;
    struct machine m;
    int device_fd;
    int fd;

    begin_with(&m, "", NULL);
    q.number = 1;
    fd = control_connect();
    device_fd = sock_connect(m.device.path, false);
    control_send(fd, &q, sizeof q, &device_fd, 1);
    json_decref(control_receive(fd, CONTROL_NO, &last));
    sock_close(&device_fd);
    close(fd);
    transfer(&m, 1);
    end(&m, &m.device);
}
END_TEST

/* Messages of the broker's own that a trace has, by command, and their replies. */
struct own {
    unsigned requests[WIRE_COMMAND_CODES];
    unsigned replies[WIRE_COMMAND_CODES];
};

static void count_own(const struct trace_item *item, void *arg)
{
    const struct trace_message *const t = &item->message;
    struct own *const own = arg;
    struct wire_hdr hdr;

    if (t->legs != TRACE_LEG_BACKEND || t->kept < WIRE_HDR_SIZE ||
        wire_get_hdr(t->data, WIRE_HDR_SIZE, UINT32_MAX, &hdr) != WIRE_FRAME_OK ||
        hdr.command >= WIRE_COMMAND_CODES) {
        return;
    }
    if (wire_is_reply(&hdr)) {
        own->replies[hdr.command]++;
    } else if (t->flags & TRACE_BROKER) {
        own->requests[hdr.command]++;
    }
}

START_TEST(a_trace_has_every_message_of_a_replacement)
{
    static const uint16_t commands[] = {WIRE_DMA_MAP, WIRE_DEVICE_SET_IRQS, WIRE_DEVICE_FEATURE,
                                        WIRE_MIG_DATA_READ, WIRE_MIG_DATA_WRITE};
    struct own own = {.requests = {0}};
    char route[512];
    struct edu other;
    struct machine m;

    snprintf(route, sizeof route, "mappable strip\ntrace %s\n", trace_rig_file(0));
    begin_with(&m, route, NULL);
    edu_start(&other, "after", NULL);
    replace(&other, 0, "replaced");
    edu_stop(&m.device);
    end(&m, &other);
    ck_assert_int_eq(trace_rig_read(trace_rig_file(0), count_own, &own).outcome, TRACE_END);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        ck_assert_uint_gt(own.requests[commands[i]], 0);
        ck_assert_uint_eq(own.requests[commands[i]], own.replies[commands[i]]);
    }
    /* Two questions; STOP and STOP_COPY; STOP, RESUMING, STOP and RUNNING. */
    ck_assert_uint_eq(own.requests[WIRE_DEVICE_FEATURE], 8);
    unlink(trace_rig_file(0));
}
END_TEST

/* How many lines of its log have this text. */
static unsigned logged(const struct edu *e, const char *text)
{
    char line[512];
    FILE *const f = fopen(e->log, "re");
    unsigned n = 0;

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        n += strstr(line, text) != NULL;
    }
    fclose(f);
    return n;
}

/*
 * The next monitor has the process and the socket of the device that was replaced meanwhile, and
 * nothing of the one that serves: the session ends.
 */
START_TEST(a_monitor_misses_the_end_of_a_replacement)
{
    static const char *const options[] = {"--log-level", "debug", NULL};
    const struct patience patience = patience_begin();
    struct edu other;
    struct machine m;
    int fd;

    begin(&m);
    remember(&m, 8);
    edu_start(&other, "after", options);
    /* It waits for the old process from here on, for up to 4 s. */
    ck_assert_int_eq(kill(m.device.pid, SIGSTOP), 0);
    fd = ask(&other, 0);
    while (logged(&other, "DEVICE_FEATURE") == 0) {
        ck_assert_msg(patience_again(&patience), "the new process is not asked");
    }
    ck_assert_int_eq(kill(rig_monitor(&m.rig), SIGSTOP), 0);
    ck_assert_int_eq(kill(m.device.pid, SIGCONT), 0);
    expect_remembered(&m, 8);
    ck_assert_int_eq(kill(rig_monitor(&m.rig), SIGKILL), 0);
    /* Unless the 4 s were over: then it has been asked, and no more. */
    if (logged(&other, "DEVICE_FEATURE") > 1) {
        rig_await_log(&m.rig, "ended: reason=monitor-gone", NULL, 0);
    }
    close(fd);
    release(&m);
    edu_stop(&m.device);
    edu_stop(&other);
}
END_TEST

/* What goes wrong: a fault of either process, what comes of that, and the step. */
static const struct {
    const char *old;
    const char *new;
    const char *outcome;
    const char *failed;
} faults[] = {
    {NULL, "error:VERSION", "refused", "greet"},
    {NULL, "exit:VERSION", "refused", "greet"},
    {NULL, "error:2", "refused", "ask-new"},
    {NULL, "exit:2", "refused", "ask-new"},
    {NULL, "missing:2", "refused", "ask-new"},
    {NULL, "error:DMA_MAP", "refused", "set-up"},
    {NULL, "exit:DMA_MAP", "refused", "set-up"},
    {NULL, "error:DEVICE_GET_INFO", "refused", "set-up"},
    {NULL, "exit:DEVICE_SET_IRQS", "refused", "set-up"},
    {"error:DEVICE_FEATURE", NULL, "refused", "ask-old"},
    {"error:STOP_COPY", NULL, "rolled-back", "stop-old"},
    {"oversized:STOP_COPY:200000", NULL, "lost", "stop-old"},
    {NULL, "error:STOP", "rolled-back", "resume-new"},
    {NULL, "exit:STOP", "rolled-back", "resume-new"},
    {NULL, "error:RESUMING", "rolled-back", "resume-new"},
    {NULL, "exit:RESUMING", "rolled-back", "resume-new"},
    {NULL, "missing:RESUMING", "rolled-back", "resume-new"},
    {"error:MIG_DATA_READ", NULL, "rolled-back", "copy"},
    {"oversized:MIG_DATA_READ:70000", NULL, "lost", "copy"},
    {NULL, "error:MIG_DATA_WRITE", "rolled-back", "copy"},
    {NULL, "exit:MIG_DATA_WRITE", "rolled-back", "copy"},
    {NULL, "error:RUNNING", "rolled-back", "run"},
    {NULL, "exit:RUNNING", "lost", "run"},
    {NULL, "missing:RUNNING", "lost", "run"},
    {"exit:DEVICE_FEATURE", NULL, "lost", "ask-old"},
    {"exit:STOP", NULL, "lost", "stop-old"},
    {"exit:STOP_COPY", NULL, "lost", "stop-old"},
    {"exit:MIG_DATA_READ", NULL, "lost", "copy"},
    {"missing:STOP", NULL, "lost", "stop-old"},
    {"error:RUNNING", "error:RUNNING", "lost", "run"},
};

/* If the old process is lost, its session is held, and goes on with the next one. */
START_TEST(a_fault_costs_no_more_than_a_pause)
{
    const bool lost = strcmp(faults[_i].outcome, "lost") == 0;
    const char *const old[] = {"--fault", faults[_i].old, NULL};
    const char *const new[] = {"--fault", faults[_i].new, NULL};
    struct edu other;
    struct machine m;
    /* The limit of time is three quarters of it, or 4 s. */
    const bool silent = (faults[_i].old && strncmp(faults[_i].old, "missing", 7) == 0) ||
                        (faults[_i].new &&strncmp(faults[_i].new, "missing", 7) == 0);
    json_t *r;

    begin_with(&m,
               silent ? "on backend loss hold 60s\nanswer-after 1s\n"
                      : "on backend loss hold 60s\nanswer-after never\n",
               faults[_i].old ? old : NULL);
    remember(&m, 7);
    edu_start(&other, "after", faults[_i].new ? new : NULL);
    r = answer(ask(&other, 0));
    expect(r, "outcome", faults[_i].outcome);
    expect(r, "failed", faults[_i].failed);
    json_decref(r);
    if (!lost) {
        const bool can = strcmp(faults[_i].failed, "ask-old") != 0;
        const bool asked =
            strcmp(faults[_i].failed, "greet") != 0 && strcmp(faults[_i].failed, "ask-new") != 0;

        expect_listed(can, !can ? JSON_FALSE : asked ? JSON_TRUE : JSON_NULL);
    }
    if (lost) {
        ck_assert_int_eq(kill(m.device.pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(m.device.pid, NULL, 0), m.device.pid);
        edu_start(&m.device, "before", NULL);
        rig_await_log(&m.rig, "goes on with another process of its device", NULL, 0);
    } else {
        expect_remembered(&m, 7);
    }
    transfer(&m, 3);
    ck_assert_int_eq(kill(other.pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(other.pid, NULL, 0), other.pid);
    end(&m, &m.device);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("replace");
    TCase *const c = rig_case(s, "real devices");

    tcase_add_test(c, another_process_goes_on_with_all_that_the_device_was);
    tcase_add_test(c, poemctl_tries_then_replaces_the_devices_of_a_route);
    tcase_add_test(c, poemctl_starts_the_other_process);
    tcase_add_test(c, a_monitor_misses_the_end_of_a_replacement);
    tcase_add_test(c, a_trace_has_every_message_of_a_replacement);
    tcase_add_test(c, a_device_that_shares_memory_is_not_replaced);
    tcase_add_loop_test(c, a_fault_costs_no_more_than_a_pause, 0, sizeof faults / sizeof *faults);
    return unit_run(s);
}
