/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Measures a program on the disk that the guest has, which is an ext4 file system with fs-verity:
 * this very one, with some bytes behind its end so that it is another file.
 */
#include "tests/e2e/guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "policy/inspector/inspector_ima.h"
#include "policy/peer/peer_verity.h"

#define DISK "/dev/nvme0n1"
#define PROGRAM "/disk/program"
#define LIST "/sys/kernel/security/ima/ascii_runtime_measurements"
#define BEHIND "measured"
#define WAIT_SECONDS 30

static void mount_disk(void)
{
    const struct timespec pause = {0, 20000000};

    for (int i = 0; access(DISK, F_OK) < 0; i++) {
        if (i == WAIT_SECONDS * 50)
            fail("no " DISK);
        nanosleep(&pause, NULL);
    }
    if (mkdir("/disk", 0755) < 0 || mount(DISK, "/disk", "ext4", 0, NULL) < 0)
        fail("mount " DISK);
}

static void copy_program(void)
{
    static char bytes[1 << 16];
    const int from = open("/init", O_RDONLY | O_CLOEXEC);
    const int to = open(PROGRAM, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    ssize_t n;

    if (from < 0 || to < 0)
        fail("open " PROGRAM);
    while ((n = read(from, bytes, sizeof(bytes))) > 0) {
        if (write(to, bytes, (size_t)n) != n)
            fail("write " PROGRAM);
    }
    if (n < 0 || write(to, BEHIND, strlen(BEHIND)) != (ssize_t)strlen(BEHIND) || close(to) < 0)
        fail("write " PROGRAM);
    close(from);
}

static void run_program(void)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        execl(PROGRAM, PROGRAM, GUEST_NOTHING, (char *)NULL);
        _exit(1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        fail("run " PROGRAM ": status %d", status);
}

static void say_verity(const char *when)
{
    const int fd = open(PROGRAM, O_RDONLY | O_CLOEXEC);
    char text[PEER_VERITY_TEXT_SIZE];
    struct peer_verity verity;

    if (fd < 0)
        fail("open " PROGRAM);
    peer_verity_measure(fd, &verity);
    say("verity %s: %s", when, peer_verity_text(&verity, text));
    close(fd);
}

static void enable_verity(void)
{
    const int fd = open(PROGRAM, O_RDONLY | O_CLOEXEC);
    const struct fsverity_enable_arg arg = {
        .version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096};

    if (fd < 0 || ioctl(fd, FS_IOC_ENABLE_VERITY, &arg) < 0)
        fail("enable fs-verity");
    close(fd);
}

static void say_ima(struct inspector_ima *ima, const char *when, const char *digits)
{
    static struct inspection r;

    while (inspector_ima_read(ima)) {
    }
    if (!hex_read(digits, r.sha256, sizeof(r.sha256)))
        fail("not a digest: %s", digits);
    r.ima_entry = r.ima_pcr = 0;
    inspector_ima_look(ima, &r);
    say("ima %s: %u, PCR %u", when, (unsigned)r.ima, (unsigned)r.ima_pcr);
}

static void say_list(void)
{
    FILE *f = fopen(LIST, "re");
    char line[4096];

    while (f && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        say("list %s", line);
    }
    if (f)
        fclose(f);
}

void guest_measure(const char *digits)
{
    struct inspector_ima *ima;
    int list_fd;

    mount_or_fail("proc", "/proc");
    mount_or_fail("sysfs", "/sys");
    mount_or_fail("devtmpfs", "/dev");
    mount_or_fail("securityfs", "/sys/kernel/security");
    mount_disk();
    copy_program();
    list_fd = open(LIST, O_RDONLY | O_CLOEXEC);
    ima = inspector_ima_new(list_fd);
    if (list_fd < 0 || !ima)
        fail("open " LIST);
    say_ima(ima, "before", digits);
    run_program();
    say_ima(ima, "after", digits);
    say_verity("before");
    enable_verity();
    say_verity("after");
    say_list();
    say("pass");
}
