/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* VERSION messages: their memory, their headers, and sending them. */
#include "proxy/worker/greeting/greeting_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/wire/wire_command.h"
#include "proxy/ipc/session_page.h"

#define LARGEST (WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX)

bool greeting_message_room(struct greeting_message *m, size_t n)
{
    uint8_t *more;

    if (n <= m->room) {
        return true;
    }
    more = realloc(m->data, n);
    if (more) {
        m->data = more;
        m->room = n;
    }
    return more != NULL;
}

void greeting_message_deinit(struct greeting_message *m)
{
    free(m->data);
    *m = (struct greeting_message){.data = NULL};
}

bool greeting_message_compose(struct greeting_message *m, size_t size, const struct wire_hdr *like,
                              const struct version_offer *o)
{
    const size_t room = size + LIMIT_VERSION_ADDED;
    struct wire_hdr hdr = *like;
    size_t n;

    if (!greeting_message_room(m, room)) {
        return false;
    }
    n = version_write(o, m->data + WIRE_HDR_SIZE, room - WIRE_HDR_SIZE);
    hdr.size = (uint32_t)(WIRE_HDR_SIZE + n);
    wire_put_hdr(m->data, &hdr);
    m->size = hdr.size;
    m->at = 0;
    return n > 0;
}

/* Returns what is wrong with the header, or NULL if it is valid. */
static const char *greeting_message_header_fault(const struct wire_hdr *hdr, enum wire_frame frame,
                                                 const struct wire_hdr *request)
{
    if (frame != WIRE_FRAME_OK) {
        return wire_frame_text(frame);
    }
    if (hdr->command != WIRE_VERSION) {
        return "the first message is not VERSION";
    }
    if ((hdr->flags & WIRE_TYPE_MASK) != (request ? WIRE_TYPE_REPLY : WIRE_TYPE_COMMAND)) {
        return "VERSION has the wrong type";
    }
    if (!request && (hdr->flags & WIRE_NO_REPLY)) {
        return "VERSION asks for no reply";
    }
    if (request && hdr->id != request->id) {
        return "the reply's id is not the request's";
    }
    return NULL;
}

bool greeting_message_judge(const struct greeting_message *m, const struct wire_hdr *request,
                            struct wire_hdr *hdr, char why[static GREETING_WHY])
{
    const enum wire_frame frame = wire_get_hdr(m->data, m->at, LARGEST, hdr);
    const char *fault = greeting_message_header_fault(hdr, frame, request);

    if (fault) {
        snprintf(why, GREETING_WHY,
                 "%s: command %u (%s), id %u, size %u, flags 0x%x, at most %zu bytes allowed",
                 fault, hdr->command, wire_command_name(hdr->command), hdr->id, hdr->size,
                 hdr->flags, LARGEST);
    }
    return fault == NULL;
}

ssize_t greeting_message_send(const struct greeting_message *m, int fd, const struct fdset *fds,
                              struct session_page *page, struct sock_post *post)
{
    const size_t left = m->size - m->at;
    ssize_t n;

    fds = m->at == 0 ? fds : NULL;
    if (!page) {
        return sock_send(fd, m->data + m->at, left, fds, MSG_DONTWAIT);
    }
    if (m->at == 0) {
        session_page_answer(page, m->size);
    }
    post->done = 0;
    session_page_answering(page);
    n = sock_send_post(fd, post, m->data + m->at, left, fds, MSG_DONTWAIT);
    session_page_answered(page, n > 0 ? (size_t)n : 0);
    return n;
}
