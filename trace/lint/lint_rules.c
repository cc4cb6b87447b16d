/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The table of rules: each one's name, level, section of the specification, and text. */
#include "trace/lint/lint.h"

#include <assert.h>

#define HEADER "Header"
#define COMMANDS "Commands"
#define SIZES "Message sizes"
#define VERSION "VFIO_USER_VERSION"
#define READ_WRITE "Read and Write Operations"

static const struct lint_rule rules[] = {
    [LINT_REPLY_TO_NO_REPLY] = {"reply-to-no-reply", LINT_ERROR, HEADER,
                                "a reply to a request that set No_reply"},
    [LINT_ERROR_WITHOUT_REPLY] = {"error-without-reply", LINT_ERROR, HEADER,
                                  "an error reply whose type is not Reply"},
    [LINT_UNKNOWN_TYPE] = {"unknown-type", LINT_ERROR, HEADER, "neither a command nor a reply"},
    [LINT_RESERVED_FLAGS] = {"reserved-flags", LINT_WARNING, HEADER, "flags that are not defined"},
    [LINT_HEADER_SIZE] = {"header-size", LINT_ERROR, HEADER,
                          "the header's size differs from the message's"},
    [LINT_REPLY_COMMAND] = {"reply-command", LINT_ERROR, HEADER,
                            "a reply with another command than its request"},
    [LINT_UNASKED_REPLY] = {"unasked-reply", LINT_ERROR, HEADER,
                            "a reply with an id that no pending request has"},
    [LINT_ERROR_PAYLOAD] = {"error-payload", LINT_ERROR, HEADER,
                            "an error reply with more than its header"},
    [LINT_NO_REPLY_IN_REPLY] = {"no-reply-in-reply", LINT_WARNING, HEADER,
                                "No_reply in a reply, in which it has no meaning"},
    [LINT_ERROR_IN_COMMAND] = {"error-in-command", LINT_WARNING, HEADER,
                               "Error in a command, in which it has no meaning"},
    [LINT_ERROR_FIELD] = {"error-field", LINT_NOTE, HEADER,
                          "the error field is set in a message without Error"},
    [LINT_UNANSWERED] = {"unanswered", LINT_ERROR, HEADER,
                         "a request was never answered, though later ones were"},
    [LINT_UNANSWERED_AT_END] = {"unanswered-at-end", LINT_NOTE, HEADER,
                                "a request was not answered before the session ended"},
    [LINT_NO_ANSWER] = {"no-answer", LINT_ERROR, HEADER, "a request got no answer"},
    [LINT_INCOMPLETE] = {"incomplete", LINT_ERROR, HEADER,
                         "a message that its sender began and did not finish"},
    [LINT_UNKNOWN_COMMAND] = {"unknown-command", LINT_WARNING, COMMANDS,
                              "a command that is not in the list"},
    [LINT_WRONG_DIRECTION] = {"wrong-direction", LINT_ERROR, COMMANDS,
                              "a command that only the other party may send"},
    [LINT_BEFORE_VERSION] = {"before-version", LINT_ERROR, VERSION,
                             "a command before VERSION was answered"},
    [LINT_VERSION_AGAIN] = {"version-again", LINT_ERROR, VERSION, "a second VERSION request"},
    [LINT_VERSION_DATA] = {"version-data", LINT_ERROR, VERSION, "the version data is malformed"},
    [LINT_VERSION_NUMBER] = {"version-number", LINT_ERROR, VERSION,
                             "the reply's version does not match the request's"},
    [LINT_VERSION_CAPABILITY] = {"version-capability", LINT_NOTE, VERSION,
                                 "the reply names a capability that was not proposed"},
    [LINT_PAYLOAD_SHORT] = {"payload-short", LINT_ERROR, NULL,
                            "the payload is shorter than its fixed part"},
    [LINT_PAYLOAD_LONG] = {"payload-long", LINT_ERROR, NULL,
                           "the payload is longer than it may be"},
    [LINT_COUNT] = {"count", LINT_ERROR, NULL,
                    "a count does not agree with the size of the payload"},
    [LINT_FLAGS] = {"flags", LINT_ERROR, NULL, "flags that exclude each other, or reserved ones"},
    [LINT_CAPS] = {"caps", LINT_ERROR, "VFIO region capabilities",
                   "the list of capabilities leaves its message or loops"},
    [LINT_ARGSZ_SMALL] = {"argsz-small", LINT_WARNING, SIZES,
                          "argsz has no room for the reply's fixed part"},
    [LINT_ARGSZ_WRONG] = {"argsz-wrong", LINT_WARNING, NULL,
                          "argsz is not the size of the request's structure"},
    [LINT_REPLY_OVER_ARGSZ] = {"reply-over-argsz", LINT_ERROR, SIZES,
                               "the reply is larger than the request's argsz"},
    [LINT_REPLY_ARGSZ] = {"reply-argsz", LINT_ERROR, SIZES,
                          "the reply's argsz does not agree with its size"},
    [LINT_NOT_ZERO] = {"not-zero", LINT_WARNING, NULL, "fields of the request that must be zero"},
    [LINT_FDS_WHERE_NONE] = {"fds-where-none", LINT_ERROR, NULL,
                             "file descriptors with a message that may not have any"},
    [LINT_TOO_MANY_FDS] = {"too-many-fds", LINT_ERROR, VERSION,
                           "more file descriptors than the receiver's max_msg_fds"},
    [LINT_FDS_MISSING] = {"fds-missing", LINT_ERROR, NULL,
                          "another number of file descriptors than the message announces"},
    [LINT_FD_INDEX] = {"fd-index", LINT_ERROR, NULL, "the index of a missing file descriptor"},
    [LINT_DATA_OVER_MAX] = {"data-over-max", LINT_ERROR, READ_WRITE,
                            "more data than the peer's max_data_xfer_size"},
    [LINT_ASKED_OVER_MAX] = {"asked-over-max", LINT_WARNING, READ_WRITE,
                             "a request for more data than the sender's own max_data_xfer_size"},
    [LINT_MESSAGE_SIZE] = {"message-size", LINT_ERROR, SIZES,
                           "a message larger than its receiver accepts, or asked for"},
    [LINT_REGION_UNKNOWN] = {"region-unknown", LINT_ERROR, NULL,
                             "a region that the device does not have"},
    [LINT_REGION_BEYOND] = {"region-beyond", LINT_ERROR, NULL, "an access beyond the region's end"},
    [LINT_REGION_FLAG] = {"region-flag", LINT_ERROR, "VFIO_USER_DEVICE_GET_REGION_INFO",
                          "an access that the region's flags do not allow"},
    [LINT_REPLY_DIFFERS] = {"reply-differs", LINT_ERROR, NULL,
                            "the reply is about another object than the request"},
    [LINT_REPLY_COUNT] = {"reply-count", LINT_ERROR, NULL,
                          "the reply has more data than the request asked for"},
    [LINT_REPLY_SHORT] =
        {"reply-short", LINT_WARNING, NULL,
         "the reply has less data than the request asked for, but is not an error"},
    [LINT_IRQ_UNKNOWN] = {"irq-unknown", LINT_ERROR, NULL,
                          "an interrupt type that the device does not have"},
    [LINT_IRQ_BEYOND] = {"irq-beyond", LINT_ERROR, NULL, "interrupts beyond the type's last"},
    [LINT_IRQ_FLAG] = {"irq-flag", LINT_WARNING, "VFIO_USER_DEVICE_GET_IRQ_INFO",
                       "an action that the interrupt type does not support"},
    [LINT_MULTI_NOT_NEGOTIATED] = {"multi-not-negotiated", LINT_ERROR, VERSION,
                                   "REGION_WRITE_MULTI without write_multiple"},
    [LINT_MAP_RANGE] = {"map-range", LINT_ERROR, NULL, "an empty range, or one that wraps round"},
    [LINT_MAP_PAGE] = {"map-page", LINT_WARNING, VERSION,
                       "a range that is not in whole pages of pgsizes"},
    [LINT_MAP_OFFSET] = {"map-offset", LINT_WARNING, "VFIO_USER_DMA_MAP",
                         "an offset without a file descriptor"},
    [LINT_MAP_OVERLAP] = {"map-overlap", LINT_ERROR, "VFIO_USER_DMA_MAP",
                          "a map over an existing one"},
    [LINT_MAP_OVERLAP_TAKEN] = {"map-overlap-taken", LINT_ERROR, "VFIO_USER_DMA_MAP",
                                "a map over an existing one did not fail with EEXIST"},
    [LINT_MAP_TOO_MANY] = {"map-too-many", LINT_ERROR, VERSION,
                           "more maps at once than max_dma_maps"},
    [LINT_UNMAP_UNKNOWN] = {"unmap-unknown", LINT_ERROR, "VFIO_USER_DMA_UNMAP",
                            "an unmap that matches no map exactly"},
    [LINT_DMA_OUTSIDE] = {"dma-outside", LINT_ERROR, NULL, "memory that is not mapped"},
    [LINT_DMA_FLAGS] = {"dma-flags", LINT_ERROR, "VFIO_USER_DMA_MAP",
                        "an access that the map's flags do not allow"},
    [LINT_RESET_UNSUPPORTED] = {"reset-unsupported", LINT_WARNING, "VFIO_USER_DEVICE_GET_INFO",
                                "a reset of a device that does not offer it"},
    [LINT_FEATURE_UNKNOWN] = {"feature-unknown", LINT_NOTE, "Device Features",
                              "a feature that is not in the list"},
    [LINT_STATE_UNUSED] = {"state-unused", LINT_WARNING, "VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE",
                           "a migration state that vfio-user does not use, or an unknown one"},
    [LINT_STATE_FORBIDDEN] = {"state-forbidden", LINT_ERROR, "Direct State Transitions",
                              "a transition that is not allowed"},
    [LINT_MIG_STATE] = {"mig-state", LINT_ERROR, NULL, "migration data in a state without data"},
    [LINT_NOT_ACCEPTED] = {"not-accepted", LINT_ERROR, "",
                           "the program at the other end does not accept it"},
    [LINT_WARNED_ABOUT] = {"warned-about", LINT_NOTE, "",
                           "the program at the other end warns, or does without it"},
};

static_assert(sizeof rules / sizeof *rules == LINT_CODES, "a rule for each code");

/* What QEMU 11.1 does if a device breaks the rule: NULL, or a verb and more. */
static const char *const qemu[LINT_CODES] = {
    [LINT_UNKNOWN_TYPE] = "prints \"unknown message type\" and ends the connection",
    [LINT_HEADER_SIZE] = "prints \"bad header size\" and ends the connection",
    [LINT_UNASKED_REPLY] = "prints \"unexpected reply\", and may lose its place in the stream",
    [LINT_UNANSWERED] = "prints \"timed out waiting for reply\", by default after 5 s",
    [LINT_NO_ANSWER] = "prints \"timed out waiting for reply\", by default after 5 s",
    [LINT_INCOMPLETE] = "crashes when its time-out ends (SIGSEGV)",
    [LINT_VERSION_DATA] =
        "prints \"malformed\" or \"corrupt version reply\" and refuses the device",
    [LINT_VERSION_NUMBER] = "prints \"incompatible server version\" and refuses the device",
};

const char *lint_rule_qemu(enum lint_code code)
{
    return qemu[code];
}

const struct lint_rule *lint_rule(enum lint_code code)
{
    return &rules[code];
}

const char *lint_level_name(enum lint_level level)
{
    static const char *const names[LINT_LEVELS] = {
        [LINT_NOTE] = "note", [LINT_WARNING] = "warning", [LINT_ERROR] = "error"};

    return names[level];
}
