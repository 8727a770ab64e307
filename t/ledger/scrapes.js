'use strict';

/*
 * scrapes.js - what the gateway counted, at every scrape and at rest.
 *
 * The books are checked at each of them: a message that is in no column would
 * be seen at the end only if it stayed lost.  A new master counts from
 * nothing, so counters belong to a period: that of one start_time.
 */

const { eachLine, findings } = require('./lines.js');

/* of a class and, where there are several, of a protocol */
const ENDS = ['delivered', 'dead_lettered', 'failed', 'lost'];

const FIRST_COLUMN = ['accepted', 'duplicate', 'waiting', ...ENDS];


function sum(object) {
    let n = 0;

    for (const name of Object.keys(object)) {
        n += object[name];
    }

    return n;
}


function total(gateway, name) {
    let n = 0;

    for (const c of Object.values(gateway.classes)) {
        const v = c[name];

        n += typeof v === 'object' ? sum(v) : v;
    }

    return n;
}


function addTo(counts, object) {
    for (const name of Object.keys(object)) {
        counts[name] = (counts[name] || 0) + object[name];
    }
}


/*
 * killed are the worker deaths: one that died while it was counting leaves a
 * message half counted until its slot is taken over.
 */

function read(folder, plan, killed, wrong) {
    const s = {
        plan, killed,
        scrapes: 0,
        silent: 0,              /* nginx did not answer */
        periods: new Map(),
        clock: -Infinity,       /* wall - monotonic, us, at least */

        unbalanced: findings(),
        memory: findings(),
        rss: 0,
        charged: 0,
        capacity: 0,

        first: null,            /* names of the highest class and the lowest */
        rises: { maybe: [], retries: [], fatal: [], jumped: [],
                 untracked: [], evictions: [] },
        dedupWrong: findings(),
        shedding: [],           /* a scrape each: t, shed of first, lower */
        resting: null
    };

    const scrapes = eachLine(`${folder}/scrapes`, (line, number) => {
        scrape(s, line, `scrapes:${number}`, wrong);
    });

    if (scrapes.cut) {
        wrong.add('scrapes: was cut');
    }

    if (s.scrapes === s.silent) {
        wrong.add('scrapes: no status at all');
    }

    const resting = eachLine(`${folder}/resting`, (line) => {
        s.resting = scrape(s, line, 'resting', wrong);
    });

    if (resting.lines !== 1 || resting.cut) {
        wrong.add('resting: not one line');
    }

    return s;
}


function scrape(s, line, where, wrong) {
    let o;

    try {
        o = JSON.parse(line);

    } catch (e) {
        wrong.add(`${where}: no JSON`);
        return null;
    }

    if (o === null || typeof o.t !== 'number' || typeof o.rss !== 'number'
        || o.status === undefined)
    {
        wrong.add(`${where}: not a scrape`);
        return null;
    }

    s.scrapes++;
    memory(s, o);

    if (o.status === null) {
        s.silent++;
        return o;
    }

    const g = o.status.gateways && o.status.gateways[0];

    if (!g || !g.classes || !g.protocols) {
        wrong.add(`${where}: no gateway`);
        return o;
    }

    s.clock = Math.max(s.clock, o.status.time * 1e6 - o.t);

    account(s, o, g);
    books(s, o, g);
    period(s, o, g);

    return o;
}


function memory(s, o) {
    s.rss = Math.max(s.rss, o.rss);

    if (s.plan.rssBudget !== null && o.rss > s.plan.rssBudget) {
        s.memory.add({ t: o.t, note: `${o.rss} bytes resident, budget `
                                     + `${s.plan.rssBudget}` });
    }
}


/* what the gateway itself charges to its buffers */

function account(s, o, g) {
    const { charged, capacity } = g.buffer;

    s.charged = Math.max(s.charged, charged);
    s.capacity = Math.max(s.capacity, capacity);

    if (charged > capacity) {
        s.memory.add({ t: o.t, note: `${charged} bytes charged, capacity `
                                     + `${capacity}` });
    }

    for (const w of g.workers) {
        if (w.charged > s.plan.buffer) {
            s.memory.add({ t: o.t, note: `worker ${w.pid}: ${w.charged} bytes `
                                         + 'charged, buffer '
                                         + `${s.plan.buffer}` });
        }
    }
}


function books(s, o, g) {
    const halves = s.killed.filter((d) => o.t >= d.begin
                                          && o.t <= d.end + 1e6).length;

    const balance = (what, left, right) => {
        if (Math.abs(left - right) > halves) {
            s.unbalanced.add({ t: o.t, note: `${what} ${left}, accounted `
                                             + `${right}` });
        }
    };

    const protocols = Object.keys(g.protocols);

    for (const name of protocols) {
        const p = g.protocols[name];

        balance(`${name}: received`, p.received,
                sum(p.rejected) + p.duplicate + p.shed_entry + p.accepted);

        balance(`${name}: accepted`, p.accepted,
                ENDS.reduce((n, e) => n + p[e], p.shed + p.waiting));
    }

    for (const name of Object.keys(g.classes)) {
        const c = g.classes[name];

        balance(`${name}: accepted`, c.accepted,
                ENDS.reduce((n, e) => n + c[e], sum(c.shed) + c.waiting));
    }

    /* both views are of the same cells */

    for (const what of [...FIRST_COLUMN, 'shed', 'shed_entry']) {
        balance(`all classes: ${what}`, total(g, what),
                protocols.reduce((n, p) => n + g.protocols[p][what], 0));
    }

    balance('all workers: waiting', total(g, 'waiting'),
            g.workers.reduce((n, w) => n + w.waiting, 0));
}


function period(s, o, g) {
    const start = o.status.start_time;
    let p = s.periods.get(start);

    if (!p) {
        p = { start, first: o.t, before: o.t, last: o.t, gateway: null };
        s.periods.set(start, p);
    }

    const old = p.gateway;

    if (old) {
        rising(s, o, old, g);
    }

    const kafka = g.kafka || {};
    const was = old && old.kafka ? old.kafka : {};

    /* the scrape before was asked for after the one before that had come */

    const since = old ? p.before : 0;

    rise(s.rises.maybe, was.possible_duplicates, kafka.possible_duplicates,
         since, o.t);
    rise(s.rises.retries, was.retries, kafka.retries, since, o.t);
    rise(s.rises.fatal, was.fatal_errors, kafka.fatal_errors, since, o.t);

    dedup(s, o, old, g, since);
    shedding(s, o, old, g);

    p.before = p.last;
    p.last = o.t;
    p.gateway = g;
}


/* evictions are of the zone, the rest of its workers; neither falls */

function dedup(s, o, old, g, since) {
    const is = g.dedup;
    const was = old && old.dedup;

    if (!is) {
        return;
    }

    const counts = (d) => ({ ...d.passed, evictions: d.evictions });
    const now = counts(is);
    const before = was ? counts(was) : {};

    for (const name of Object.keys(now)) {
        if (now[name] < before[name]) {
            s.dedupWrong.add({ t: o.t, note: `dedup: ${name} fell from `
                               + `${before[name]} to ${now[name]}` });
        }

        if (s.rises[name]) {
            rise(s.rises[name], before[name], now[name], since, o.t);
        }
    }

    if (is.entries > is.capacity) {
        s.dedupWrong.add({ t: o.t, note: `dedup: ${is.entries} windows of `
                                         + `${is.capacity}` });
    }
}


function rise(list, was, is, begin, end) {
    const n = (is || 0) - (was || 0);

    if (n > 0) {
        list.push({ begin, end, n });
    }
}


/* counters never fall */

function rising(s, o, old, g) {
    for (const name of Object.keys(g.classes)) {
        const before = old.classes[name];

        for (const what of ['accepted', 'duplicate', ...ENDS]) {
            if (before && g.classes[name][what] < before[what]) {
                s.unbalanced.add({ t: o.t, note: `${name}: ${what} fell from `
                    + `${before[what]} to ${g.classes[name][what]}` });
            }
        }
    }
}


/*
 * A class that drained or waited too long was not shed for another one's
 * sake: room is what priority is about.
 */

function forRoom(c) {
    return c.shed.full + c.shed.pressure
           + c.shed_entry.full + c.shed_entry.pressure;
}


function shedding(s, o, old, g) {
    const names = Object.keys(g.classes);

    s.first = names[0];

    const was = old ? forRoom(old.classes[s.first]) : 0;

    s.shedding.push({
        t: o.t,
        shed: forRoom(g.classes[s.first]) - was,
        lower: names.slice(1).reduce((n, c) => n
                                     + g.classes[c].queue.messages, 0)
    });
}


/* shed of the highest class while a lower one waited, within a neighbour */

function inversions(s) {
    const wrong = findings();

    s.shedding.forEach((x, i) => {
        const near = s.shedding.slice(Math.max(i - 1, 0), i + 2);
        const lower = Math.max(...near.map((y) => y.lower));

        if (x.shed > 0 && lower > 0) {
            wrong.add({ t: x.t, note: `${x.shed} of ${s.first} shed while `
                                      + `${lower} of lower classes waited` });
        }
    });

    return wrong;
}


/* over all periods, what had been counted when each was last seen */

function totals(s) {
    const all = { received: 0, accepted: 0, delivered: 0, duplicate: 0,
                  dead_lettered: 0, failed: 0, lost: 0, waiting: 0,
                  rejected: {}, shedEntry: {}, shed: {}, shedOf: {},
                  maybe: 0, retries: 0, fatal: 0, dedup: {} };

    for (const { gateway } of s.periods.values()) {
        for (const p of Object.values(gateway.protocols)) {
            all.received += p.received;
            addTo(all.rejected, p.rejected);
        }

        for (const what of FIRST_COLUMN) {
            all[what] += total(gateway, what);
        }

        for (const [name, c] of Object.entries(gateway.classes)) {
            addTo(all.shed, c.shed);
            addTo(all.shedEntry, c.shed_entry);
            addTo(all.shedOf, { [name]: sum(c.shed) + sum(c.shed_entry) });
        }

        const kafka = gateway.kafka || {};

        all.maybe += kafka.possible_duplicates || 0;
        all.retries += kafka.retries || 0;
        all.fatal += kafka.fatal_errors || 0;

        addTo(all.dedup, gateway.dedup ? gateway.dedup.passed : {});
    }

    return all;
}


/*
 * When a master ended, what it counted after its last scrape is not known:
 * [{ begin, end }], from the scrape before it until the fault is over.
 */

function blind(s, restarts) {
    const at = s.resting && s.resting.status
               ? s.resting.status.start_time : null;
    const periods = [...s.periods.values()];
    const windows = [];

    for (const p of periods) {
        if (p.start === at) {
            continue;
        }

        const later = periods.filter((q) => q.start > p.start)
                             .map((q) => q.first);
        const faults = restarts.filter((f) => f.end >= p.before)
                               .map((f) => f.end);

        windows.push({ begin: p.before,
                       end: Math.max(p.last, Math.min(...later, Infinity),
                                     faults.length ? faults[0] : 0) });
    }

    return windows;
}


module.exports = { read, totals, total, inversions, blind, sum };
