'use strict';

/*
 * node t/ledger/compare.js [--json] FOLDER
 *
 * Judges a run by the files of its folder (README.md): prints one table,
 * exits with 0 when it is green, 1 when an invariant is broken, 2 when the
 * run is void and nothing can be said.  Without it a run is a pile of lines
 * that nobody can read, and every run would pass.
 */

const fs = require('fs');
const path = require('path');

const { findings } = require('./lines.js');
const sentFile = require('./sent.js');
const topicsFile = require('./topics.js');
const events = require('./events.js');
const scrapesFile = require('./scrapes.js');
const messages = require('./messages.js');
const counters = require('./counters.js');
const dedup = require('./dedup.js');

const FILES = ['sent', 'ends', 'scrapes', 'resting', 'faults', 'error.log',
               'plan'];

const CHECKS = [
    ['I1', messages.acknowledged],
    ['I2', messages.once],
    ['I3', messages.invented],
    ['I4', messages.refused],
    ['I5', messages.order],
    ['I6', counters.priority],
    ['I7', counters.memory],
    ['I8', counters.books],
    ['I9', counters.refusalCounts],
    ['I10', counters.acknowledgements],
    ['I11', messages.duplicates],
    ['I12', null],
    ['I13', counters.recovery],
    ['I14', dedup.once]
];

const LOG_NAME = 'the run can be judged';


/* all files of a run; wrong are the reasons for which it is void */

function load(folder) {
    const wrong = findings();
    const run = { folder, wrong, sum: scrapesFile.sum };

    for (const name of FILES) {
        if (!fs.existsSync(path.join(folder, name))) {
            wrong.add(`${name}: is not there`);
        }
    }

    if (wrong.count) {
        return run;
    }

    const file = (name) => path.join(folder, name);

    run.plan = events.readPlan(file('plan'), wrong);
    run.faults = events.readFaults(file('faults'), wrong);
    run.killed = events.deaths(run.faults);
    run.log = events.readLog(file('error.log'), run.plan, run.killed, wrong);
    run.scrapes = scrapesFile.read(folder, run.plan, run.killed, wrong);
    run.ends = topicsFile.readEnds(file('ends'), wrong);

    const named = Object.values(run.plan.topics);

    if (run.plan.deadLetter !== null) {
        named.push(run.plan.deadLetter);
    }

    for (const name of named) {
        if (!run.ends[name]) {
            wrong.add(`ends: nothing of topic ${name}`);
        }
    }

    for (const name of Object.keys(run.ends)) {
        if (!fs.existsSync(file(`topic-${name}`))) {
            wrong.add(`topic-${name}: is not there`);
        }
    }

    if (wrong.count) {
        return run;
    }

    run.monotonic = (ms) => ms * 1000 - run.scrapes.clock;
    run.sent = sentFile.read(file('sent'), wrong);
    run.topics = topicsFile.read(folder, run.ends, run.sent, run.plan,
                                 run.monotonic, wrong);

    run.totals = scrapesFile.totals(run.scrapes);
    run.blind = scrapesFile.blind(run.scrapes, events.restarts(run.faults));
    run.atRest = run.scrapes.resting && run.scrapes.resting.status
                 ? run.scrapes.resting.status.gateways[0] : null;

    /* a master that ended says in its log only what its workers lost */
    run.drainLost = run.blind.length
                    ? run.log.drains.reduce((n, d) => n + d.lost, 0) : 0;
    run.latency = latency(run.sent);
    run.window = run.plan.dedup.window;

    return run;
}


/* of what was accepted, by class: us */

function latency(sent) {
    const a = sent.attempt;
    const good = (n) => a.outcome[n] >= sentFile.ACK
                        && a.outcome[n] <= sentFile.DUP;
    const counts = sent.classes.names.map(() => 0);

    for (let n = 1; n <= sent.attempts; n++) {
        counts[a.class[n]] += good(n);
    }

    const times = counts.map((n) => new Float64Array(n));
    const next = counts.map(() => 0);

    for (let n = 1; n <= sent.attempts; n++) {
        if (good(n)) {
            const c = a.class[n];

            times[c][next[c]++] = a.end[n] - a.start[n];
        }
    }

    return sent.classes.names.map((name, c) => {
        const t = times[c].sort();
        const at = (q) => (t.length ? t[Math.ceil(t.length * q) - 1] : 0);

        return { name, count: t.length, p50: at(0.5), p99: at(0.99),
                 max: at(1) };
    }).sort((x, y) => (x.name < y.name ? -1 : 1));
}


function judge(run) {
    const results = {};

    const log = {
        name: LOG_NAME,
        state: run.wrong.count ? 'VOID' : 'ok',
        why: null,
        figures: [['faults of the files', run.wrong.count]],
        examples: run.wrong.examples.map((note) => ({ note }))
    };

    for (const [id, check] of CHECKS) {
        if (id === 'I12') {
            results[id] = log;

        } else if (run.wrong.count) {
            results[id] = messages.absent('not judged', 'the run is void');

        } else {
            results[id] = check(run);
        }
    }

    const red = Object.keys(results).filter((id) => results[id].state
                                                    === 'RED');

    return { verdict: run.wrong.count ? 'VOID' : red.length ? 'RED' : 'green',
             red, results };
}


function facts(run) {
    const { sent, topics } = run;

    if (run.wrong.count) {
        return null;
    }

    return {
        attempts: sent.attempts,
        messages: sent.messages,
        devices: sent.clients,
        connections: sent.connections,
        seconds: seconds(sent.lastEnd - sent.firstStart),
        acked: sent.counts[sentFile.ACK],
        queued: sent.counts[sentFile.QUEUED],
        duplicate: sent.counts[sentFile.DUP],
        deadLettered: sent.counts[sentFile.DLQ],
        refused: sent.counts[sentFile.REFUSED],
        unknown: sent.counts[sentFile.UNKNOWN],
        records: topics.records,
        deadRecords: topics.deadRecords,
        latency: run.latency,
        faults: run.faults.map((f) => ({
            name: f.name, what: f.what,
            at: seconds(f.begin - sent.firstStart),
            seconds: seconds(f.end - f.begin)
        }))
    };
}


function seconds(us) {
    return Math.round(us / 1e4) / 100;
}


function grouped(value) {
    return typeof value === 'number' ? value.toLocaleString('en-US') : value;
}


/* times are those of the run: seconds after the first attempt */

function describe(run, e) {
    const parts = [];
    let t = e.t;

    if (run.sent && (e.attempt || e.message !== undefined)) {
        const a = run.sent.attempt;
        const list = [];
        const message = e.attempt ? a.message[e.attempt] : e.message;

        sentFile.eachAttempt(run.sent, message, (n) => {
            list.unshift(`+${seconds(a.start[n] - run.sent.firstStart)} s `
                + `${sentFile.OUTCOMES[a.outcome[n]]} `
                + `+${seconds(a.end[n] - run.sent.firstStart)} s`);
            t = a.start[n];
        });

        parts.push(`${sentFile.idOf(run.sent, message)} (${list.join(', ')})`);

        if (e.attempt) {
            t = a.start[e.attempt];
        }

    } else if (t !== undefined && run.sent) {
        parts.push(`+${seconds(t - run.sent.firstStart)} s`);
    }

    parts.push(e.note);

    const fault = t !== undefined && run.sent
                  ? events.nearest(run.faults, t) : null;

    if (fault) {
        parts.push(`[${fault.name} `
                   + `+${seconds(fault.begin - run.sent.firstStart)} s]`);
    }

    return parts.join('  ');
}


function header(run) {
    const f = facts(run);

    if (!f) {
        return [];
    }

    const row = (name, pairs) => `  ${name.padEnd(12)} `
        + pairs.map(([label, n]) => `${label} ${grouped(n)}`).join('  ');

    return [
        row('sent', [['attempts', f.attempts], ['messages', f.messages],
                     ['devices', f.devices], ['connections', f.connections],
                     ['seconds', f.seconds]]),
        row('answered', [['acked', f.acked], ['queued', f.queued],
                         ['duplicate', f.duplicate],
                         ['dead-lettered', f.deadLettered],
                         ['refused', f.refused], ['unknown', f.unknown]]),
        row('delivered', [['records', f.records],
                          ['dead letters', f.deadRecords]]),
        ...f.latency.map((l) => row('answer ms', [
            [l.name.padEnd(12), ''],
            ['p50', Math.round(l.p50 / 100) / 10],
            ['p99', Math.round(l.p99 / 100) / 10],
            ['max', Math.round(l.max / 100) / 10]])),
        ...f.faults.map((x) => `  fault        +${x.at} s  ${x.name} ${x.what}`
                               + `  (${x.seconds} s)`)
    ];
}


function print(run, judged) {
    const lines = [`ledger of ${run.folder}`, ...header(run), ''];

    for (const [id] of CHECKS) {
        const r = judged.results[id];
        const state = r.why ? `${r.state} (${r.why})` : r.state;
        const figures = r.figures.map(([label, n]) => `${label} `
                                                      + grouped(n));

        lines.push(`  ${id.padEnd(4)} ${r.name.padEnd(28)} ${state.padEnd(5)}`
                   + `  ${figures.join(', ')}`.trimEnd());

        if (r.state === 'RED' || r.state === 'VOID') {
            for (const e of r.examples) {
                lines.push(`         ${describe(run, e)}`);
            }
        }
    }

    lines.push('', ['ledger:', judged.verdict, ...judged.red].join(' '), '');
    process.stdout.write(lines.join('\n'));
}


function printJson(run, judged) {
    const invariants = {};

    for (const [id] of CHECKS) {
        const r = judged.results[id];

        invariants[id] = { name: r.name, state: r.state, why: r.why,
                           figures: r.figures,
                           examples: r.examples.map((e) => describe(run, e)) };
    }

    process.stdout.write(`${JSON.stringify({
        verdict: judged.verdict, red: judged.red, facts: facts(run),
        invariants
    })}\n`);
}


function main(args) {
    const json = args[0] === '--json';
    const folders = json ? args.slice(1) : args;

    if (folders.length !== 1 || folders[0].startsWith('-')) {
        process.stderr.write('usage: compare.js [--json] FOLDER\n');
        return 2;
    }

    const run = load(folders[0]);
    const judged = judge(run);

    if (json) {
        printJson(run, judged);

    } else {
        print(run, judged);
    }

    return { green: 0, RED: 1, VOID: 2 }[judged.verdict];
}


try {
    process.exitCode = main(process.argv.slice(2));

} catch (e) {
    /* node would exit with 1, which says that a promise was broken */

    process.stderr.write(`ledger: ${e.stack}\n`);
    process.exitCode = 2;
}
