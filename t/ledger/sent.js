'use strict';

/*
 * sent.js - the file "sent": every attempt of the devices, and the messages
 * (device, epoch, seq) that they are attempts of.
 *
 * Only numbers are kept of an attempt, and a hash for its data.  Whatever is
 * not as README.md says makes the run void: an attempt that went missing here
 * would be a loss that nobody looks for.
 */

const { eachLine, table, room, interner } = require('./lines.js');
const normal = require('./normal.js');

const OUTCOMES = ['-', 'ACK', 'QUEUED', 'DUP', 'DLQ', 'REFUSED', 'UNKNOWN'];

const ACK = 1;
const QUEUED = 2;
const DUP = 3;
const DLQ = 4;
const REFUSED = 5;
const UNKNOWN = 6;

const COUNT = /^[0-9]{1,15}$/;
const COUNTS = /^[0-9]{1,15}(?: [0-9]{1,15}){5}$/;

/* of an attempt: the first of its request; its body is no envelope */
const FIRST = 1;
const INVALID = 2;


function create() {
    return {
        /* by N, from 1 */
        attempt: table({
            start: Float64Array, end: Float64Array, outcome: Uint8Array,
            status: Uint16Array, reason: Uint16Array, message: Int32Array,
            conn: Float64Array, class: Uint8Array, tries: Uint16Array,
            flags: Uint8Array, level: Uint8Array, hash: Uint32Array,
            hash2: Uint32Array, ts: Float64Array, before: Int32Array
        }),

        /* by message, from 0; last is its last attempt */
        message: table({ sender: Int32Array, seq: Float64Array,
                         last: Int32Array }),

        attempts: 0,
        messages: 0,
        ended: 0,
        clients: 0,
        connections: 0,
        firstStart: Infinity,
        lastEnd: 0,
        counts: OUTCOMES.map(() => 0),

        senders: interner(),        /* device and epoch */
        classes: interner(),
        reasons: interner(),
        levels: interner(),
        bySeq: []                   /* of a sender: seq to message */
    };
}


/* wrong takes the reasons for which the run is void */

function read(file, wrong) {
    const sent = create();
    const seen = { clients: new Set(), conns: new Set() };
    let end = null;
    let request = '';

    const result = eachLine(file, (line, number) => {
        if (end !== null) {
            wrong.add(`sent:${number}: a line behind X`);
            return;
        }

        const f = line.split('\t');

        if (f[0] === 'S' && f.length === 12) {
            const error = begun(sent, f, seen, request);

            request = `${f[4]} ${f[2]}`;

            if (error) {
                wrong.add(`sent:${number}: ${error}`);
            }

        } else if (f[0] === 'E' && f.length === 6) {
            const error = ended(sent, f);

            if (error) {
                wrong.add(`sent:${number}: ${error}`);
            }

        } else if (f[0] === 'X' && f.length === 2 && COUNT.test(f[1])) {
            end = Number(f[1]);

        } else {
            wrong.add(`sent:${number}: not a line of it`);
        }
    });

    sent.clients = seen.clients.size;
    sent.connections = seen.conns.size;

    if (end === null || result.cut) {
        wrong.add('sent: does not end with X, it was cut');

    } else if (end !== sent.attempts || end !== sent.ended) {
        wrong.add(`sent: X says ${end} attempts, but ${sent.attempts} began `
                  + `and ${sent.ended} ended`);
    }

    return sent;
}


const words = [0, 0];

function begun(sent, f, seen, request) {
    const a = sent.attempt;
    const n = Number(f[1]);

    if (!COUNTS.test(`${f[1]} ${f[2]} ${f[3]} ${f[4]} ${f[7]} ${f[9]}`)) {
        return 'a number is none';
    }

    /* attempts are written in the order of N, so none can be missing */

    if (n !== sent.attempts + 1) {
        return `attempt ${n} follows attempt ${sent.attempts}`;
    }

    sent.attempts = n;

    const start = Number(f[2]);
    const seq = Number(f[7]);
    const epoch = f[6] === '-' ? '' : f[6];
    const index = messageOf(sent, f[5], epoch, seq);
    const m = sent.message;

    seen.clients.add(f[3]);
    seen.conns.add(f[4]);

    if (start < sent.firstStart) {
        sent.firstStart = start;
    }

    room(a, n);
    a.start[n] = start;
    a.message[n] = index;
    a.conn[n] = Number(f[4]);
    a.class[n] = sent.classes.number(f[8]);
    a.tries[n] = Math.min(Number(f[9]), 65535);
    a.level[n] = sent.levels.number(f[10]);
    a.before[n] = m.last[index];
    m.last[index] = n;

    let flags = request === `${f[4]} ${f[2]}` ? 0 : FIRST;
    let body = null;

    try {
        body = normal.envelope(f[11]);

    } catch (e) {
        flags |= INVALID;
    }

    a.flags[n] = flags;

    if (body === null) {
        a.ts[n] = NaN;
        return null;
    }

    normal.hash(body.data, words);
    a.hash[n] = words[0];
    a.hash2[n] = words[1];
    a.ts[n] = body.ts === null ? NaN : body.ts;

    if ((body.device !== null && body.device !== f[5])
        || body.epoch !== epoch
        || body.seq !== seq
        || (body.class !== null && body.class !== f[8]))
    {
        return 'the body contradicts its line';
    }

    return null;
}


function ended(sent, f) {
    const a = sent.attempt;
    const n = Number(f[1]);
    const end = Number(f[2]);
    const outcome = OUTCOMES.indexOf(f[3]);

    if (!COUNT.test(f[1]) || !COUNT.test(f[2]) || !COUNT.test(f[4])
        || outcome < 1)
    {
        return 'not an end';
    }

    if (n < 1 || n > sent.attempts) {
        return `attempt ${n} ended and had not begun`;
    }

    if (a.outcome[n]) {
        return `attempt ${n} ended twice`;
    }

    if (end < a.start[n]) {
        return `attempt ${n} ended before it began`;
    }

    a.end[n] = end;
    a.outcome[n] = outcome;
    a.status[n] = Number(f[4]);
    a.reason[n] = sent.reasons.number(f[5]);

    sent.counts[outcome]++;
    sent.ended++;

    if (end > sent.lastEnd) {
        sent.lastEnd = end;
    }

    return null;
}


function messageOf(sent, device, epoch, seq) {
    const sender = sent.senders.number(`${device}\t${epoch}`);
    const seqs = sent.bySeq[sender] || (sent.bySeq[sender] = new Map());
    let index = seqs.get(seq);

    if (index === undefined) {
        index = sent.messages++;
        seqs.set(seq, index);

        room(sent.message, index);
        sent.message.sender[index] = sender;
        sent.message.seq[index] = seq;
    }

    return index;
}


/* the message of a record, or -1 */

function find(sent, device, epoch, seq) {
    const sender = sent.senders.find(`${device}\t${epoch}`);

    if (sender === undefined || seq === null) {
        return -1;
    }

    const index = sent.bySeq[sender].get(seq);

    return index === undefined ? -1 : index;
}


/* calls each(N) for the attempts of a message, the last first */

function eachAttempt(sent, index, each) {
    const before = sent.attempt.before;

    for (let n = sent.message.last[index]; n; n = before[n]) {
        each(n);
    }
}


/* a number for each outcome, of the attempts of a message */

function outcomesOf(sent, index) {
    const counts = OUTCOMES.map(() => 0);

    eachAttempt(sent, index, (n) => counts[sent.attempt.outcome[n]]++);

    return counts;
}


function idOf(sent, index) {
    const [device, epoch] =
        sent.senders.names[sent.message.sender[index]].split('\t');

    return `${device}/${epoch || '-'}/${sent.message.seq[index]}`;
}


module.exports = { read, find, eachAttempt, outcomesOf, idOf, OUTCOMES,
                   ACK, QUEUED, DUP, DLQ, REFUSED, UNKNOWN, FIRST, INVALID };
