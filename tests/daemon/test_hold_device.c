/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "on backend loss hold" with a real device process, which is killed and started again under a
 * client that knows nothing of it: its DMA and interrupts work right afterwards, and nothing that
 * it reads is wrong.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contrib/edu/regs.h"
#include "tests/daemon/rig.h"
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
    char control[RIG_PATH];
    int memory_fd;
    uint8_t *memory;
    int event_fd;
};

static void kill_device(struct machine *m)
{
    ck_assert_int_eq(kill(m->device.pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(m->device.pid, NULL, 0), m->device.pid);
}

/* Connects, and sets up memory and an interrupt, as a driver does. */
static void drive(struct machine *m)
{
    struct edu through;
    struct fdset fds;

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
    edu_master(&m->client);
}

#define HOLD "on backend loss hold 60s\nanswer-after never\n"

static void begin(struct machine *m)
{
    edu_start(&m->device, "edu", NULL);
    rig_init(&m->rig);
    rig_configure(&m->rig, "workers 1\nroute r {\nlisten %s\nbackend %s\n" HOLD "}\n",
                  m->rig.listen, m->device.path);
    rig_launch(&m->rig);
    drive(m);
}

/* The pid of the device that poemd has started. */
static pid_t await_device(struct machine *m)
{
    char line[1024];
    const char *at;

    rig_await_log(&m->rig, " started", line, sizeof line);
    at = strstr(line, "pid=");
    ck_assert_ptr_nonnull(at);
    return (pid_t)strtol(at + 4, NULL, 10);
}

/* With a device that poemd starts. */
static void begin_spawned(struct machine *m)
{
    memset(&m->device, 0, sizeof m->device);
    rig_init(&m->rig);
    snprintf(m->control, sizeof m->control, "%s", unit_path("control.sock"));
    rig_configure(&m->rig,
                  "workers 1\ncontrol %s\nroute r {\nlisten %s\n"
                  "backend spawn \"'%s' --fd %%fd\" user %u\n" HOLD "}\n",
                  m->control, m->rig.listen, EDU_PROGRAM, (unsigned)geteuid());
    rig_launch(&m->rig);
    m->device.pid = await_device(m);
    drive(m);
}

static void end(struct machine *m)
{
    munmap(m->memory, PAGE);
    close(m->memory_fd);
    close(m->event_fd);
    client_deinit(&m->client);
    rig_await_log(&m->rig, " ended: reason=client-closed", NULL, 0);
    rig_terminate(&m->rig);
    rig_deinit(&m->rig);
    if (*m->device.path) {
        edu_stop(&m->device);
    }
}

/* A byte goes from memory to the device's buffer and back, and each way ends with an interrupt. */
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

START_TEST(a_device_works_right_after_it_was_restarted)
{
    struct machine m;
    eventfd_t n;

    begin(&m);
    transfer(&m, 1);
    for (uint8_t i = 2; i < 22; i++) {
        kill_device(&m);
        edu_start(&m.device, "edu", NULL);
        ck_assert_uint_eq(edu_get(&m.client, EDU_IDENT, 4), EDU_IDENT_VALUE);
        /* The interrupt that may have been lost. */
        ck_assert_int_eq(poll(&(struct pollfd){.fd = m.event_fd, .events = POLLIN}, 1, 60000), 1);
        ck_assert_int_eq(eventfd_read(m.event_fd, &n), 0);
        transfer(&m, i);
    }
    end(&m);
}
END_TEST

/* Killed behind the i-th access; a write that the dead process had read is not repeated. */
START_TEST(no_access_is_lost_or_wrong)
{
    struct machine m;

    begin(&m);
    for (uint32_t i = 1; i <= 60; i++) {
        edu_put(&m.client, EDU_LIVENESS, i, 4);
        ck_assert_uint_eq(edu_get(&m.client, EDU_LIVENESS, 4), ~i);
        if (i % 6 == 0) {
            kill_device(&m);
            edu_start(&m.device, "edu", NULL);
        }
    }
    end(&m);
}
END_TEST

/* It is stopped, and killed within an access, which its successor answers. */
START_TEST(an_access_under_way_is_answered_by_the_next_process)
{
    const struct wire_hdr hdr = {.id = 4242, .command = WIRE_REGION_READ};
    const struct wire_region_access a = {.count = 4};
    struct message answer;
    uint32_t ident;
    struct machine m;

    begin(&m);
    ck_assert_int_eq(kill(m.device.pid, SIGSTOP), 0);
    peer_send(m.client.fd, hdr, &a, sizeof a, NULL);
    kill_device(&m);
    edu_start(&m.device, "edu", NULL);
    peer_recv(m.client.fd, &answer);
    ck_assert_uint_eq(answer.hdr.id, hdr.id);
    ck_assert_uint_eq(answer.hdr.flags, WIRE_TYPE_REPLY);
    memcpy(&ident, answer.payload + sizeof a, sizeof ident);
    ck_assert_uint_eq(ident, EDU_IDENT_VALUE);
    message_deinit(&answer);
    transfer(&m, 7);
    end(&m);
}
END_TEST

START_TEST(a_device_of_the_broker_is_started_again)
{
    struct machine m;

    begin_spawned(&m);
    transfer(&m, 1);
    for (uint8_t i = 2; i < 5; i++) {
        ck_assert_int_eq(kill(m.device.pid, SIGKILL), 0);
        ck_assert_uint_eq(edu_get(&m.client, EDU_IDENT, 4), EDU_IDENT_VALUE);
        m.device.pid = await_device(&m);
        transfer(&m, i);
    }
    end(&m);
}
END_TEST

/* Such as one that hangs, if its operator does not want to wait until it counts as lost. */
START_TEST(an_operator_detaches_a_device)
{
    struct machine m;
    const char *const detach[] = {POEMCTL_PATH, "sessions", "--detach", "1",
                                  "--control",  m.control,  NULL};

    begin_spawned(&m);
    transfer(&m, 1);
    ck_assert_int_eq(process_wait(process_start(detach, STDERR_FILENO, -1)), 0);
    rig_await_log(&m.rig, "its device is gone (ended-by-operator)", NULL, 0);
    ck_assert_int_ne(await_device(&m), m.device.pid);
    ck_assert_uint_eq(edu_get(&m.client, EDU_IDENT, 4), EDU_IDENT_VALUE);
    transfer(&m, 2);
    end(&m);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("hold_device");
    TCase *const c = rig_case(s, "a real device");

    tcase_add_test(c, a_device_works_right_after_it_was_restarted);
    tcase_add_test(c, no_access_is_lost_or_wrong);
    tcase_add_test(c, an_access_under_way_is_answered_by_the_next_process);
    tcase_add_test(c, a_device_of_the_broker_is_started_again);
    tcase_add_test(c, an_operator_detaches_a_device);
    return unit_run(s);
}
