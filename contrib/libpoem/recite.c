/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A device's VERSION exchange that recites the poem, on a connected socket as standard input:
 *     cc recite.c $(pkg-config --cflags --libs poem) -o recite
 *     socat UNIX-LISTEN:/tmp/device.sock EXEC:./recite & poemctl recite /tmp/device.sock
 */
#include <poem/recital.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct message {
        struct wire_hdr header;
        struct wire_version number;
        char json[RECITAL_REPLY_SIZE_MAX];
    } m = {{0}, {0}, {0}};
    const size_t fixed = sizeof m.header + sizeof m.number, most = sizeof m - 1;
    if (recv(0, &m, fixed, MSG_WAITALL) != (ssize_t)fixed || m.header.command != WIRE_VERSION ||
        m.header.size <= fixed || m.header.size > most ||
        recv(0, m.json, m.header.size - fixed, MSG_WAITALL) != (ssize_t)(m.header.size - fixed))
        return 1;
    json_t *request = json_loads(m.json, JSON_REJECT_DUPLICATES, NULL);
    json_t *reply = json_pack("{s:{}}", "capabilities");
    struct recital_request asked;
    const struct recital_answer answer = {
        .poem = &poem_builtin, .recite = true, .licence = "GPL-2.0-or-later"};
    enum recital_outcome o = recital_request_read(&asked, &poem_builtin, &m, m.header.size,
                                                  json_object_get(request, "capabilities"), NULL);
    if (o == RECITAL_OK)
        o = recital_reply_add(&asked, &answer, json_object_get(reply, "capabilities"));
    m.header.flags = WIRE_TYPE_REPLY | (o == RECITAL_OK ? 0 : WIRE_ERROR);
    m.header.error = (uint32_t)recital_errno(o);
    const size_t n =
        o == RECITAL_OK ? json_dumpb(reply, m.json, sizeof m.json - 1, JSON_COMPACT) : 0;
    m.json[n < sizeof m.json ? n : 0] = '\0';
    m.header.size = (uint32_t)(o == RECITAL_OK ? fixed + n + 1 : sizeof m.header);
    json_decref(request);
    json_decref(reply);
    return write(0, &m, m.header.size) == (ssize_t)m.header.size ? 0 : 1;
}
