/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Refusals without a greeting: the request was read by a worker that is gone. */
#include "proxy/worker/session_refuse.h"

#include <sys/socket.h>

#include "base/sock.h"

bool session_report_refused(struct session_host *h, uint64_t number)
{
    const struct ipc_msg m = {.type = IPC_TURNED_AWAY, .u.turned_away.number = number};

    return h->send(h, &m);
}

void session_refuse_heard_take(struct session_host *h, const struct ipc_refuse *settings,
                               int client_fd)
{
    const struct wire_hdr request = {.id = (uint16_t)settings->id, .command = WIRE_VERSION};
    const struct wire_hdr hdr = wire_error_hdr(&request, (int)settings->err);
    uint8_t data[WIRE_HDR_SIZE];

    wire_put_hdr(data, &hdr);
    if (sock_send(client_fd, data, sizeof data, NULL, MSG_DONTWAIT) < 0) {
        log_debug("worker: a client has gone without its answer");
    }
    sock_close(&client_fd);
    /* If the channel is full, the monitor drops the refusal after its time. */
    (void)session_report_refused(h, settings->number);
}
