/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Plays the client of a recorded session to a device. It sends the client's messages in their
 * order, each when the device's messages have come that came before it in the recording, and
 * compares what the device sends. Ids of the device's own commands may differ; bytes that were not
 * recorded are not compared.
 */

static const struct message *session;
static size_t n_messages;
static const struct fields *fields;
static struct fate *fates;
static struct memory *memories;
static struct made *made;
static int sock = -1;
static unsigned found;
static int64_t last_us;
static uint32_t room = ROOM;
static uint8_t *in; /* payload of the message that came */
static struct header head;
static int in_fds[FDS_MAX];
static unsigned n_in_fds;
static size_t low;        /* all of the device's messages before this place have come */
static size_t low_device; /* number of these */

/* ---- small things ---- */

static void playback_fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(USAGE);
}

static void *playback_alloc(size_t n)
{
    void *const p = calloc(1, n > 0 ? n : 1);

    if (!p) {
        playback_fail("memory");
    }
    return p;
}

static int64_t playback_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool playback_is_reply(const struct message *m)
{
    return (m->flags & REPLY) || (!m->client && (m->flags & ERROR));
}

static void playback_title(const struct message *m)
{
    printf("message %" PRIu64 " (%s%s)", m->number, m->name, playback_is_reply(m) ? " reply" : "");
}

static size_t playback_find(uint64_t number)
{
    size_t i = 0;

    while (i < n_messages && session[i].number != number) {
        i++;
    }
    return i;
}

static uint32_t playback_kept(const struct message *m)
{
    return (uint32_t)(strlen(m->payload) / 2);
}

static uint8_t playback_byte(const struct message *m, size_t i)
{
    const char digits[3] = {m->payload[2 * i], m->payload[2 * i + 1], '\0'};

    return (uint8_t)strtoul(digits, NULL, 16);
}

static uint8_t *playback_payload(const struct message *m)
{
    const uint32_t n = playback_kept(m);
    uint8_t *const p = playback_alloc(n);

    for (uint32_t i = 0; i < n; i++) {
        p[i] = playback_byte(m, i);
    }
    return p;
}

static _Noreturn void playback_gone(const struct message *m)
{
    printf("the device closed the connection before ");
    playback_title(m);
    printf("\n");
    exit(GONE);
}

/* ---- sending ---- */

/* Sends n bytes and fds. Returns false if the device has closed the connection. */
static bool playback_send(const void *p, size_t n, const int *fds, unsigned n_fds)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control;
    struct iovec iov = {(void *)(uintptr_t)p, n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    if (n_fds > 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
    }
    while (iov.iov_len > 0) {
        const ssize_t sent = sendmsg(sock, &m, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            return false;
        }
        iov.iov_base = (char *)iov.iov_base + sent;
        iov.iov_len -= (size_t)sent;
        m.msg_control = NULL;
        m.msg_controllen = 0;
    }
    last_us = playback_now_us();
    return true;
}

static bool playback_send_all(struct header h, const void *payload, size_t n, const int *fds,
                              unsigned n_fds)
{
    uint8_t *const p = playback_alloc(sizeof h + n);
    bool ok;

    h.size = (uint32_t)(sizeof h + n);
    memcpy(p, &h, sizeof h);
    if (n > 0) {
        memcpy(p + sizeof h, payload, n);
    }
    ok = playback_send(p, sizeof h + n, fds, n_fds);
    free(p);
    return ok;
}

/* ---- the guest's memory ---- */

static int playback_make_memory(uint64_t size)
{
    const int fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
        playback_fail("memfd");
    }
    return fd;
}

static int playback_make_file(const struct file *f)
{
    struct made *m = made;

    while (m && m->which != f->which) {
        m = m->next;
    }
    if (!m) {
        m = playback_alloc(sizeof *m);
        m->which = f->which;
        m->next = made;
        made = m;
        m->fd = strcmp(f->kind, "eventfd") == 0 ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
                                                : playback_make_memory(f->size);
    }
    return m->fd;
}

/* Applies a sent DMA_MAP or DMA_UNMAP. */
static void playback_note_sent(const struct message *m, const uint8_t *payload, const int *fds)
{
    const uint32_t n = playback_kept(m);
    struct memory **at = &memories;
    struct dma_unmap unmap;

    if (m->command == DMA_MAP && n >= sizeof(struct dma_map)) {
        struct memory *const new = playback_alloc(sizeof *new);

        memcpy(&new->map, payload, sizeof new->map);
        new->fd = m->n_files > 0 ? fds[0] : playback_make_memory(new->map.size);
        new->map.offset = m->n_files > 0 ? new->map.offset : 0;
        new->next = memories;
        memories = new;
    }
    if (m->command != DMA_UNMAP || n < sizeof unmap) {
        return;
    }
    memcpy(&unmap, payload, sizeof unmap);
    while (*at) {
        struct memory *const old = *at;

        if ((unmap.flags & 2) || old->map.address - unmap.address < unmap.size) {
            *at = old->next;
            free(old);
        } else {
            at = &old->next;
        }
    }
}

/* Returns the memory that has all of the range, and where in its file it begins; or NULL. */
static const struct memory *playback_memory(const struct dma_access *a, off_t *at)
{
    for (const struct memory *m = memories; m; m = m->next) {
        const uint64_t from = a->address - m->map.address;

        if (from < m->map.size && a->count <= m->map.size - from) {
            *at = (off_t)(m->map.offset + from);
            return m;
        }
    }
    return NULL;
}

/* Stores the data of a DMA_WRITE that came. */
static void playback_write_memory(void)
{
    struct dma_access a;
    const struct memory *m;
    off_t at;

    if (head.command != DMA_WRITE || head.size < HEADER + sizeof a) {
        return;
    }
    memcpy(&a, in, sizeof a);
    m = playback_memory(&a, &at);
    if (m && a.count == head.size - HEADER - sizeof a &&
        pwrite(m->fd, in + sizeof a, a.count, at) < 0) {
        playback_fail("memory");
    }
}

/* Answers a command of the device from memory. */
static bool playback_answer(uint16_t id, uint16_t command, const uint8_t *payload, size_t n)
{
    struct header h = {.id = id, .command = command, .flags = REPLY | ERROR, .error = EINVAL};
    struct dma_access a;
    const struct memory *m;
    uint8_t *out;
    off_t at;
    bool ok;

    if ((command != DMA_READ && command != DMA_WRITE) || n < sizeof a) {
        return playback_send_all(h, NULL, 0, NULL, 0);
    }
    memcpy(&a, payload, sizeof a);
    m = a.count <= room ? playback_memory(&a, &at) : NULL;
    if (!m) {
        h.error = EFAULT;
        return playback_send_all(h, NULL, 0, NULL, 0);
    }
    h.flags = REPLY;
    h.error = 0;
    out = playback_alloc(sizeof a + a.count);
    memcpy(out, &a, sizeof a);
    if (command == DMA_READ && pread(m->fd, out + sizeof a, a.count, at) < 0) {
        playback_fail("memory");
    }
    ok = playback_send_all(h, out, sizeof a + (command == DMA_READ ? a.count : 0), NULL, 0);
    free(out);
    return ok;
}

/* ---- comparing ---- */

static void playback_differs(const struct message *m)
{
    found++;
    playback_title(m);
    printf(": ");
}

static const char *playback_errno(uint32_t error)
{
    return error ? strerror((int)error) : "none";
}

static uint64_t playback_number(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = size; i > 0; i--) {
        v = v << 8 | p[i - 1];
    }
    return v;
}

/* Names the field, or the byte of data, in which the payload differs. */
static void playback_describe(const struct message *m, const uint8_t *want, uint32_t at)
{
    const struct fields *f = fields;
    unsigned end = 0;

    while (f->command && f->command != m->command) {
        f++;
    }
    for (unsigned i = 0; f->field[i].name; i++) {
        const unsigned from = f->field[i].offset;
        const unsigned size = f->field[i].size;

        if (at >= from && at < from + size) {
            printf("%s is 0x%" PRIx64 ", recorded 0x%" PRIx64 "\n", f->field[i].name,
                   playback_number(in + from, size), playback_number(want + from, size));
            return;
        }
        end = from + size > end ? from + size : end;
    }
    printf("data byte %u is 0x%x, recorded 0x%x\n", at - end, in[at], want[at]);
}

static void playback_compare_payload(const struct message *m)
{
    uint8_t *const want = playback_payload(m);

    for (uint32_t i = 0; i < playback_kept(m); i++) {
        if (want[i] != in[i]) {
            playback_differs(m);
            playback_describe(m, want, i);
            break;
        }
    }
    free(want);
}

static void playback_compare_fds(const struct message *m)
{
    static const char *const kinds[][2] = {
        {"memfd", "memfd:"}, {"eventfd", "[eventfd]"}, {"socket", "socket:"}, {"pipe", "pipe:"}};

    if (n_in_fds != m->n_files) {
        playback_differs(m);
        printf("%u file descriptors, recorded %u\n", n_in_fds, m->n_files);
        return;
    }
    for (unsigned i = 0; i < n_in_fds; i++) {
        char path[64];
        char name[256] = "";

        snprintf(path, sizeof path, "/proc/self/fd/%d", in_fds[i]);
        if (readlink(path, name, sizeof name - 1) < 0) {
            playback_fail(path);
        }
        for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (strcmp(m->files[i].kind, kinds[k][0]) == 0 && !strstr(name, kinds[k][1])) {
                playback_differs(m);
                printf("a file descriptor is %s, recorded %s\n", name, m->files[i].kind);
            }
        }
    }
}

static void playback_compare(size_t place)
{
    const struct message *const m = &session[place];
    const uint32_t want_error = m->flags & ERROR ? m->error : 0;
    const uint32_t got_error = head.flags & ERROR ? head.error : 0;

    fates[place].came = true;
    if (head.command != m->command) {
        playback_differs(m);
        printf("command is %u, recorded %u\n", head.command, m->command);
    } else if ((head.flags & ERROR) != (m->flags & ERROR) || want_error != got_error) {
        playback_differs(m);
        printf("error is %" PRIu32 " (%s), ", got_error, playback_errno(got_error));
        printf("recorded %" PRIu32 " (%s)\n", want_error, playback_errno(want_error));
    } else if (head.flags != m->flags) {
        playback_differs(m);
        printf("flags is 0x%" PRIx32 ", recorded 0x%" PRIx32 "\n", head.flags, m->flags);
    } else if (head.size != m->size) {
        playback_differs(m);
        printf("size is %" PRIu32 ", recorded %" PRIu32 "\n", head.size, m->size);
    } else {
        playback_compare_payload(m);
        playback_compare_fds(m);
    }
}

/* ---- receiving ---- */

enum outcome { CAME, CLOSED, LATE };

static enum outcome playback_take_bytes(void *p, size_t n, int64_t deadline_us)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control;

    for (size_t got = 0; got < n;) {
        struct iovec iov = {(char *)p + got, n - got};
        struct msghdr m = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
        struct pollfd ready = {.fd = sock, .events = POLLIN};
        const int64_t left = deadline_us - playback_now_us();
        ssize_t more;

        if (poll(&ready, 1, left > 0 ? (int)(left / 1000) : 0) == 0) {
            return LATE;
        }
        more = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
        if (more < 0 && errno == EINTR) {
            continue;
        }
        if (more <= 0) {
            return CLOSED;
        }
        got += (size_t)more;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
            const unsigned count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

            if (c->cmsg_type == SCM_RIGHTS && n_in_fds + count <= FDS_MAX) {
                memcpy(in_fds + n_in_fds, CMSG_DATA(c), count * sizeof(int));
                n_in_fds += count;
            }
        }
    }
    return CAME;
}

/* Returns the recorded command that the one that came stands for, or n_messages. */
static size_t playback_find_command(void)
{
    size_t first = n_messages;

    for (size_t i = 0; i < n_messages; i++) {
        const struct message *const m = &session[i];
        bool equal = m->command == head.command && playback_kept(m) >= sizeof(struct dma_access) &&
                     head.size >= HEADER + sizeof(struct dma_access);

        if (m->client || playback_is_reply(m) || fates[i].came) {
            continue;
        }
        for (size_t j = 0; equal && j < sizeof(struct dma_access); j++) {
            equal = playback_byte(m, j) == in[j];
        }
        if (equal) {
            return i;
        }
        first = first == n_messages ? i : first;
    }
    return first;
}

static size_t playback_find_request(void)
{
    size_t i = 0;

    while (i < n_messages && !(fates[i].waiting && session[i].id == head.id)) {
        i++;
    }
    return i;
}

static void playback_take_command(void)
{
    const size_t place = playback_find_command();

    playback_write_memory();
    if (place < n_messages) {
        fates[place].id = head.id;
        playback_compare(place);
        return;
    }
    found++;
    printf("command %u with id %u, which was not recorded\n", head.command, head.id);
    if (!(head.flags & NO_REPLY)) {
        (void)playback_answer(head.id, head.command, in, head.size - HEADER);
    }
}

static void playback_take_message(bool draining)
{
    const size_t request = playback_find_request();

    if ((head.flags & REPLY) || (request < n_messages && (head.flags & ERROR) &&
                                 session[request].command == head.command)) {
        if (request == n_messages) {
            found++;
            printf("a reply to command %u with id %u, which no request has\n", head.command,
                   head.id);
            return;
        }
        fates[request].waiting = false;
        if (session[request].partner) {
            playback_compare(playback_find(session[request].partner));
        }
    } else if (!draining) {
        playback_take_command();
    }
}

/* Receives a message, compares it, and answers it if it is a command that was not recorded. */
static enum outcome playback_take(int64_t deadline_us, bool draining)
{
    enum outcome o = playback_take_bytes(&head, sizeof head, deadline_us);

    if (o == CAME && (head.size < HEADER || head.size > room)) {
        found++;
        printf("a message of %" PRIu32 " bytes, which is not valid\n", head.size);
        o = CLOSED;
    }
    if (o == CAME) {
        o = playback_take_bytes(in, head.size - HEADER, deadline_us);
    }
    if (o == CAME) {
        last_us = playback_now_us();
        playback_take_message(draining);
    }
    while (n_in_fds > 0) {
        close(in_fds[--n_in_fds]);
    }
    return o;
}

/* ---- playing ---- */

static void playback_send_message(size_t place)
{
    const struct message *const m = &session[place];
    const size_t partner = m->partner ? playback_find(m->partner) : n_messages;
    const bool reply = playback_is_reply(m) && partner < n_messages;
    struct header h = {m->id, m->command, m->size, m->flags, m->error};
    uint8_t *const payload = playback_payload(m);
    int fds[FDS_MAX];
    bool ok;

    if (reply) {
        h.id = fates[partner].id;
    }
    if (reply && HEADER + playback_kept(m) < m->size) {
        uint8_t *const request = playback_payload(&session[partner]);

        ok = playback_answer(h.id, m->command, request, playback_kept(&session[partner]));
        free(request);
    } else {
        for (unsigned i = 0; i < m->n_files; i++) {
            fds[i] = playback_make_file(&m->files[i]);
        }
        fates[place].waiting = !(m->flags & (REPLY | NO_REPLY));
        ok = playback_send_all(h, payload, playback_kept(m), fds, m->n_files);
        playback_note_sent(m, payload, fds);
    }
    free(payload);
    if (!ok) {
        playback_gone(m);
    }
}

/* Receives until the device's first n messages have come. Returns false if one did not in time. */
static bool playback_wait_for(size_t n)
{
    for (; low < n_messages && low_device < n; low++) {
        if (session[low].client) {
            continue;
        }
        while (!fates[low].came) {
            switch (playback_take(playback_now_us() + PATIENCE_MS * 1000, false)) {
            case CAME:
                break;
            case CLOSED:
                playback_gone(&session[low]);
            case LATE:
                playback_differs(&session[low]);
                printf("did not come within %d s\n", PATIENCE_MS / 1000);
                return false;
            }
        }
        low_device++;
    }
    return true;
}

/* Waits for messages that were not recorded, at most DRAIN_MS. */
static void playback_drain(void)
{
    const int64_t deadline_us = playback_now_us() + DRAIN_MS * 1000;

    shutdown(sock, SHUT_WR);
    while (playback_take(deadline_us, true) == CAME) {
    }
}

static bool playback_play(void)
{
    for (size_t i = 0; i < n_messages; i++) {
        if (session[i].client) {
            int64_t left;

            if (!playback_wait_for(session[i].after)) {
                return false;
            }
            left = last_us + session[i].pause_us - playback_now_us();
            if (left > 0) {
                const struct timespec t = {left / 1000000, left % 1000000 * 1000};

                nanosleep(&t, NULL);
            }
            playback_send_message(i);
        }
    }
    return playback_wait_for(SIZE_MAX);
}

static bool playback_connect(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof name.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(name.sun_path, path, strlen(path) + 1);
    sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return sock >= 0 && connect(sock, (const struct sockaddr *)&name, sizeof name) == 0;
}

static int playback_main(const struct message *messages, size_t n, const struct fields *names,
                         int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return USAGE;
    }
    session = messages;
    n_messages = n;
    fields = names;
    fates = playback_alloc(n * sizeof *fates);
    for (size_t i = 0; i < n; i++) {
        room = session[i].size > room ? session[i].size : room;
    }
    in = playback_alloc(room);
    last_us = playback_now_us();
    if (!playback_connect(argv[1])) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return GONE;
    }
    if (playback_play()) {
        playback_drain();
    }
    if (found == 0) {
        printf("same: the messages of the device are as recorded\n");
    }
    return found > 0 ? DIFFERS : SAME;
}
