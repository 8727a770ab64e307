'use strict';

/*
 * counters.js - the invariants over what the gateway counted, what it used
 * and whether it came back: I6 to I10 and I13.
 *
 * Where a worker was killed or a master ended, an answer may have been lost
 * on its way: then the sums need not be equal, and how far they may differ is
 * what is checked.
 */

const { findings } = require('./lines.js');
const scrapesFile = require('./scrapes.js');
const sentFile = require('./sent.js');
const { verdict } = require('./messages.js');

const { ACK, QUEUED, DLQ, REFUSED, UNKNOWN, FIRST } = sentFile;

/* reasons with another column than "rejected" or "shed" */
const REJECTED_BY_KAFKA = 'upstream_rejected';


function priority(run) {
    const { scrapes, totals } = run;
    const wrong = scrapesFile.inversions(scrapes);

    const shed = Object.entries(totals.shedOf)
                       .map(([name, n]) => [`${name} shed`, n]);

    return verdict('priority', wrong.count, [
        ...shed,
        [`${scrapes.first} shed while lower ones waited`, wrong.count],
        ...run.latency.map(({ name, p99 }) => [`${name} p99 ms`,
                                               Math.round(p99 / 100) / 10])
    ], wrong.examples);
}


function memory(run) {
    const { scrapes, plan } = run;

    return verdict('memory', scrapes.memory.count, [
        ['scrapes', scrapes.scrapes],
        ['most resident', scrapes.rss],
        ['budget', plan.rssBudget === null ? 'none' : plan.rssBudget],
        ['most charged', scrapes.charged],
        ['most capacity', scrapes.capacity],
        ['above', scrapes.memory.count]
    ], scrapes.memory.examples);
}


function waiting(run) {
    return run.atRest ? scrapesFile.total(run.atRest, 'waiting') : 'unknown';
}


/*
 * A loss needs a reason: a worker that was killed, or one that said that it
 * gave up draining, or TERM, which leaves a second.
 */

function losses(run) {
    const { log, totals, faults } = run;
    const wrong = findings();
    const terms = faults.filter((f) => f.name === 'term-start');
    let logged = log.died;

    for (const d of log.drains) {
        const t = run.monotonic(d.ms);

        logged += d.lost;

        if (!d.gaveUp && !terms.some((f) => t >= f.begin - 2e6
                                            && t <= f.end + 2e6))
        {
            wrong.add({ t, note: `worker ${d.pid} left ${d.lost} messages `
                                 + 'behind and had not given up draining' });
        }
    }

    if (totals.lost > logged) {
        wrong.add({ note: `${totals.lost} messages lost, the log tells of `
                          + `${logged}` });
    }

    return wrong;
}


function books(run) {
    const { scrapes } = run;
    const rest = losses(run);

    if (run.atRest) {
        for (const [name, c] of Object.entries(run.atRest.classes)) {
            if (c.waiting) {
                rest.add({ t: scrapes.resting.t,
                           note: `${name}: ${c.waiting} waiting at rest` });
            }
        }
    }

    return verdict('books balance', scrapes.unbalanced.count || rest.count, [
        ['scrapes', scrapes.scrapes - scrapes.silent],
        ['unbalanced', scrapes.unbalanced.count],
        ['waiting at rest', waiting(run)],
        ['lost', run.totals.lost]
    ], [...scrapes.unbalanced.examples, ...rest.examples]);
}


/* an attempt of which a master that ended may not have been asked */

function isBlind(run, n) {
    const end = run.sent.attempt.end[n];

    return run.blind.some((w) => end >= w.begin && end <= w.end);
}


/*
 * By reason: all that clients were refused, and of it what ended when the
 * counters could still be seen.  A request that was refused whole is one for
 * the gateway, however many messages were in it.
 */

function refusals(run) {
    const { sent } = run;
    const a = sent.attempt;
    const by = {};

    for (let n = 1; n <= sent.attempts; n++) {
        if (a.outcome[n] !== REFUSED && a.outcome[n] !== DLQ) {
            continue;
        }

        if (a.status[n] >= 300 && !(a.flags[n] & FIRST)) {
            continue;
        }

        const reason = sent.reasons.names[a.reason[n]];
        const r = by[reason] || (by[reason] = { all: 0, certain: 0,
                                                example: n });

        r.all++;
        r.certain += !isBlind(run, n);
    }

    return by;
}


/* by reason: at least and at most what clients can have been told */

function counted(totals, queued) {
    const by = {};

    const add = (reason, low, high) => {
        const r = by[reason] || (by[reason] = { low: 0, high: 0 });

        r.low += low;
        r.high += high;
    };

    for (const [reason, n] of Object.entries(totals.rejected)) {
        add(reason, n, n);
    }

    for (const [reason, n] of Object.entries(totals.shedEntry)) {
        add(reason, n, n);
    }

    /* who was told "queued" is told no more */

    for (const [reason, n] of Object.entries(totals.shed)) {
        add(reason, queued ? 0 : n, n);
    }

    const ended = totals.failed + totals.dead_lettered;

    add(REJECTED_BY_KAFKA, queued ? 0 : ended, ended);

    return by;
}


function refusalCounts(run) {
    const { sent, totals } = run;
    const client = refusals(run);
    const gateway = counted(totals, sent.counts[QUEUED]);
    const unknown = sent.counts[UNKNOWN];
    const wrong = findings();
    const figures = [];
    let all = 0;
    let foreign = 0;

    for (const reason of Object.keys({ ...client, ...gateway }).sort()) {
        const c = client[reason] || { all: 0, certain: 0, example: 0 };
        const g = gateway[reason];

        all += c.all;

        /* nginx itself, or another module, refused it: nobody counted */

        if (reason === '-') {
            foreign += c.all;
            continue;
        }

        const low = g ? g.low : 0;
        const high = g ? g.high : 0;

        if (c.all || high) {
            figures.push([reason, c.all === high ? c.all
                                                 : `${c.all} of ${high}`]);
        }

        if (c.certain > high || low > c.all + unknown) {
            wrong.add({ attempt: c.example || undefined,
                        note: `${reason}: clients ${c.all}, gateway ${high}` });
        }
    }

    return verdict('refusals are counted', wrong.count, [
        ['refused', all], ...figures,
        ...(foreign ? [['not by the gateway', foreign]] : []),
        ['may differ by', unknown]
    ], wrong.examples);
}


function acknowledgements(run) {
    const { sent, topics, totals } = run;
    const unknown = sent.counts[UNKNOWN] + sent.counts[QUEUED];
    const delivered = totals.delivered;
    const wrong = [];
    let certain = 0;

    for (let n = 1; n <= sent.attempts; n++) {
        certain += sent.attempt.outcome[n] === ACK && !isBlind(run, n);
    }

    /* an answer that is whole must tell of every message */

    const a = sent.attempt;
    const vague = findings();

    for (let n = 1; n <= sent.attempts; n++) {
        if (a.outcome[n] === UNKNOWN && a.status[n] >= 200
            && a.status[n] < 300 && sent.reasons.names[a.reason[n]] === '-')
        {
            vague.add({ attempt: n, note: `the answer ${a.status[n]} does `
                                          + 'not tell of it' });
        }
    }

    wrong.push(...vague.examples);

    const acked = sent.counts[ACK];

    if (certain > delivered) {
        wrong.push({ note: `clients have ${certain} acknowledgements, the `
                           + `gateway delivered ${delivered}` });
    }

    if (delivered - acked > unknown) {
        wrong.push({ note: `${delivered - acked} acknowledgements were seen `
                           + `by no client, ${unknown} are unknown` });
    }

    if (delivered > topics.records) {
        wrong.push({ note: `the gateway delivered ${delivered}, the topics `
                           + `hold ${topics.records}` });
    }

    return verdict('acknowledgements are counted', wrong.length, [
        ['gateway', delivered], ['clients', acked],
        ['records', topics.records], ['may differ by', unknown]
    ], wrong);
}


function recovery(run) {
    const { sent, scrapes, log, faults, plan, atRest } = run;
    const wrong = [];
    const figures = [];
    const add = (note, t) => wrong.push({ note, t });

    if (!atRest) {
        add('nginx did not answer at rest', scrapes.resting.t);

    } else {
        atRestChecks(atRest, scrapes.resting, add);
    }

    for (const alarm of log.alarms) {
        add(alarm.text, run.monotonic(alarm.ms));
    }

    figures.push(['waiting', waiting(run)],
                 ['Kafka', atRest ? atRest.state.kafka : 'unknown'],
                 ['alarms in the log', log.alarms.length]);

    if (faults.length) {
        const end = Math.max(...faults.map((f) => f.end));
        const { asked, first } = after(sent, end);

        if (asked) {
            const seconds = (first - end) / 1e6;

            figures.push(['acknowledged again after s',
                          first === Infinity ? 'never'
                                             : Math.round(seconds * 10) / 10]);

            if (seconds > plan.recovery) {
                add(`no acknowledgement within ${plan.recovery} s after the `
                    + 'last fault', end);
            }

        } else {
            figures.push(['asked after the last fault', 0]);
        }
    }

    return verdict('recovery', wrong.length, figures, wrong.slice(0, 5));
}


function atRestChecks(g, resting, add) {
    const t = resting.t;

    if (g.state.kafka !== 'up') {
        add(`Kafka is "${g.state.kafka}" at rest`, t);
    }

    /* lanes, messages at Kafka and pressure are gauges of the last tick */

    for (const [name, c] of Object.entries(g.classes)) {
        if (c.waiting) {
            add(`${name}: ${c.waiting} waiting at rest`, t);
        }
    }

    if (g.workers.length !== resting.status.workers) {
        add(`${g.workers.length} workers at rest, configured are `
            + `${resting.status.workers}`, t);
    }
}


/* whether anybody still asked after t, and when the first success came */

function after(sent, t) {
    const a = sent.attempt;
    let asked = 0;
    let first = Infinity;

    for (let n = 1; n <= sent.attempts; n++) {
        if (a.end[n] < t) {
            continue;
        }

        asked++;

        if (a.outcome[n] < DLQ && a.end[n] < first) {
            first = a.end[n];
        }
    }

    return { asked, first };
}


module.exports = { priority, memory, books, refusalCounts, acknowledgements,
                   recovery };
