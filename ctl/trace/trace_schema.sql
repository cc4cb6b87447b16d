-- SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
-- SPDX-FileCopyrightText: 2026 The poemd authors
--
-- The tables of "poemctl trace export --sqlite", as poemctl-trace-stats(1) describes them. Times are
-- nanoseconds; a column is NULL if its value is not known or does not exist.

-- One row: the trace itself. broken: why it could not be read to its end.
CREATE TABLE trace (
    format TEXT NOT NULL,
    file TEXT NOT NULL,
    filter TEXT,
    broken TEXT
);

-- facts and ending are JSON; messages and lost are the last counts that the trace has of it.
CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    route TEXT NOT NULL,
    name TEXT NOT NULL,
    facts TEXT,
    messages INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    ended_ns INTEGER,
    ending TEXT
);

-- Each captured message, in the order of the trace. number counts in its session.
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session (id),
    number INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    passed_ns INTEGER NOT NULL,
    waited_ns INTEGER NOT NULL,
    sender TEXT NOT NULL,
    leg TEXT,
    twin INTEGER NOT NULL,
    by_broker INTEGER NOT NULL,
    undelivered INTEGER NOT NULL,
    lost_before INTEGER NOT NULL,
    size INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    fds INTEGER NOT NULL,
    msg_id INTEGER,
    command TEXT,
    type TEXT,
    no_reply INTEGER,
    error TEXT,
    region INTEGER,
    region_offset INTEGER,
    address INTEGER,
    count INTEGER,
    fields TEXT,
    comment TEXT,
    data BLOB
);

-- Requests with their replies. broker_ns is the broker's part of the time of both.
CREATE TABLE pair (
    request INTEGER PRIMARY KEY REFERENCES message (id),
    reply INTEGER NOT NULL REFERENCES message (id),
    latency_ns INTEGER NOT NULL,
    broker_ns INTEGER NOT NULL
);

-- What trace lint reports. number is the message's; more: further ones that are only counted.
CREATE TABLE finding (
    session INTEGER NOT NULL REFERENCES session (id),
    number INTEGER,
    level TEXT NOT NULL,
    rule TEXT NOT NULL,
    party TEXT NOT NULL,
    text TEXT NOT NULL,
    detail TEXT,
    effect TEXT,
    section TEXT,
    more INTEGER NOT NULL
);

-- The values in message.fields, one a row.
CREATE VIEW field AS
    SELECT message.id AS message, replace(substr(tree.fullkey, 3), '"', '') AS name, tree.atom AS value
    FROM message, json_tree(message.fields) AS tree
    WHERE tree.atom IS NOT NULL;

-- Requests with what became of them; reply_error and latency_ns are NULL without a reply.
CREATE VIEW request AS
    SELECT message.*, pair.reply, pair.latency_ns, pair.broker_ns, answer.error AS reply_error
    FROM message
    LEFT JOIN pair ON pair.request = message.id
    LEFT JOIN message AS answer ON answer.id = pair.reply
    WHERE message.type = 'request';
