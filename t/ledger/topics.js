'use strict';

/*
 * topics.js - what Kafka holds, record by record, against what was sent.
 *
 * Finds what can be said of a record alone (invented, changed, in the wrong
 * place, out of order) and counts the copies of every message for the rest.
 * Without it a record that nobody sent, or with a digit changed, would pass
 * as long as the sums are right.
 */

const { eachLine, table, room, findings } = require('./lines.js');
const normal = require('./normal.js');
const sentFile = require('./sent.js');

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/*
 * Between the clock of CLOCK_MONOTONIC and that of a record lies a second
 * that status pages do not tell, and nginx looks at the clock once a turn.
 */
const CLOCK_SLACK = 5e6;

/* the hash of the data of the record that is judged */
const words = [0, 0];


function create(sent, plan, clock) {
    return {
        sent, plan, clock,
        records: 0,
        deadRecords: 0,
        topics: [],

        /* copies of a message; which the first one is, and when it came */
        copies: new Uint16Array(sent.messages),
        deadCopies: new Uint16Array(sent.messages),
        first: table({ topic: Uint8Array, partition: Uint16Array,
                       offset: Float64Array, timestamp: Float64Array,
                       hash: Float64Array }),
        excess: [],

        invented: findings(),
        breaks: [],
        judged: 0,
        skipped: 0,
        strays: findings(),
        last: new Map(),        /* of a connection and class: last attempt */
        partitions: new Map()   /* of a topic: device to partition */
    };
}


function read(folder, ends, sent, plan, clock, wrong) {
    const t = create(sent, plan, clock);

    room(t.first, sent.messages);

    for (const name of Object.keys(ends)) {
        readTopic(t, folder, name, ends[name], wrong);
    }

    return t;
}


function readTopic(t, folder, name, ends, wrong) {
    const index = t.topics.push(name) - 1;
    const next = ends.end.map(() => 0);
    let lines = 0;

    t.partitions.set(name, new Map());

    const result = eachLine(`${folder}/topic-${name}`, (line, number) => {
        const where = `topic-${name}:${number}`;
        let r;

        try {
            r = JSON.parse(line);

        } catch (e) {
            wrong.add(`${where}: no JSON`);
            return;
        }

        if (r === null || next[r.partition] === undefined) {
            wrong.add(`${where}: no record of a known partition`);
            return;
        }

        /* the tap mixes partitions, each in its order */

        if (r.offset !== next[r.partition]) {
            wrong.add(`${where}: offset ${r.offset} of partition `
                      + `${r.partition}, expected ${next[r.partition]}`);
        }

        next[r.partition] = r.offset + 1;
        lines++;

        judge(t, index, r);
    });

    if (result.cut) {
        wrong.add(`topic-${name}: was cut`);
    }

    ends.beginning.forEach((low, i) => {
        if (low !== 0) {
            wrong.add(`ends: ${name}, partition ${i}: low watermark ${low}`);
        }

        if (next[i] !== ends.end[i]) {
            wrong.add(`topic-${name}: partition ${i} was read to ${next[i]}, `
                      + `it ends at ${ends.end[i]}`);
        }
    });

    if (lines !== ends.records) {
        wrong.add(`topic-${name}: ${lines} records, ends says `
                  + `${ends.records}`);
    }
}


function judge(t, topic, r) {
    const name = t.topics[topic];
    const dead = name === t.plan.deadLetter;
    let value;

    if (dead) {
        t.deadRecords++;

    } else {
        t.records++;
    }

    const bad = (note, message) => t.invented.add({
        note: `${name} ${r.partition}/${r.offset}: ${note}`, message
    });

    try {
        value = normal.record(r.value);

    } catch (e) {
        bad(`not the value of a record (${e.message})`);
        return;
    }

    const message = sentFile.find(t.sent, value.device, value.epoch,
                                  value.seq);

    if (message < 0) {
        bad(`${value.device}/${value.epoch || '-'}/${value.seq} was never `
            + 'sent');
        return;
    }

    normal.hash(value.data, words);

    const wrong = differs(t, r, value, message, name, dead);

    if (wrong) {
        bad(wrong, message);
    }

    count(t, topic, r, message, dead);

    if (!dead) {
        order(t, topic, r, message);
    }
}


/* how a record is not what was sent, or null */

function differs(t, r, value, message, topic, dead) {
    const a = t.sent.attempt;

    if (r.key !== value.device) {
        return `key "${r.key}" for device "${value.device}"`;
    }

    let n = 0;
    let exact = 0;
    let last = 0;
    let early = Infinity;
    let late = 0;

    /* attempts of one message may differ in their data, or in their ts alone */

    sentFile.eachAttempt(t.sent, message, (i) => {
        last = last || i;
        early = Math.min(early, a.start[i]);
        late = Math.max(late, a.outcome[i] === sentFile.UNKNOWN
                              ? Infinity : a.end[i]);

        if (!(a.flags[i] & sentFile.INVALID)
            && a.hash[i] === words[0] && a.hash2[i] === words[1])
        {
            n = i;
            exact = a.ts[i] === value.ts ? i : exact;
        }
    });

    n = exact || n;

    if (!n) {
        return a.flags[last] & sentFile.INVALID
               ? 'what was sent is no envelope'
               : 'data is not what was sent';
    }

    const cls = t.sent.classes.names[a.class[n]];
    const ts = Number.isNaN(a.ts[n]) ? value.receivedAt : a.ts[n];

    if (value.class !== cls) {
        return `class "${value.class}", sent as "${cls}"`;
    }

    if (value.ts !== ts) {
        return `ts ${value.ts}, sent as ${ts}`;
    }

    if (value.receivedAt !== r.timestamp) {
        return `received_at ${value.receivedAt}, timestamp ${r.timestamp}`;
    }

    const received = t.clock(value.receivedAt);

    if (received < early - CLOCK_SLACK || received > late + CLOCK_SLACK) {
        return `received_at ${value.receivedAt} is not within the attempt`;
    }

    if (!dead && topic !== t.plan.topics[cls]) {
        return `class "${cls}" belongs to topic "${t.plan.topics[cls]}"`;
    }

    return headers(t, r.headers || {}, dead, cls);
}


function headers(t, h, dead, cls) {
    const m = TRACEPARENT.exec(h.traceparent);

    if (!m || /^0*$/.test(m[1]) || /^0*$/.test(m[2])) {
        return `traceparent ${JSON.stringify(h.traceparent)} is not valid`;
    }

    if (!dead) {
        return null;
    }

    if (h['gateway-topic'] !== t.plan.topics[cls]) {
        return `gateway-topic ${JSON.stringify(h['gateway-topic'])}, not `
               + `"${t.plan.topics[cls]}"`;
    }

    return h['gateway-reason'] ? null : 'no gateway-reason';
}


function count(t, topic, r, message, dead) {
    const first = t.first;
    const copies = dead ? t.deadCopies : t.copies;

    if (t.copies[message] + t.deadCopies[message] === 0) {
        first.topic[message] = topic;
        first.partition[message] = r.partition;
        first.offset[message] = r.offset;
        first.timestamp[message] = r.timestamp;
        first.hash[message] = words[0] * 4294967296 + words[1];

    } else {
        t.excess.push({ message, topic, partition: r.partition,
                        offset: r.offset,
                        hash: words[0] * 4294967296 + words[1] });
    }

    copies[message]++;
}


/*
 * Records of one connection and class must be in the order in which they were
 * sent.  Where it is open which attempt a record is of, nothing is said; it is
 * of none that was refused or was a duplicate.
 */

function order(t, topic, r, message) {
    const a = t.sent.attempt;
    const devices = t.partitions.get(t.topics[topic]);
    const partition = devices.get(r.key);

    if (partition === undefined) {
        devices.set(r.key, r.partition);

    } else if (partition !== r.partition) {
        t.strays.add({ message, note: `key "${r.key}" is in partitions `
                                      + `${partition} and ${r.partition}` });
    }

    if (t.copies[message] > 1) {
        return;
    }

    let writers = 0;
    let n = 0;

    sentFile.eachAttempt(t.sent, message, (i) => {
        if (a.outcome[i] !== sentFile.REFUSED
            && a.outcome[i] !== sentFile.DUP)
        {
            writers++;
            n = i;
        }
    });

    if (writers !== 1) {
        t.skipped++;
        return;
    }

    t.judged++;

    /* there is an order within a partition only */

    const key = ((a.conn[n] * 256 + a.class[n]) * 256 + topic) * 65536
                + r.partition;
    const last = t.last.get(key);

    if (last > n) {
        t.breaks.push({ n, behind: last, topic, partition: r.partition,
                        offset: r.offset });

    } else {
        t.last.set(key, n);
    }
}


/* { NAME: { beginning, end, records } } */

function readEnds(file, wrong) {
    const ends = {};

    const result = eachLine(file, (line, number) => {
        const m = /^(\S+) (\{.*\})$/.exec(line);
        let e = null;

        try {
            e = JSON.parse(m[2]);

        } catch (error) {
            e = null;
        }

        if (!e || !Array.isArray(e.beginning) || !Array.isArray(e.end)
            || e.beginning.length !== e.end.length
            || typeof e.records !== 'number' || ends[m[1]])
        {
            wrong.add(`ends:${number}: not a line of it`);
            return;
        }

        ends[m[1]] = e;
    });

    if (result.cut) {
        wrong.add('ends: was cut');
    }

    return ends;
}


module.exports = { read, readEnds };
