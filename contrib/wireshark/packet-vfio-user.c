/* packet-vfio-user.c
 * Routines for vfio-user dissection
 *
 * SPDX-FileCopyrightText: 2026 The poemd authors
 * SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
 */
/*
 * For Wireshark's tree, epan/dissectors; needs packet-vfio-user-tables.h beside it. The same fields
 * as vfio_user.lua, without its expert information. A message may come alone, as in captures with a
 * DLT_USER link type, or behind the capture header of poemd (docs/FORMAT.trace), which knows its
 * byte order and sender.
 */
#include <string.h>

#include <epan/expert.h>
#include <epan/packet.h>
#include <wireshark.h>

void proto_register_vfio_user(void);
void proto_reg_handoff_vfio_user(void);

/* ---- tables ---- */

typedef struct {
    const char *name;
    guint64 mask;
    int hf;
} vfio_user_bit;

typedef struct {
    const char *name;
    unsigned at;
    unsigned size;
    int display;
    vfio_user_bit bits[8];
    int hf;
} vfio_user_column;

typedef struct {
    const char *name;
    unsigned size;
    vfio_user_column columns[8];
    int hf;
} vfio_user_struct;

typedef struct {
    guint16 code;
    const char *name;
    const char *structure;
    gboolean by_client;
    gboolean request; /* has the structure */
    gboolean reply;
} vfio_user_command;

#include "packet-vfio-user-tables.h"

static vfio_user_struct capture_structs[] = {
    {"",
     40,
     {
         {"version", 0, 1, BASE_DEC, {}},
         {"flags",
          1,
          1,
          BASE_HEX,
          {{"big_endian", 0x1}, {"broker", 0x2}, {"twin", 0x4}, {"undelivered", 0x8}}},
         {"length", 2, 2, BASE_DEC, {}},
         {"legs", 4, 1, BASE_HEX, {{"client", 0x1}, {"backend", 0x2}}},
         {"sender", 5, 1, BASE_DEC, {}},
         {"fds", 6, 2, BASE_DEC, {}},
         {"session", 8, 8, BASE_DEC, {}},
     }},
    {"",
     40,
     {
         {"size", 24, 4, BASE_DEC, {}},
         {"lost", 28, 4, BASE_DEC, {}},
         {"number", 32, 8, BASE_DEC, {}},
     }},
    {"fd",
     32,
     {
         {"kind", 0, 1, BASE_DEC, {}},
         {"access", 1, 1, BASE_DEC, {}},
         {"flags", 2, 2, BASE_HEX, {{"withheld", 0x1}}},
         {"seals",
          4,
          4,
          BASE_HEX,
          {{"seal", 0x1},
           {"shrink", 0x2},
           {"grow", 0x4},
           {"write", 0x8},
           {"future_write", 0x10},
           {"exec", 0x20}}},
         {"device", 8, 8, BASE_HEX, {}},
         {"inode", 16, 8, BASE_DEC, {}},
         {"size", 24, 8, BASE_DEC, {}},
     }},
};

enum { HEADER = 16, CAPTURE_FIXED = 40, CAPTURE_FD = 32 };

static int proto_vfio_user, proto_capture;
static int ett_message, ett_struct, ett_flags;
static dissector_handle_t message_handle, json_handle;

static int hf_id, hf_command, hf_size, hf_flags, hf_type, hf_no_reply, hf_error_bit, hf_error;
static int hf_request_in, hf_response_in, hf_time;
static int hf_data, hf_region_data, hf_region_value, hf_register, hf_dma_data, hf_mig_bytes,
    hf_irq_bool, hf_feature, hf_bitmap, hf_json, hf_delivered;

static const value_string type_names[] = {{0, "Command"}, {1, "Reply"}, {0, NULL}};
static value_string command_names[array_length(commands) + 1];

static const value_string registers[] = {
    {0x00, "VENDOR_ID"},     {0x02, "DEVICE_ID"},
    {0x04, "COMMAND"},       {0x06, "STATUS"},
    {0x08, "REVISION"},      {0x09, "CLASS"},
    {0x0c, "CACHE_LINE"},    {0x0d, "LATENCY"},
    {0x0e, "HEADER_TYPE"},   {0x0f, "BIST"},
    {0x10, "BAR0"},          {0x14, "BAR1"},
    {0x18, "BAR2"},          {0x1c, "BAR3"},
    {0x20, "BAR4"},          {0x24, "BAR5"},
    {0x28, "CARDBUS_CIS"},   {0x2c, "SUBSYSTEM_VENDOR_ID"},
    {0x2e, "SUBSYSTEM_ID"},  {0x30, "ROM"},
    {0x34, "CAPABILITIES"},  {0x3c, "INTERRUPT_LINE"},
    {0x3d, "INTERRUPT_PIN"}, {0x3e, "MIN_GNT"},
    {0x3f, "MAX_LAT"},       {0, NULL},
};

/* ---- a message ---- */

/* The parts of the capture header that the message needs. */
typedef struct {
    gboolean big, broker, twin, undelivered, client;
    guint8 legs;
    guint64 session, number;
    guint32 size;
} capture_context;

typedef struct {
    tvbuff_t *tvb;
    packet_info *pinfo;
    proto_tree *tree;
    const capture_context *context; /* or NULL */
    guint enc;
    guint whole; /* its size; less may have been kept */
    guint kept;
    guint16 id, command;
    guint32 flags;
    gboolean reply, refusal;
} message;

static gboolean message_has(const message *m, guint at, guint n)
{
    return at <= m->kept && n <= m->kept - at;
}

static guint64 message_uint(const message *m, guint at, guint n)
{
    const gboolean big = m->enc == ENC_BIG_ENDIAN;

    switch (n) {
    case 1:
        return tvb_get_guint8(m->tvb, at);
    case 2:
        return big ? tvb_get_ntohs(m->tvb, at) : tvb_get_letohs(m->tvb, at);
    case 4:
        return big ? tvb_get_ntohl(m->tvb, at) : tvb_get_letohl(m->tvb, at);
    default:
        return big ? tvb_get_ntoh64(m->tvb, at) : tvb_get_letoh64(m->tvb, at);
    }
}

static vfio_user_struct *struct_of(const char *name)
{
    for (guint i = 0; i < array_length(structs); i++) {
        if (strcmp(structs[i].name, name) == 0) {
            return &structs[i];
        }
    }
    return NULL;
}

/* Returns a column's number, from a structure that is there. */
static guint64 column_value(const message *m, const char *name, const char *column, guint at)
{
    const vfio_user_struct *const s = struct_of(name);

    for (guint i = 0; s && i < array_length(s->columns) && s->columns[i].name; i++) {
        if (strcmp(s->columns[i].name, column) == 0) {
            return message_uint(m, at + s->columns[i].at, s->columns[i].size);
        }
    }
    return 0;
}

static void show_columns(const message *m, proto_tree *tree, const vfio_user_struct *s, guint at,
                         guint length)
{
    for (guint i = 0; i < array_length(s->columns) && s->columns[i].name; i++) {
        const vfio_user_column *const c = &s->columns[i];
        proto_item *item;
        proto_tree *branch;

        if (c->at + c->size > length) {
            return;
        }
        item = proto_tree_add_item(tree, c->hf, m->tvb, at + c->at, c->size, m->enc);
        if (!c->bits[0].name) {
            continue;
        }
        branch = proto_item_add_subtree(item, ett_flags);
        for (guint k = 0; k < array_length(c->bits) && c->bits[k].name; k++) {
            proto_tree_add_item(branch, c->bits[k].hf, m->tvb, at + c->at, c->size, m->enc);
        }
        if (s->name[0] && strcmp(s->name, "feature") == 0) {
            proto_tree_add_item(branch, hf_feature, m->tvb, at + c->at, c->size, m->enc);
        }
    }
}

/* Adds a structure as far as it was kept. Returns its branch, or NULL unless it was kept whole. */
static proto_tree *show_struct(const message *m, proto_tree *tree, const char *name, guint at)
{
    const vfio_user_struct *const s = struct_of(name);
    const guint length = at < m->kept ? MIN(s->size, m->kept - at) : 0;
    proto_tree *branch;
    proto_item *item;

    if (length == 0) {
        return NULL;
    }
    item = proto_tree_add_item(tree, s->hf, m->tvb, at, length, ENC_NA);
    branch = proto_item_add_subtree(item, ett_struct);
    show_columns(m, branch, s, at, length);
    return length == s->size ? branch : NULL;
}

static void show_data(const message *m, proto_tree *tree, int hf, guint at)
{
    const guint end = MIN(m->whole, m->kept);

    if (at < end) {
        proto_tree_add_item(tree, hf, m->tvb, at, end - at, ENC_NA);
    }
}

/* ---- payloads ---- */

static void show_register(const message *m, proto_tree *tree, guint at)
{
    const guint64 offset = column_value(m, "region", "offset", at);
    const char *const name = column_value(m, "region", "index", at) == 7 && offset < 0x40
                                 ? try_val_to_str((guint32)offset, registers)
                                 : NULL;

    if (name) {
        proto_item_set_generated(proto_tree_add_string(tree, hf_register, m->tvb, at, 8, name));
    }
}

/* A device's registers are little-endian whatever the hosts are. */
static void show_value(const message *m, proto_tree *tree, guint at, guint64 count)
{
    guint64 value = 0;

    if ((count != 1 && count != 2 && count != 4 && count != 8) ||
        !message_has(m, at, (guint)count)) {
        return;
    }
    for (guint i = (guint)count; i > 0; i--) {
        value = value << 8 | tvb_get_guint8(m->tvb, at + i - 1);
    }
    proto_item_set_generated(
        proto_tree_add_uint64(tree, hf_region_value, m->tvb, at, (guint)count, value));
}

static void show_writes(const message *m, proto_tree *tree, guint at)
{
    while (message_has(m, at, 1)) {
        proto_tree *const branch = show_struct(m, tree, "region", at);
        guint64 count;

        if (!branch) {
            return;
        }
        show_register(m, branch, at);
        count = column_value(m, "region", "count", at);
        at += 16;
        if (count > 0 && count <= 8 && message_has(m, at, (guint)count)) {
            proto_tree_add_item(branch, hf_region_data, m->tvb, at, (guint)count, ENC_NA);
            show_value(m, branch, at, count);
        }
        at += 8;
    }
}

static void show_list(const message *m, proto_tree *tree, const char *entry, guint at, guint stride)
{
    while (message_has(m, at, 1) && (stride > struct_of(entry)->size || message_has(m, at, 1))) {
        if (!show_struct(m, tree, entry, at) && stride == struct_of(entry)->size) {
            return;
        }
        at += stride;
    }
}

static void show_io_fds(const message *m, proto_tree *tree, guint at)
{
    const guint64 count = column_value(m, "io_fds", "count", HEADER);
    const guint left = m->whole > at ? m->whole - at : 0;

    if (left == 0) {
        return;
    }
    if (count == 0 || left % count != 0 || left / count < struct_of("io_fd")->size) {
        show_data(m, tree, hf_data, at);
        return;
    }
    show_list(m, tree, "io_fd", at, (guint)(left / count));
}

/* Offsets count from the start of the region info, and must increase: else a list could loop. */
static void show_caps(const message *m, proto_tree *tree, guint at)
{
    guint64 offset = column_value(m, "region_info", "cap_offset", HEADER);
    guint64 least = struct_of("region_info")->size;
    const gboolean listed = column_value(m, "region_info", "flags", HEADER) & 0x8;

    if (!listed || (m->whole == at && column_value(m, "region_info", "argsz", HEADER) > least)) {
        return;
    }
    while (offset >= least && HEADER + offset + 8 <= m->whole) {
        const guint place = HEADER + (guint)offset;
        proto_tree *const branch = show_struct(m, tree, "cap", place);
        guint64 id;

        if (!branch) {
            return;
        }
        id = column_value(m, "cap", "id", place);
        least = offset + 8;
        offset = column_value(m, "cap", "next", place);
        if (id == 1) {
            proto_tree *const areas = show_struct(m, branch, "sparse", place + 8);
            guint64 n = areas ? column_value(m, "sparse", "nr_areas", place + 8) : 0;

            for (guint k = place + 16; n > 0 && show_struct(m, areas, "sparse.area", k); n--) {
                k += 16;
            }
        } else if (id == 2) {
            show_struct(m, branch, "cap_type", place + 8);
        }
    }
}

static void show_feature(const message *m, proto_tree *tree, guint at)
{
    proto_tree *branch;

    if (m->whole <= at) {
        return;
    }
    switch (column_value(m, "feature", "flags", HEADER) & 0xffff) {
    case 1:
        show_struct(m, tree, "migration", at);
        break;
    case 2:
        show_struct(m, tree, "mig_state", at);
        break;
    case 6:
        branch = show_struct(m, tree, "dma_logging", at);
        if (branch) {
            show_list(m, branch, "dma_logging.range", at + 16, 16);
        }
        break;
    case 8:
        show_struct(m, tree, "dma_report", at);
        show_data(m, tree, hf_bitmap, at + 24);
        break;
    default:
        show_data(m, tree, hf_data, at);
        break;
    }
}

static void show_version(const message *m, proto_tree *tree, guint at)
{
    const guint end = MIN(m->whole, m->kept);
    const guint length = end > at ? end - at : 0;
    const gboolean nul = length > 0 && tvb_get_guint8(m->tvb, end - 1) == 0;
    const guint text = length - (nul && m->kept >= m->whole ? 1 : 0);

    if (length == 0) {
        return;
    }
    if (text == 0) {
        show_data(m, tree, hf_data, at);
        return;
    }
    proto_tree_add_item(tree, hf_json, m->tvb, at, text, ENC_UTF_8);
    if (json_handle && m->kept >= m->whole) {
        call_dissector(json_handle, tvb_new_subset_length(m->tvb, at, text), m->pinfo, tree);
    }
}

/* Shows the part behind the fixed one. Returns false if nothing can be there. */
static gboolean show_rest(const message *m, proto_tree *tree, guint at)
{
    switch (m->command) {
    case 1:
        show_version(m, tree, at);
        return TRUE;
    case 5:
        if (m->reply) {
            show_caps(m, tree, at);
        }
        return m->reply;
    case 6:
        if (m->reply) {
            show_io_fds(m, tree, at);
        }
        return m->reply;
    case 8:
        show_data(m, tree,
                  column_value(m, "irq_set", "flags", HEADER) & 0x2 ? hf_irq_bool : hf_data, at);
        return TRUE;
    case 9:
    case 10:
        show_register(m, tree, HEADER);
        if ((m->command == 9) == m->reply) {
            show_data(m, tree, hf_region_data, at);
            show_value(m, tree, at, column_value(m, "region", "count", HEADER));
            return TRUE;
        }
        return FALSE;
    case 11:
        if (m->reply) {
            show_data(m, tree, hf_dma_data, at);
        }
        return m->reply;
    case 12:
        show_data(m, tree, m->reply ? hf_data : hf_dma_data, at);
        return TRUE;
    case 15:
        if (!m->reply) {
            show_writes(m, tree, at);
        }
        return !m->reply;
    case 16:
        show_feature(m, tree, at);
        return TRUE;
    case 17:
    case 18:
        if ((m->command == 17) == m->reply) {
            show_data(m, tree, hf_mig_bytes, at);
            return TRUE;
        }
        return FALSE;
    default:
        return FALSE;
    }
}

static const vfio_user_command *command_of(guint16 code)
{
    for (guint i = 0; i < array_length(commands); i++) {
        if (commands[i].code == code) {
            return &commands[i];
        }
    }
    return NULL;
}

/* The reply to DMA_WRITE: 4 bytes of count by the specification; QEMU and libvfio-user send 8. */
static proto_tree *show_dma_written(const message *m)
{
    const vfio_user_struct *const s = struct_of("dma");
    const guint length = MIN(12, m->kept - HEADER);
    proto_item *const item = proto_tree_add_item(m->tree, s->hf, m->tvb, HEADER, length, ENC_NA);
    proto_tree *const branch = proto_item_add_subtree(item, ett_struct);

    show_columns(m, branch, s, HEADER, MIN(8, length));
    if (length == 12) {
        proto_tree_add_item(branch, s->columns[1].hf, m->tvb, HEADER + 8, 4, m->enc);
    }
    return length == 12 ? branch : NULL;
}

static void show_payload(const message *m)
{
    const vfio_user_command *const c = command_of(m->command);
    guint fixed = 0;
    proto_tree *branch = m->tree;

    if (!c || (m->flags & 0xf) > 1 || m->refusal) {
        show_data(m, m->tree, hf_data, HEADER);
        return;
    }
    if (m->reply ? c->reply : c->request) {
        fixed = struct_of(c->structure)->size;
        if (c->code == 12 && m->reply && m->whole < HEADER + fixed) {
            fixed = 12;
            branch = m->kept > HEADER ? show_dma_written(m) : NULL;
        } else {
            branch = show_struct(m, m->tree, c->structure, HEADER);
        }
    }
    if (!branch || !(fixed > 0 && show_rest(m, branch, HEADER + fixed))) {
        if (branch && m->whole > HEADER + fixed) {
            show_data(m, m->tree, hf_data, HEADER + fixed);
        }
    }
}

/* ---- requests and replies ---- */

typedef struct {
    guint32 frame;
    guint16 command;
    nstime_t at;
} request;

typedef struct {
    guint32 request;
    nstime_t time;
} answer;

static wmem_map_t *pending;   /* wmem_list_t of requests, by a text of their key */
static wmem_map_t *answers;   /* by the reply's frame */
static wmem_map_t *responses; /* the reply's frame, by the request's */
static wmem_map_t *begun;     /* times that a session's number has begun */

static char *pair_key(const capture_context *c, gboolean asker, guint legs, guint16 id)
{
    const gint64 session = (gint64)c->session;

    return wmem_strdup_printf(wmem_packet_scope(), "%" PRIu64 ".%u.%d.%d.%u.%u", c->session,
                              GPOINTER_TO_UINT(wmem_map_lookup(begun, &session)), asker, c->twin,
                              legs, id);
}

static wmem_list_t *pair_list(const char *key)
{
    wmem_list_t *list = (wmem_list_t *)wmem_map_lookup(pending, key);

    if (!list) {
        list = wmem_list_new(wmem_file_scope());
        wmem_map_insert(pending, wmem_strdup(wmem_file_scope(), key), list);
    }
    return list;
}

static request *pair_first(const char *key)
{
    wmem_list_t *const list = (wmem_list_t *)wmem_map_lookup(pending, key);
    wmem_list_frame_t *const head = list ? wmem_list_head(list) : NULL;

    return head ? (request *)wmem_list_frame_data(head) : NULL;
}

/* Links the message to the oldest request that it can answer. Returns false if there is none. */
static gboolean pair_link(const message *m)
{
    static const guint8 overlapping[4][3] = {{0, 0, 0}, {1, 3, 3}, {2, 3, 3}, {3, 1, 2}};
    const capture_context *const c = m->context;
    request *oldest = NULL;
    guint legs = 0;
    answer *a;

    for (guint i = 0; i < 3; i++) {
        request *const r = pair_first(pair_key(c, !c->client, overlapping[c->legs][i], m->id));

        if (r && (!oldest || r->frame < oldest->frame)) {
            oldest = r;
            legs = overlapping[c->legs][i];
        }
    }
    if (!oldest || (!m->reply && oldest->command != m->command)) {
        return FALSE;
    }
    wmem_list_remove(pair_list(pair_key(c, !c->client, legs, m->id)), oldest);
    if (c->broker && c->legs != 3 && legs == 3) {
        /* The broker has answered in the stead of the device, whose late reply may follow. */
        wmem_list_prepend(pair_list(pair_key(c, !c->client, 3 - c->legs, m->id)), oldest);
    }
    a = wmem_new0(wmem_file_scope(), answer);
    a->request = oldest->frame;
    nstime_delta(&a->time, &m->pinfo->abs_ts, &oldest->at);
    wmem_map_insert(answers, GUINT_TO_POINTER(m->pinfo->num), a);
    wmem_map_insert(responses, GUINT_TO_POINTER(oldest->frame), GUINT_TO_POINTER(m->pinfo->num));
    return TRUE;
}

static void pair_see(const message *m)
{
    const capture_context *const c = m->context;
    const gboolean command = (m->flags & 0xf) == 0;
    request *r;

    if (c->number == 1 && m->command == 1 && command) {
        gint64 *const key = wmem_new(wmem_file_scope(), gint64);

        *key = (gint64)c->session;
        wmem_map_insert(begun, key,
                        GUINT_TO_POINTER(GPOINTER_TO_UINT(wmem_map_lookup(begun, key)) + 1));
    }
    if (m->reply) {
        pair_link(m);
        return;
    }
    if (!command || ((m->flags & 0x20) && pair_link(m)) || (m->flags & 0x10)) {
        return;
    }
    r = wmem_new0(wmem_file_scope(), request);
    r->frame = m->pinfo->num;
    r->command = m->command;
    r->at = m->pinfo->abs_ts;
    wmem_list_append(pair_list(pair_key(c, c->client, c->legs, m->id)), r);
}

static void pair_show(const message *m)
{
    const gpointer frame = GUINT_TO_POINTER(m->pinfo->num);
    const answer *const a = (const answer *)wmem_map_lookup(answers, frame);
    const guint32 response = GPOINTER_TO_UINT(wmem_map_lookup(responses, frame));

    if (a) {
        proto_item_set_generated(
            proto_tree_add_uint(m->tree, hf_request_in, m->tvb, 0, 0, a->request));
        proto_item_set_generated(proto_tree_add_time(m->tree, hf_time, m->tvb, 0, 0, &a->time));
    } else if (response != 0) {
        proto_item_set_generated(
            proto_tree_add_uint(m->tree, hf_response_in, m->tvb, 0, 0, response));
    }
}

/* ---- the dissectors ---- */

static void show_header(message *m)
{
    proto_tree *flags;
    proto_item *item;

    m->id = (guint16)message_uint(m, 0, 2);
    m->command = (guint16)message_uint(m, 2, 2);
    m->flags = (guint32)message_uint(m, 8, 4);
    m->reply = (m->flags & 0xf) == 1;
    proto_tree_add_item(m->tree, hf_id, m->tvb, 0, 2, m->enc);
    proto_tree_add_item(m->tree, hf_command, m->tvb, 2, 2, m->enc);
    proto_tree_add_item(m->tree, hf_size, m->tvb, 4, 4, m->enc);
    item = proto_tree_add_item(m->tree, hf_flags, m->tvb, 8, 4, m->enc);
    flags = proto_item_add_subtree(item, ett_flags);
    proto_tree_add_item(flags, hf_type, m->tvb, 8, 4, m->enc);
    proto_tree_add_item(flags, hf_no_reply, m->tvb, 8, 4, m->enc);
    proto_tree_add_item(flags, hf_error_bit, m->tvb, 8, 4, m->enc);
    proto_tree_add_item(m->tree, hf_error, m->tvb, 12, 4, m->enc);
}

static int dissect_vfio_user(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    const capture_context *const context = (const capture_context *)data;
    message m = {.tvb = tvb,
                 .pinfo = pinfo,
                 .context = context,
                 .enc = context && context->big ? ENC_BIG_ENDIAN : ENC_LITTLE_ENDIAN,
                 .whole = context ? context->size : tvb_reported_length(tvb)};
    proto_item *item;

    m.kept = MIN(tvb_captured_length(tvb), m.whole);
    col_set_str(pinfo->cinfo, COL_PROTOCOL, "vfio-user");
    item = proto_tree_add_item(tree, proto_vfio_user, tvb, 0, m.kept, ENC_NA);
    m.tree = proto_item_add_subtree(item, ett_message);
    if (m.kept < HEADER) {
        col_set_str(pinfo->cinfo, COL_INFO, "Header not whole");
        return tvb_captured_length(tvb);
    }
    show_header(&m);
    if (context && !PINFO_FD_VISITED(pinfo)) {
        pair_see(&m);
    }
    m.refusal =
        (m.flags & 0x20) && (m.reply || wmem_map_lookup(answers, GUINT_TO_POINTER(pinfo->num)));
    col_add_fstr(pinfo->cinfo, COL_INFO, "%s%s", val_to_str(m.command, command_names, "command %u"),
                 m.refusal ? " error"
                 : m.reply ? " ok"
                           : "");
    pair_show(&m);
    show_payload(&m);
    return tvb_captured_length(tvb);
}

static int dissect_capture(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data _U_)
{
    message m = {.tvb = tvb, .pinfo = pinfo, .enc = ENC_LITTLE_ENDIAN};
    capture_context c;
    proto_item *item;
    guint length, fds;
    guint64 delivered;
    nstime_t time;

    m.kept = m.whole = tvb_captured_length(tvb);
    item = proto_tree_add_item(tree, proto_capture, tvb, 0, m.kept, ENC_NA);
    m.tree = proto_item_add_subtree(item, ett_message);
    if (m.kept < CAPTURE_FIXED) {
        return tvb_captured_length(tvb);
    }
    show_columns(&m, m.tree, &capture_structs[0], 0, CAPTURE_FIXED);
    delivered = tvb_get_letoh64(tvb, 16);
    time.secs = (time_t)(delivered / 1000000000);
    time.nsecs = (int)(delivered % 1000000000);
    proto_tree_add_time(m.tree, hf_delivered, tvb, 16, 8, &time);
    show_columns(&m, m.tree, &capture_structs[1], 0, CAPTURE_FIXED);
    length = tvb_get_letohs(tvb, 2);
    fds = tvb_get_letohs(tvb, 6);
    if (tvb_get_guint8(tvb, 0) != 1 || tvb_get_guint8(tvb, 5) > 1 ||
        length != CAPTURE_FIXED + fds * CAPTURE_FD) {
        return tvb_captured_length(tvb);
    }
    for (guint i = 0; i < fds && message_has(&m, CAPTURE_FIXED + i * CAPTURE_FD, CAPTURE_FD); i++) {
        const guint at = CAPTURE_FIXED + i * CAPTURE_FD;

        item = proto_tree_add_item(m.tree, capture_structs[2].hf, tvb, at, CAPTURE_FD, ENC_NA);
        show_columns(&m, proto_item_add_subtree(item, ett_struct), &capture_structs[2], at,
                     CAPTURE_FD);
    }
    if (length < m.kept) {
        const guint8 flags = tvb_get_guint8(tvb, 1);

        c = (capture_context){.big = flags & 0x1,
                              .broker = (flags & 0x2) != 0,
                              .twin = (flags & 0x4) != 0,
                              .undelivered = (flags & 0x8) != 0,
                              .client = tvb_get_guint8(tvb, 5) == 0,
                              .legs = tvb_get_guint8(tvb, 4) & 0x3,
                              .session = tvb_get_letoh64(tvb, 8),
                              .size = tvb_get_letohl(tvb, 24),
                              .number = tvb_get_letoh64(tvb, 32)};
        call_dissector_with_data(message_handle, tvb_new_subset_remaining(tvb, length), pinfo, tree,
                                 &c);
    }
    return tvb_captured_length(tvb);
}

/* ---- registration ---- */

static void add_field(GArray *fields, int *hf, const char *protocol, const char *name,
                      enum ftenum type, int display, const void *strings, guint64 mask)
{
    const char *const abbrev = wmem_strdup_printf(wmem_epan_scope(), "%s.%s", protocol, name);
    const hf_register_info f = {hf, {name, abbrev, type, display, strings, mask, NULL, HFILL}};

    *hf = -1;
    g_array_append_val(fields, f);
}

static const char *joined(const char *one, const char *other)
{
    return one[0] ? wmem_strdup_printf(wmem_epan_scope(), "%s.%s", one, other) : other;
}

static void add_structs(GArray *fields, const char *protocol, vfio_user_struct *all, guint n)
{
    static const enum ftenum types[] = {
        [1] = FT_UINT8, [2] = FT_UINT16, [4] = FT_UINT32, [8] = FT_UINT64};

    for (guint i = 0; i < n; i++) {
        if (all[i].name[0]) {
            add_field(fields, &all[i].hf, protocol, all[i].name, FT_NONE, BASE_NONE, NULL, 0);
        }
        for (guint k = 0; k < array_length(all[i].columns) && all[i].columns[k].name; k++) {
            vfio_user_column *const c = &all[i].columns[k];
            const char *const name = joined(all[i].name, c->name);

            add_field(fields, &c->hf, protocol, name, types[c->size], c->display, NULL, 0);
            for (guint b = 0; b < array_length(c->bits) && c->bits[b].name; b++) {
                add_field(fields, &c->bits[b].hf, protocol, joined(name, c->bits[b].name),
                          FT_BOOLEAN, (int)c->size * 8, NULL, c->bits[b].mask);
            }
        }
    }
}

static void add_fields(GArray *f)
{
    static const char p[] = "vfio_user";
    const struct {
        int *hf;
        const char *name;
    } bytes[] = {{&hf_data, "data"},
                 {&hf_region_data, "region.data"},
                 {&hf_dma_data, "dma.data"},
                 {&hf_mig_bytes, "mig_data.data"},
                 {&hf_irq_bool, "irq_set.data"},
                 {&hf_bitmap, "dma_report.bitmap"}};

    add_field(f, &hf_id, p, "id", FT_UINT16, BASE_HEX, NULL, 0);
    add_field(f, &hf_command, p, "command", FT_UINT16, BASE_DEC, VALS(command_names), 0);
    add_field(f, &hf_size, p, "size", FT_UINT32, BASE_DEC, NULL, 0);
    add_field(f, &hf_flags, p, "flags", FT_UINT32, BASE_HEX, NULL, 0);
    add_field(f, &hf_type, p, "flags.type", FT_UINT32, BASE_DEC, VALS(type_names), 0xf);
    add_field(f, &hf_no_reply, p, "flags.no_reply", FT_BOOLEAN, 32, NULL, 0x10);
    add_field(f, &hf_error_bit, p, "flags.error", FT_BOOLEAN, 32, NULL, 0x20);
    add_field(f, &hf_error, p, "error", FT_UINT32, BASE_DEC, NULL, 0);
    add_field(f, &hf_request_in, p, "request_in", FT_FRAMENUM, BASE_NONE,
              FRAMENUM_TYPE(FT_FRAMENUM_REQUEST), 0);
    add_field(f, &hf_response_in, p, "response_in", FT_FRAMENUM, BASE_NONE,
              FRAMENUM_TYPE(FT_FRAMENUM_RESPONSE), 0);
    add_field(f, &hf_time, p, "time", FT_RELATIVE_TIME, BASE_NONE, NULL, 0);
    for (guint i = 0; i < array_length(bytes); i++) {
        add_field(f, bytes[i].hf, p, bytes[i].name, FT_BYTES, BASE_NONE, NULL, 0);
    }
    add_field(f, &hf_region_value, p, "region.value", FT_UINT64, BASE_HEX, NULL, 0);
    add_field(f, &hf_register, p, "region.register", FT_STRING, BASE_NONE, NULL, 0);
    add_field(f, &hf_feature, p, "feature.index", FT_UINT32, BASE_DEC, NULL, 0xffff);
    add_field(f, &hf_json, p, "version.data", FT_STRING, BASE_NONE, NULL, 0);
    add_structs(f, p, structs, array_length(structs));
}

void proto_register_vfio_user(void)
{
    static int *ett[] = {&ett_message, &ett_struct, &ett_flags};
    GArray *const message_fields = g_array_new(FALSE, TRUE, sizeof(hf_register_info));
    GArray *const capture_fields = g_array_new(FALSE, TRUE, sizeof(hf_register_info));

    for (guint i = 0; i < array_length(commands); i++) {
        command_names[i] = (value_string){commands[i].code, commands[i].name};
    }
    for (guint i = 0; i < array_length(ett); i++) {
        *ett[i] = -1;
    }
    add_fields(message_fields);
    add_field(capture_fields, &hf_delivered, "vfio_user_capture", "delivered", FT_RELATIVE_TIME,
              BASE_NONE, NULL, 0);
    add_structs(capture_fields, "vfio_user_capture", capture_structs,
                array_length(capture_structs));
    proto_vfio_user = proto_register_protocol("vfio-user", "vfio-user", "vfio_user");
    proto_capture = proto_register_protocol("vfio-user, as captured by poemd", "vfio-user capture",
                                            "vfio_user_capture");
    /* Kept as long as the program runs. */
    proto_register_field_array(proto_vfio_user, (hf_register_info *)(void *)message_fields->data,
                               (int)message_fields->len);
    proto_register_field_array(proto_capture, (hf_register_info *)(void *)capture_fields->data,
                               (int)capture_fields->len);
    proto_register_subtree_array(ett, array_length(ett));
    pending =
        wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(), wmem_str_hash, g_str_equal);
    answers =
        wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(), g_direct_hash, g_direct_equal);
    responses =
        wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(), g_direct_hash, g_direct_equal);
    begun =
        wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(), g_int64_hash, g_int64_equal);
    message_handle = register_dissector("vfio_user", dissect_vfio_user, proto_vfio_user);
    register_dissector("vfio_user_capture", dissect_capture, proto_capture);
}

void proto_reg_handoff_vfio_user(void)
{
    json_handle = find_dissector("json");
}
