'use strict';

/*
 * compare_test.js - the comparer must see what it is there for: a small run
 * that is green, and that run with one fault planted at a time.  A comparer
 * that says "green" to everything would else be noticed by nobody.
 *
 * Prints TAP.  The records are written down here by hand, not by normal.js.
 */

const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawnSync } = require('child_process');

const normal = require('./normal.js');

const COMPARER = path.join(__dirname, 'compare.js');

/* us of CLOCK_MONOTONIC, and the ms of the wall clock at that time */
const T0 = 1000000000;
const WALL = 1795400000000;

const STEP = 20000;

const CLASSES = ['control', 'heartbeat', 'telemetry'];

/* what is sent, and its ts (null: of receipt) and data as a record has them */
const BODIES = [
    ['{"device":"D","seq":N,"class":"C","data":{"a":1.0,"b":[1e3,-0.0]}}',
     null, '{"a":1.0,"b":[1e3,-0.0]}'],
    ['{ "ts" : 1649844416.9069, "data" : { "a" : 9007199254740993 } , '
     + '"class":"C","seq":N,"device":"D"}',
     1649844416906, '{ "a" : 9007199254740993 }'],
    ['{"data":"\\u0041\\/\\ud83d\\ude00","ts":"2024-06-12t03:44:12.034511'
     + '+02:00","device":"D","seq":N,"class":"C"}',
     1718156652034, '"A/\u{1f600}"'],
    ['{"ts":1746433104425,"device":"D","seq":N,"class":"C","data":null}',
     1746433104425, 'null']
];

const TRACE = '00-bc26c04ab07b684b94a611b563a36520-9b1fa35a25a9d21b-01';


/* a run in memory: attempts, records and the rest, to be changed and written */

function world() {
    const w = { attempts: [], records: [], faults: [], log: [], plan: [],
                cut: {}, edit: [] };

    /* two devices take turns on two connections */

    for (let i = 0; i < 24; i++) {
        send(w, { device: `d${i % 2}`, seq: 1 + (i >> 1),
                  class: CLASSES[(i >> 1) % 3] });
        deliver(w, w.attempts.length);
    }

    /* refused, one of them sent again */

    for (const seq of [13, 14]) {
        send(w, { device: 'd0', seq, class: 'telemetry', outcome: 'REFUSED',
                  status: 503, reason: 'full' });
    }

    send(w, { device: 'd0', seq: 13, class: 'telemetry', tries: 2 });
    deliver(w, w.attempts.length);

    /* a batch that was refused whole is one for the gateway */

    const batch = { device: 'd1', class: 'telemetry', outcome: 'REFUSED',
                    status: 400, reason: 'malformed' };

    send(w, { ...batch, seq: 13 });
    send(w, { ...batch, seq: 14, start: w.attempts[27].start });

    send(w, { device: 'd1', seq: 15, class: 'telemetry', outcome: 'DLQ',
              status: 502, reason: 'upstream_rejected' });
    deliver(w, w.attempts.length, 'fleet.dead');

    for (let i = 0; i < 6; i++) {
        send(w, { device: 'd0', seq: 15 + i, class: CLASSES[i % 3] });
        deliver(w, w.attempts.length);
    }

    fault(w, 'broker-freeze', at(w, 10), at(w, 12), '4');

    w.plan = ['ack delivered', 'rss_budget 1000000', 'recovery_s 1',
              'gateway buffer 64k;', 'dead_letter fleet.dead',
              ...CLASSES.map((c) => `topic ${c} fleet.${c}`)];

    w.log.push(line(at(w, 0), 'notice', 'start worker process 101'));

    for (let n = 0; n <= w.attempts.length; n += 4) {
        w.edit.push({ t: at(w, n) + STEP / 2, change: null });
    }

    w.rest = { t: at(w, w.attempts.length + 10), change: null };

    return w;
}


function at(w, n) {
    return T0 + n * STEP;
}


function wall(t) {
    return WALL + Math.floor((t - T0) / 1000);
}


function stamp(ms) {
    const d = new Date(ms);
    const two = (n) => String(n).padStart(2, '0');

    return `${d.getFullYear()}/${two(d.getMonth() + 1)}/${two(d.getDate())} `
           + `${two(d.getHours())}:${two(d.getMinutes())}:`
           + `${two(d.getSeconds())}`;
}


function line(t, level, text) {
    return `${stamp(wall(t))} [${level}] 100#100: ${text}`;
}


function fault(w, name, begin, end, what) {
    w.faults.push({ name, begin, end, what });
}


function send(w, a) {
    const n = w.attempts.length + 1;
    const start = a.start || at(w, n);
    const [body] = BODIES[(a.seq + (a.other || 0)) % BODIES.length];

    w.attempts.push({
        conn: a.device === 'd0' ? 1 : 2, tries: 1, outcome: 'ACK',
        status: 200, reason: '-', level: 'delivered', ...a, start,
        end: start + STEP / 4,
        body: body.replace('D', a.device).replace('N', a.seq)
                  .replace('"C"', `"${a.class}"`)
    });
}


function deliver(w, n, topic) {
    const a = w.attempts[n - 1];
    const [, ts, data] = BODIES[(a.seq + (a.other || 0)) % BODIES.length];
    const received = wall(a.start);
    const headers = { traceparent: TRACE };

    if (topic) {
        headers['gateway-reason'] = 'upstream_rejected';
        headers['gateway-topic'] = `fleet.${a.class}`;
    }

    w.records.push({
        n, topic: topic || `fleet.${a.class}`,
        partition: a.device === 'd0' ? 0 : 1, timestamp: received,
        key: a.device,
        value: `{"device":"${a.device}","epoch":"","seq":${a.seq},`
               + `"class":"${a.class}","ts":${ts === null ? received : ts},`
               + `"received_at":${received},"data":${data}}`,
        headers
    });
}


/* the record of an attempt */

function recordOf(w, n) {
    return w.records.find((r) => r.n === n);
}


function none() {
    return { pressure: 0, full: 0, expired: 0, draining: 0 };
}


/* what a gateway that counts well says of all that has ended by t */

function status(w, t) {
    const classes = {};
    const http = { received: 0, accepted: 0, delivered: 0, duplicate: 0,
                   dead_lettered: 0, failed: 0, lost: 0, waiting: 0,
                   shed_entry: 0, shed: 0, rejected: {} };

    for (const c of CLASSES) {
        classes[c] = { accepted: 0, delivered: 0, duplicate: 0,
                       dead_lettered: 0, failed: 0, lost: 0, waiting: 0,
                       shed: none(), shed_entry: none(),
                       queue: { messages: 0, bytes: 0, oldest_age: 0 },
                       inflight: 0 };
    }

    const requests = new Set();

    for (const a of w.attempts.filter((x) => x.end <= t && !x.unseen)) {
        const c = classes[a.class];
        const request = `${a.conn} ${a.start}`;

        const both = (name) => {
            c[name]++;
            http[name]++;
        };

        if (a.status === 400) {
            if (!requests.has(request)) {
                http.received++;
                http.rejected.malformed = 1 + (http.rejected.malformed || 0);
            }

            requests.add(request);
            continue;
        }

        http.received++;

        if (a.outcome === 'DUP') {
            both('duplicate');
            continue;
        }

        if (a.status === 422 || a.status === 409) {
            http.rejected[a.reason] = 1 + (http.rejected[a.reason] || 0);
            continue;
        }

        if (a.reason === 'full') {
            c.shed_entry.full++;
            http.shed_entry++;
            continue;
        }

        both('accepted');
        both(a.counted || (a.outcome === 'DLQ' ? 'dead_lettered'
                                               : 'delivered'));
    }

    const worker = { pid: 101, waiting: 0, charged: 1000 };

    return {
        time: Math.floor(wall(t) / 1000), start_time: 1795399000, workers: 1,
        gateways: [{
            name: 'fleet',
            state: { accepting: true, pressure: false, draining: false,
                     kafka: 'up' },
            protocols: { http }, classes,
            buffer: { charged: 1000, capacity: 65536 },
            kafka: { retries: 0, possible_duplicates: 0, fatal_errors: 0 },
            dedup: { entries: 2, capacity: 64, inflight: 0, evictions: 0,
                     held: 0, passed: { taken_over: 0, below: 0, jumped: 0,
                                        untracked: 0 } },
            workers: [worker]
        }]
    };
}


function scrapeLine(w, s) {
    const o = { t: s.t, rss: 500000, status: status(w, s.t) };

    if (s.change) {
        s.change(o, o.status.gateways[0]);
    }

    return JSON.stringify(o);
}


function write(w, folder) {
    const put = (name, lines) => {
        const text = lines.map((x) => `${x}\n`).join('');

        fs.writeFileSync(path.join(folder, name),
                         w.cut[name] ? text.slice(0, -w.cut[name]) : text);
    };

    const sent = [];

    w.attempts.forEach((a, i) => {
        sent.push([a.start, ['S', i + 1, a.start, a.device[1], a.conn,
                             a.device, '-', a.seq, a.class, a.tries, a.level,
                             a.body]]);
        sent.push([a.end, ['E', i + 1, a.end, a.outcome, a.status,
                           a.reason]]);
    });

    sent.sort((x, y) => x[0] - y[0]);
    put('sent', [...sent.map((x) => x[1].join('\t')),
                 `X\t${w.attempts.length}`]);

    const ends = [];

    for (const topic of [...CLASSES.map((c) => `fleet.${c}`), 'fleet.dead']) {
        const records = w.records.filter((r) => r.topic === topic);
        const next = [0, 0];

        put(`topic-${topic}`, records.map((r) => {
            const { partition, timestamp, key, value, headers } = r;
            const offset = next[partition]++ + (r.gap || 0);

            return JSON.stringify({ partition, offset, timestamp, key, value,
                                    headers });
        }));

        ends.push(`${topic} ` + JSON.stringify({
            beginning: [0, 0], end: next, records: records.length }));
    }

    put('ends', ends);
    put('scrapes', w.edit.map((s) => scrapeLine(w, s)));
    put('resting', [scrapeLine(w, w.rest)]);

    const faults = [];

    for (const f of w.faults) {
        faults.push([f.begin, f.name, 'begin', f.what]);
        faults.push([f.end, f.name, 'end', f.what]);
    }

    put('faults', faults.sort((x, y) => x[0] - y[0])
                        .map((f) => f.join('\t')));
    put('error.log', w.log);
    put('plan', w.plan);

    for (const name of w.missing || []) {
        fs.unlinkSync(path.join(folder, name));
    }
}


/* from scrape i on, at rest too */

function since(w, i, change) {
    for (const s of [...w.edit.slice(i), w.rest]) {
        s.change = change;
    }
}


/* a worker dies while attempt n waits, which nobody hears of again */

function kill(w, n) {
    const a = w.attempts[n - 1];

    fault(w, 'worker-kill', a.start + 1000, a.start + 3000, '101 1');

    Object.assign(a, { outcome: 'UNKNOWN', status: 0, counted: 'lost' });

    w.log.push(line(a.start, 'alert',
                    'worker process 101 exited on signal 9'),
               line(a.start, 'error', 'gateway "fleet": 1 messages waited in '
                    + 'a worker that died; none of them was acknowledged as '
                    + 'delivered'));
}


/* attempt n once more, over the connection of the other device */

function again(w, n, a) {
    const { device, seq, conn, ...first } = w.attempts[n - 1];

    send(w, { device, seq, class: first.class, tries: 2, conn: 3 - conn,
              outcome: 'DUP', ...a });

    return w.attempts.length;
}


/* what passed below, above or without a window: counted from scrape i on */

function passed(w, i, name) {
    since(w, i, (o, g) => { g.dedup.passed[name] = 1; });
}


function maybe(w, n) {
    w.log.push(line(w.attempts[n - 1].start, 'warn',
                    'gateway "fleet": a message of class "control" was '
                    + 'possibly written (_TIMED_OUT), it is sent again'));
    since(w, 2, (o, g) => { g.kafka.possible_duplicates = 1; });
}


function copy(w, n) {
    w.records.push({ ...recordOf(w, n) });
}


function drop(w, n) {
    w.records = w.records.filter((r) => r.n !== n);
}


function changed(w, n, from, to) {
    const r = recordOf(w, n);

    if (!r.value.includes(from)) {
        throw new Error(`record ${n} has no ${from}: ${r.value}`);
    }

    r.value = r.value.replace(from, to);
}


/*
 * [what is planted, its doing, exit code, the last line].  More than one
 * invariant may see a fault; all that do are named.
 */

const FAULTS = [
    ['nothing', () => {}, 0, 'green'],

    /* I1 */
    ['an acknowledged message is in no topic',
     (w) => drop(w, 5), 1, 'RED I1 I10'],
    ['a message that was answered dead-lettered is not there',
     (w) => drop(w, 30), 1, 'RED I1'],
    ['a queued message is gone and was not counted', (w) => {
        Object.assign(w.attempts[4], { outcome: 'QUEUED', status: 202,
                                       level: 'queued' });
        drop(w, 5);
    }, 1, 'RED I1 I10'],
    ['a queued message is gone, counted as lost with its worker', (w) => {
        kill(w, 5);
        Object.assign(w.attempts[4], { outcome: 'QUEUED', status: 202,
                                       level: 'queued' });
        drop(w, 5);
    }, 0, 'green'],
    ['an acknowledged message is lost with its worker', (w) => {
        kill(w, 5);
        Object.assign(w.attempts[4], { outcome: 'ACK', status: 200 });
        drop(w, 5);
    }, 1, 'RED I1 I10'],

    /* I2 */
    ['a second copy', (w) => copy(w, 5), 1, 'RED I2 I14'],
    ['a second copy, and a line that tells of it', (w) => {
        copy(w, 5);
        maybe(w, 5);
    }, 0, 'green'],
    ['a second copy, and a line of what was not counted', (w) => {
        copy(w, 5);
        maybe(w, 5);
        since(w, 2, null);
    }, 1, 'RED I2'],
    ['a second copy, and a counter that tells of it', (w) => {
        copy(w, 5);
        since(w, 2, (o, g) => { g.kafka.possible_duplicates = 1; });
    }, 0, 'green'],
    ['a second copy, and a counter that rose later', (w) => {
        copy(w, 5);
        since(w, 9, (o, g) => { g.kafka.possible_duplicates = 1; });
    }, 1, 'RED I2 I14'],
    ['two second copies for one line', (w) => {
        copy(w, 5);
        copy(w, 6);
        maybe(w, 5);
    }, 1, 'RED I2 I14'],
    ['a resend of a message whose outcome was unknown', (w) => {
        w.plan.push('gateway dedup off;');
        Object.assign(w.attempts[4], { outcome: 'UNKNOWN', status: 503,
                                       reason: 'timeout' });
        send(w, { ...w.attempts[4], start: 0, outcome: 'ACK', status: 200,
                  reason: '-', tries: 2 });
        deliver(w, w.attempts.length);
    }, 0, 'green'],
    ['a second copy of a resend of what was refused', (w) => {
        copy(w, 27);
    }, 1, 'RED I2 I14'],
    ['a second copy of what was out when a worker died', (w) => {
        kill(w, 5);
        copy(w, 5);
    }, 0, 'green'],
    ['a second copy of what was not out when a worker died', (w) => {
        kill(w, 5);
        copy(w, 8);
    }, 1, 'RED I2 I14'],

    /* I3 */
    ['a record that nobody sent', (w) => {
        w.records.push({ ...recordOf(w, 5),
                         value: recordOf(w, 5).value.replace('"seq":3',
                                                             '"seq":99') });
    }, 1, 'RED I3'],
    ['a number that lost a digit',
     (w) => changed(w, 1, '9007199254740993', '9007199254740992'),
     1, 'RED I3'],
    ['a number of the same value in another spelling',
     (w) => changed(w, 7, '1.0', '1'), 1, 'RED I3'],
    ['members in another order',
     (w) => changed(w, 7, '"a":1.0,"b":[1e3,-0.0]',
                    '"b":[1e3,-0.0],"a":1.0'), 1, 'RED I3'],
    ['a string in another spelling, of the same value',
     (w) => changed(w, 3, '"A/', '"\\u0041\\/'), 0, 'green'],
    ['a string of another value',
     (w) => changed(w, 3, '"A/', '"B/'), 1, 'RED I3'],
    ['another ts', (w) => changed(w, 3, '"ts":1718156652034',
                                  '"ts":1718156652035'), 1, 'RED I3'],
    ['a ts of receipt that is not received_at',
     (w) => changed(w, 7, '"ts":', '"ts":1'), 1, 'RED I3'],
    ['members of the record in another order', (w) => {
        const r = recordOf(w, 5);

        r.value = r.value.replace(/"epoch":"",("seq":\d+),/, '$1,"epoch":"",');
    }, 1, 'RED I1 I3'],
    ['a member twice', (w) => changed(w, 5, '"data":', '"data":1,"data":'),
     1, 'RED I1 I3'],
    ['another key', (w) => { recordOf(w, 5).key = 'd1'; }, 1, 'RED I3 I5'],
    ['no key', (w) => { recordOf(w, 5).key = null; }, 1, 'RED I3'],
    ['another class', (w) => changed(w, 5, '"class":"telemetry"',
                                     '"class":"control"'), 1, 'RED I3'],
    ['the topic of another class', (w) => {
        recordOf(w, 35).topic = 'fleet.control';
    }, 1, 'RED I3'],
    ['no traceparent', (w) => { recordOf(w, 5).headers = {}; }, 1, 'RED I3'],
    ['a traceparent that is all zero', (w) => {
        recordOf(w, 5).headers = { traceparent: `00-${'0'.repeat(32)}-`
                                                + `${'1'.repeat(16)}-00` };
    }, 1, 'RED I3'],
    ['received long before it was sent', (w) => {
        const r = recordOf(w, 5);
        const early = r.timestamp - 60000;

        r.value = r.value.replace(`"received_at":${r.timestamp}`,
                                  `"received_at":${early}`);
        r.timestamp = early;
    }, 1, 'RED I3'],
    ['a dead letter that does not tell its topic', (w) => {
        delete recordOf(w, 30).headers['gateway-topic'];
    }, 1, 'RED I3'],

    /* I4 */
    ['a refused message is stored', (w) => deliver(w, 26), 1, 'RED I4'],

    /* I5 */
    ['two records of a connection the other way round', (w) => {
        const a = recordOf(w, 5);
        const b = recordOf(w, 11);

        w.records = w.records.map((r) => (r === a ? b : r === b ? a : r));
    }, 1, 'RED I5'],
    ['a break of the order with a fatal error', (w) => {
        const a = recordOf(w, 5);
        const b = recordOf(w, 11);

        w.records = w.records.map((r) => (r === a ? b : r === b ? a : r));
        since(w, 2, (o, g) => { g.kafka.fatal_errors = 1; });
    }, 0, 'green'],
    ['a key in two partitions', (w) => {
        recordOf(w, 5).partition = 1;
    }, 1, 'RED I5'],

    /* I6 */
    ['control is shed while telemetry waits', (w) => {
        const a = w.attempts[24];

        send(w, { ...a, device: 'd0', seq: 30, class: 'control', start: 0 });
        w.edit[w.edit.length - 1].change = (o, g) => {
            g.classes.telemetry.queue.messages = 3;
        };
    }, 1, 'RED I6'],
    ['control is shed while nothing lower waits', (w) => {
        send(w, { ...w.attempts[24], seq: 30, class: 'control', start: 0 });
    }, 0, 'green'],

    /* I7 */
    ['more memory than the budget', (w) => {
        w.edit[3].change = (o) => { o.rss = 1000001; };
    }, 1, 'RED I7'],
    ['more charged than all buffers hold', (w) => {
        w.edit[3].change = (o, g) => { g.buffer.charged = 65537; };
    }, 1, 'RED I7'],
    ['a worker above its buffer', (w) => {
        w.edit[3].change = (o, g) => { g.workers[0].charged = 65537; };
    }, 1, 'RED I7'],

    /* I8 */
    ['a scrape with a message too many', (w) => {
        w.edit[3].change = (o, g) => { g.protocols.http.received++; };
    }, 1, 'RED I8'],
    ['a class that does not balance', (w) => {
        w.edit[3].change = (o, g) => { g.classes.control.accepted++; };
    }, 1, 'RED I8'],
    ['a protocol that does not balance', (w) => {
        w.edit[3].change = (o, g) => { g.protocols.http.waiting++; };
    }, 1, 'RED I8'],
    ['a counter that falls', (w) => {
        w.edit[5].change = (o) => { o.status = status(w, w.edit[4].t - 1e5); };
    }, 1, 'RED I8'],
    ['a message waits at rest', (w) => {
        w.rest.change = (o, g) => {
            g.protocols.http.received++;
            g.protocols.http.accepted++;
            g.protocols.http.waiting++;
            g.classes.control.accepted++;
            g.classes.control.waiting++;
            g.workers[0].waiting++;
        };
    }, 1, 'RED I8 I13'],
    ['a worker leaves a message behind that did not give up', (w) => {
        kill(w, 5);
        w.log[w.log.length - 1] = line(at(w, 6), 'error', 'gateway "fleet" '
            + 'drained in 3 ms: delivered=0 spooled=0 lost=1 (control '
            + 'delivered=0 lost=1)');
        drop(w, 5);
    }, 1, 'RED I8'],
    ['a loss that no line tells of', (w) => {
        kill(w, 5);
        w.log.pop();
        drop(w, 5);
    }, 1, 'RED I8'],

    /* I9 */
    ['a refusal that the gateway did not count', (w) => {
        w.attempts[25].unseen = true;
    }, 1, 'RED I9'],
    ['a refusal that no client has seen', (w) => {
        since(w, 8, (o, g) => {
            g.protocols.http.received++;
            g.protocols.http.shed_entry++;
            g.classes.control.shed_entry.full++;
        });
    }, 1, 'RED I9'],
    ['a refusal for another reason', (w) => {
        w.attempts[25].reason = 'pressure';
        w.attempts[25].unseen = true;
        since(w, 8, (o, g) => {
            g.protocols.http.received++;
            g.protocols.http.shed_entry++;
            g.classes.telemetry.shed_entry.full++;
        });
    }, 1, 'RED I9'],
    ['a refusal of nginx itself', (w) => {
        send(w, { ...w.attempts[25], seq: 40, start: 0, status: 413,
                  reason: '-', unseen: true });
    }, 0, 'green'],

    /* I10 */
    ['a delivery that no client has seen', (w) => {
        since(w, 8, (o, g) => {
            for (const x of [g.protocols.http, g.classes.control]) {
                x.accepted++;
                x.delivered++;
            }

            g.protocols.http.received++;
        });
    }, 1, 'RED I10'],
    ['an acknowledgement that the gateway did not count', (w) => {
        w.attempts[4].unseen = true;
    }, 1, 'RED I10'],

    /* I11 */
    ['"duplicate" of a message that is in no topic', (w) => {
        Object.assign(w.attempts[4], { outcome: 'DUP' });
        drop(w, 5);
    }, 1, 'RED I1 I11'],
    ['"duplicate" of a message that is acknowledged later', (w) => {
        again(w, 5);
        w.attempts[4].end += 2e6;
        w.attempts[36].end = w.attempts[36].start + 1000;
        w.rest.t += 4e6;
    }, 1, 'RED I11'],
    ['"duplicate" of a message that some attempt may have made safe', (w) => {
        again(w, 5, { outcome: 'UNKNOWN', status: 0, unseen: true });
        again(w, 5);
        w.attempts[4].end += 3e6;
        w.rest.t += 4e6;
    }, 0, 'green'],

    /* I12 */
    ['"sent" was cut', (w) => { w.cut.sent = 5; }, 2, 'VOID'],
    ['"sent" was cut in the middle of a line', (w) => { w.cut.sent = 90; },
     2, 'VOID'],
    ['a gap in the offsets', (w) => {
        recordOf(w, 9).gap = 1;
    }, 2, 'VOID'],
    ['a low watermark', (w) => {
        w.after = (folder) => replace(folder, 'ends', '"beginning":[0,0]',
                                      '"beginning":[1,0]');
    }, 2, 'VOID'],
    ['more records than were read', (w) => {
        w.after = (folder) => replace(folder, 'ends', '"records":',
                                      '"records":1');
    }, 2, 'VOID'],
    ['a body that is not of its line', (w) => {
        w.attempts[4].body = w.attempts[6].body;
    }, 2, 'VOID'],
    ['a scrape that is no JSON', (w) => {
        w.after = (folder) => fs.appendFileSync(path.join(folder, 'scrapes'),
                                                '{"t":1\n');
    }, 2, 'VOID'],
    ['a fault without an end', (w) => {
        w.after = (folder) => replace(folder, 'faults', '\tend\t', '\tbegin\t');
    }, 2, 'VOID'],
    ...['resting', 'faults', 'scrapes', 'sent', 'ends', 'plan', 'error.log',
        'topic-fleet.control'].map((name) => [
        `no file "${name}"`, (w) => { w.missing = [name]; }, 2, 'VOID']),

    /* I13 */
    ['an alert in the log', (w) => {
        w.log.push(line(at(w, 9), 'alert', 'worker process 101 exited on '
                                           + 'signal 11'));
    }, 1, 'RED I13'],
    ['a worker that was killed by nobody of ours', (w) => {
        w.log.push(line(at(w, 9), 'alert', 'worker process 102 exited on '
                                           + 'signal 9'));
    }, 1, 'RED I13'],
    ['an alert that the plan allows', (w) => {
        w.log.push(line(at(w, 9), 'alert', 'open socket #3 left'));
        w.plan.push('allow_log open socket #[0-9]+ left');
    }, 0, 'green'],
    ['Kafka is down at rest', (w) => {
        w.rest.change = (o, g) => { g.state.kafka = 'down'; };
    }, 1, 'RED I13'],
    ['nginx does not answer at rest', (w) => {
        w.rest.change = (o) => { o.status = null; };
    }, 1, 'RED I13'],
    ['a worker is missing at rest', (w) => {
        w.rest.change = (o) => { o.status.workers = 2; };
    }, 1, 'RED I13'],
    ['no acknowledgement after the last fault', (w) => {
        fault(w, 'reload', at(w, 15), at(w, 31) + 1, '-');

        for (const a of w.attempts.slice(30)) {
            a.start += 2e6;
            a.end += 2e6;
        }

        for (const r of w.records.filter((x) => x.n > 30)) {
            r.value = r.value.split(r.timestamp).join(r.timestamp + 2000);
            r.timestamp += 2000;
        }

        w.rest.t += 2e6;
    }, 1, 'RED I13'],

    /* I14 */
    ['a resend that was told "duplicate"', (w) => {
        again(w, 5);
    }, 0, 'green'],
    ['a resend that was stored, too', (w) => {
        deliver(w, again(w, 5, { outcome: 'ACK' }));
    }, 1, 'RED I14'],
    ['a resend of the unknown that was stored, too', (w) => {
        Object.assign(w.attempts[4], { outcome: 'UNKNOWN', status: 503,
                                       reason: 'timeout' });
        deliver(w, again(w, 5, { outcome: 'ACK' }));
    }, 1, 'RED I14'],
    ['a resend that was stored below its window, and counted', (w) => {
        send(w, { device: 'd0', seq: 80, class: 'control' });
        deliver(w, w.attempts.length);
        deliver(w, again(w, 1, { outcome: 'ACK' }));
        passed(w, 10, 'below');
    }, 0, 'green'],
    ['a resend that was stored and counted, but not below', (w) => {
        send(w, { device: 'd0', seq: 80, class: 'control' });
        deliver(w, w.attempts.length);
        deliver(w, again(w, 35, { outcome: 'ACK' }));
        passed(w, 10, 'below');
    }, 1, 'RED I14'],
    ['a resend that was stored, and another one below', (w) => {
        send(w, { device: 'd0', seq: 80, class: 'control' });
        deliver(w, w.attempts.length);
        again(w, 1, { outcome: 'UNKNOWN', status: 0, unseen: true });
        deliver(w, again(w, 35, { outcome: 'ACK' }));
        passed(w, 10, 'below');
    }, 1, 'RED I14'],
    ['a resend that was stored where there was no window', (w) => {
        deliver(w, again(w, 5, { outcome: 'ACK' }));
        passed(w, 10, 'untracked');
    }, 0, 'green'],
    ['a resend that was stored, and no window at another time', (w) => {
        deliver(w, again(w, 5, { outcome: 'ACK' }));
        passed(w, 4, 'untracked');
    }, 1, 'RED I14'],
    ['a resend stored after a master that keeps no windows', (w) => {
        deliver(w, again(w, 5, { outcome: 'ACK' }));
        fault(w, 'restart', at(w, 14), at(w, 15), '-');
    }, 0, 'green'],
    ['a resend stored after a master that keeps its windows', (w) => {
        deliver(w, again(w, 5, { outcome: 'ACK' }));
        fault(w, 'restart', at(w, 14), at(w, 15), '-');
        w.plan.push('gateway dedup on state=windows;');
    }, 1, 'RED I14'],
    ['a resend stored after a master that kept them in vain', (w) => {
        deliver(w, again(w, 5, { outcome: 'ACK' }));
        fault(w, 'restart', at(w, 14), at(w, 15), '-');
        w.plan.push('gateway dedup on state=windows;');
        w.log.push(line(at(w, 15), 'error', '"windows" is too short: gateway '
                        + '"fleet" begins without its dedup windows, resends '
                        + 'from before can be counted twice'));
    }, 0, 'green'],
    ['a death after the message was safe', (w) => {
        const n = again(w, 5, { outcome: 'ACK' });

        deliver(w, n);
        kill(w, n);
        send(w, { device: 'd0', seq: 21, class: 'control' });
        deliver(w, w.attempts.length);
    }, 1, 'RED I14'],
    ['another payload, refused', (w) => {
        again(w, 5, { outcome: 'REFUSED', status: 422, reason: 'conflict',
                      other: 1 });
    }, 0, 'green'],
    ['another payload of what was refused before', (w) => {
        again(w, 27, { outcome: 'REFUSED', status: 422, reason: 'conflict',
                       other: 1 });
    }, 0, 'green'],
    ['another payload, acknowledged and not stored', (w) => {
        again(w, 5, { other: 1, outcome: 'ACK', counted: 'delivered' });
    }, 1, 'RED I10 I14'],
    ['another payload, refused and stored', (w) => {
        const n = again(w, 36, { outcome: 'REFUSED', status: 422, other: 1,
                                 reason: 'conflict' });

        drop(w, 36);
        deliver(w, n);
    }, 1, 'RED I14'],
    ['a conflict of one payload', (w) => {
        again(w, 5, { outcome: 'REFUSED', status: 422, reason: 'conflict' });
    }, 1, 'RED I14'],
    ['another ts with the same data, and that is stored', (w) => {
        const n = again(w, 36, { outcome: 'ACK' });
        const a = w.attempts[n - 1];

        Object.assign(w.attempts[35], { outcome: 'UNKNOWN', status: 0,
                                        unseen: true });
        drop(w, 36);
        deliver(w, n);
        a.body = a.body.replace('"device"', '"ts":1700000000000,"device"');
        changed(w, n, `"ts":${recordOf(w, n).timestamp}`,
                '"ts":1700000000000');
    }, 0, 'green'],
    ['other payloads that are called duplicates', (w) => {
        for (const n of [31, 32, 33, 34]) {
            again(w, n, { other: 1 });
        }
    }, 1, 'RED I14'],
    ['"stale" within the window', (w) => {
        again(w, 5, { outcome: 'REFUSED', status: 409, reason: 'stale' });
    }, 1, 'RED I14'],
    ['"stale" below the window', (w) => {
        send(w, { device: 'd0', seq: 80, class: 'control' });
        deliver(w, w.attempts.length);
        again(w, 1, { outcome: 'REFUSED', status: 409, reason: 'stale' });
    }, 0, 'green'],
    ['a "duplicate" that the gateway did not count', (w) => {
        again(w, 5, { unseen: true });
    }, 1, 'RED I14'],
    ['a message below its window that nobody sent', (w) => {
        passed(w, 4, 'below');
    }, 1, 'RED I14'],
    ['a message taken over from a worker that lives', (w) => {
        passed(w, 4, 'taken_over');
    }, 1, 'RED I14'],
    ['a counter of dedup that falls', (w) => {
        w.edit[4].change = (o, g) => { g.dedup.evictions = 1; };
    }, 1, 'RED I14'],
    ['a flight that has no end', (w) => {
        w.rest.change = (o, g) => { g.dedup.inflight = 1; };
    }, 1, 'RED I14'],
    ['a resend that is held for ever', (w) => {
        w.rest.change = (o, g) => { g.dedup.held = 1; };
    }, 1, 'RED I14'],
    ['a gateway that tells nothing of dedup', (w) => {
        w.rest.change = (o, g) => { delete g.dedup; };
    }, 1, 'RED I14']
];


function replace(folder, name, from, to) {
    const file = path.join(folder, name);

    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(from, to));
}


let tests = 0;
let failed = 0;

function ok(good, name, diagnosis) {
    tests++;
    failed += !good;
    process.stdout.write(`${good ? 'ok' : 'not ok'} ${tests} - ${name}\n`);

    if (!good) {
        process.stdout.write(diagnosis.replace(/^/gm, '# ') + '\n');
    }
}


function compare(folder, ...options) {
    return spawnSync(process.execPath, [COMPARER, ...options, folder],
                     { encoding: 'utf8' });
}


function planted(root, [name, plant, code, last], number) {
    const folder = path.join(root, `${number}`);
    const w = world();

    fs.mkdirSync(folder);
    plant(w);
    write(w, folder);

    if (w.after) {
        w.after(folder);
    }

    const r = compare(folder);
    const said = r.stdout.trimEnd().split('\n').pop();

    ok(r.status === code && said === `ledger: ${last}`, name,
       `exit ${r.status}, expected ${code}; expected "${last}"\n`
       + `${r.stdout}${r.stderr}`);
}


function throws(call) {
    try {
        call();
        return false;

    } catch (e) {
        return true;
    }
}


function normalisation() {
    const times = [
        ['"2024-02-29T23:59:59.9999Z"', 1709251199999],
        ['"2016-12-31 23:59:60z"', 1483228800000],
        ['"1970-01-01T05:30:00+05:30"', 0],
        ['99999999999', 99999999999000],
        ['100000000000', 100000000000],
        ['1700000000.0619', 1700000000061],
        ['1700000000123.9', 1700000000123]
    ];

    const bad = ['"2023-02-29T00:00:00Z"', '"2024-01-01"', '-1', '1e9',
                 '"1969-12-31T23:59:59Z"', '01'];

    ok(times.every(([text, ms]) => normal.time(text) === ms), 'times',
       times.map(([text]) => `${text} ${normal.time(text)}`).join('\n'));

    ok(bad.every((text) => throws(() => normal.time(text))),
       'what is no time', bad.join('\n'));

    const broken = ['', '1 2', '[1,]', '{"a"}', '"a', '[01]', '{"a":1,}',
                    'nul', '[1', '"\t"', '{a:1}', '1.', '+1', '.5'];

    ok(broken.every((text) => throws(() => normal.canonical(text))),
       'what is no JSON',
       broken.filter((text) => !throws(() => normal.canonical(text)))
             .join('\n'));

    const same = normal.canonical(' { "a" : [ 1.0 , "\\u00e9\\/" , { } ] } ');

    ok(same === '{"a":[1.0,"\u00e9/",{}]}', 'the canonical form', same);
}


function output(root) {
    const folder = path.join(root, 'output');
    const w = world();

    fs.mkdirSync(folder);
    drop(w, 5);
    write(w, folder);

    const text = compare(folder).stdout;

    ok(/d0\/-\/3 \(\+0\.08 s ACK \+0\.09 s\)  in no topic  \[broker-freeze/
       .test(text), 'an example tells id, times, outcome and fault', text);

    const json = compare(folder, '--json');
    let o = {};

    try {
        o = JSON.parse(json.stdout);

    } catch (e) {
        o = {};
    }

    ok(json.status === 1 && o.verdict === 'RED' && o.red[0] === 'I1'
       && o.invariants.I1.state === 'RED' && o.facts.attempts === 36,
       'JSON says the same', json.stdout);

    ok(spawnSync(process.execPath, [COMPARER]).status === 2,
       'no folder is void', '');
}


const root = fs.mkdtempSync(path.join(os.tmpdir(), 'ledger-test-'));

process.stdout.write(`1..${FAULTS.length + 7}\n`);

try {
    FAULTS.forEach((f, i) => planted(root, f, i));
    normalisation();
    output(root);

} finally {
    fs.rmSync(root, { recursive: true, force: true });
}

process.exitCode = failed ? 1 : 0;
