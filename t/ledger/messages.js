'use strict';

/*
 * messages.js - the invariants over sets of messages: I1 to I5 and I11.
 *
 * A check gives { name, state, why, figures, examples }: state is "ok", "RED"
 * or "n/a"; figures are [label, value] pairs.
 */

const { findings } = require('./lines.js');
const sentFile = require('./sent.js');

const { ACK, QUEUED, DUP, DLQ, REFUSED, UNKNOWN } = sentFile;

/* log lines have whole seconds, and what is logged has just happened */
const LOG_SLACK = 2e6;

/* two workers tell the fate of one message at once; answers take time */
const TOLD_SLACK = 1e6;


function verdict(name, red, figures, examples) {
    return { name, state: red ? 'RED' : 'ok', why: null, figures,
             examples: examples || [] };
}


function absent(name, why, figures) {
    return { name, state: 'n/a', why, figures: figures || [], examples: [] };
}


function copiesOf(topics, message) {
    return topics.copies[message] + topics.deadCopies[message];
}


function acknowledged(run) {
    const { sent, topics, totals, killed } = run;
    const missing = findings();
    const dead = findings();
    let acked = 0;
    let queued = 0;
    let gone = 0;

    for (let m = 0; m < sent.messages; m++) {
        const n = sentFile.outcomesOf(sent, m);
        const copies = copiesOf(topics, m);

        if (n[ACK] || n[DUP]) {
            acked++;

            if (copies === 0) {
                missing.add({ message: m, note: 'in no topic' });
            }

        } else if (n[QUEUED]) {
            queued++;
            gone += copies === 0;
        }

        if (n[DLQ] && topics.deadCopies[m] === 0) {
            dead.add({ message: m, note: 'not in the dead-letter topic' });
        }
    }

    /*
     * What a killed worker held is counted as lost by the next one; the
     * figure of the fault log is for what no one was left to count.
     */

    const held = killed.reduce((n, d) => n + d.held, 0);
    const counted = run.sum(totals.shed) + totals.failed
                    + Math.max(totals.lost + run.drainLost, held);

    const figures = [['acknowledged', acked], ['missing', missing.count]];

    if (queued) {
        figures.push(['queued', queued], ['of them gone', gone],
                     ['counted as shed or lost', counted]);
    }

    if (sent.counts[DLQ]) {
        figures.push(['dead-lettered', sent.counts[DLQ]],
                     ['of them missing', dead.count]);
    }

    const examples = [...missing.examples, ...dead.examples];

    if (gone > counted) {
        examples.push({ note: `${gone} queued messages are gone, only `
                              + `${counted} were counted` });
    }

    return verdict('acknowledged is delivered',
                   missing.count || dead.count || gone > counted,
                   figures, examples);
}


/*
 * Copies that a resend explains, then those that Kafka may have made twice,
 * then those of messages that were out when a worker died: no more of each
 * than there were such events.
 */

function once(run) {
    const { sent, topics, totals, killed, log } = run;
    const unexplained = findings();
    const windows = maybeWindows(run);
    const budget = Math.max(totals.maybe, log.maybe.length);
    const held = heldAtDeaths(run);

    const used = new Map();
    let resent = 0;
    let maybe = 0;
    let death = 0;

    for (const copy of topics.excess) {
        const m = copy.message;
        const taken = used.get(m) || 0;

        used.set(m, taken + 1);

        if (taken < resends(sent, m)) {
            resent++;

        } else if (maybe < budget && outDuring(sent, m, windows)) {
            maybe++;

        } else if (death < held && outDuring(sent, m, killed)) {
            death++;

        } else {
            unexplained.add({
                message: m,
                note: `${copiesOf(topics, m)} copies, one at `
                      + `${topics.topics[copy.topic]} `
                      + `${copy.partition}/${copy.offset}`
            });
        }
    }

    /* ten lines a second are logged, but all of it is counted */

    if (log.maybe.length > totals.maybe && !run.blind.length
        && !killed.length)
    {
        unexplained.add({ note: `the log tells of ${log.maybe.length} possible `
            + `duplicates, counted were ${totals.maybe}` });
    }

    return verdict('delivered once', unexplained.count, [
        ['excess copies', topics.excess.length],
        ['of resends', resent],
        ['possibly written', maybe], ['of at most', budget],
        ['out at a death', death], ['of at most', held],
        ['unexplained', unexplained.count]
    ], unexplained.examples);
}


/* the scrape before a death may be older than what it held then */

function heldAtDeaths(run) {
    const { killed, totals } = run;

    return Math.max(killed.reduce((n, d) => n + d.held, 0),
                    killed.length ? totals.lost : 0);
}


/* attempts but one that may have been written; dedup.js asks for more */

function resends(sent, message) {
    const n = sentFile.outcomesOf(sent, message);

    return Math.max(n[ACK] + n[QUEUED] + n[UNKNOWN] - 1, 0);
}


/* when a message was sent again that may have been written */

function maybeWindows(run) {
    const logged = run.log.maybe.map((ms) => {
        const t = run.monotonic(ms);

        return { begin: t - LOG_SLACK, end: t + LOG_SLACK };
    });

    return [...run.scrapes.rises.maybe, ...logged];
}


/* some attempt was in the gateway's hands in one of the windows */

function outDuring(sent, message, windows) {
    let found = false;

    sentFile.eachAttempt(sent, message, (n) => {
        found = found || attemptDuring(sent, n, windows);
    });

    return found;
}


function attemptDuring(sent, n, windows) {
    const a = sent.attempt;

    /* who was told "queued", or nothing, does not know how long it lasted */

    const open = a.outcome[n] === QUEUED || a.outcome[n] === UNKNOWN;

    return windows.some((w) => a.start[n] <= w.end
                               && (open || a.end[n] >= w.begin));
}


function invented(run) {
    const { topics } = run;

    return verdict('nothing invented or changed', topics.invented.count, [
        ['records', topics.records + topics.deadRecords],
        ['wrong', topics.invented.count]
    ], topics.invented.examples);
}


function refused(run) {
    const { sent, topics } = run;
    const there = findings();
    let count = 0;

    for (let m = 0; m < sent.messages; m++) {
        const n = sentFile.outcomesOf(sent, m);

        if (!n[REFUSED] || n[ACK] || n[QUEUED] || n[DUP] || n[DLQ]
            || n[UNKNOWN])
        {
            continue;
        }

        count++;

        if (copiesOf(topics, m)) {
            const f = topics.first;

            there.add({ message: m, note: 'in '
                + `${topics.topics[f.topic[m]]} ${f.partition[m]}/`
                + `${f.offset[m]}` });
        }
    }

    return verdict('refused is not stored', there.count,
                   [['refused for good', count], ['stored', there.count]],
                   there.examples);
}


function order(run) {
    const { sent, topics, killed } = run;
    const broken = findings();
    const windows = [...killed, ...run.scrapes.rises.fatal];
    let explained = 0;

    for (const b of topics.breaks) {
        if (attemptDuring(sent, b.n, windows)) {
            explained++;
            continue;
        }

        broken.add({
            attempt: b.n,
            note: `${topics.topics[b.topic]} ${b.partition}/${b.offset}: `
                  + `behind attempt ${b.behind} of the same connection`
        });
    }

    return verdict('order', broken.count || topics.strays.count, [
        ['records judged', topics.judged],
        ['of several attempts', topics.skipped],
        ['breaks', topics.breaks.length],
        ['at a death or fatal error', explained],
        ['keys in two partitions', topics.strays.count]
    ], [...broken.examples, ...topics.strays.examples]);
}


function duplicates(run) {
    const { sent, topics, monotonic } = run;
    const name = '"duplicate" is true';
    const lies = findings();

    if (!sent.counts[DUP]) {
        return absent(name, 'nothing was answered "duplicate"');
    }

    for (let n = 1; n <= sent.attempts; n++) {
        if (sent.attempt.outcome[n] !== DUP) {
            continue;
        }

        const m = sent.attempt.message[n];

        if (copiesOf(topics, m) === 0) {
            lies.add({ attempt: n, note: 'in no topic' });

        } else if (monotonic(topics.first.timestamp[m])
                   > sent.attempt.end[n] + LOG_SLACK)
        {
            lies.add({ attempt: n, note: 'was delivered later' });

        } else if (early(sent, n)) {
            lies.add({ attempt: n, note: 'was told before it was safe' });
        }
    }

    return verdict(name, lies.count, [['duplicates', sent.counts[DUP]],
                                      ['untrue', lies.count]],
                   lies.examples);
}


/*
 * All that was acknowledged of the message was later than this answer, and no
 * other attempt can have been safe by then.
 */

function early(sent, n) {
    const a = sent.attempt;
    let open = false;
    let acked = Infinity;

    sentFile.eachAttempt(sent, a.message[n], (i) => {
        if (a.outcome[i] === ACK) {
            acked = Math.min(acked, a.end[i]);

        } else if (a.outcome[i] === UNKNOWN || a.outcome[i] === QUEUED) {
            open = open || a.start[i] < a.end[n];
        }
    });

    return !open && acked !== Infinity && acked > a.end[n] + TOLD_SLACK;
}


module.exports = { acknowledged, once, invented, refused, order, duplicates,
                   verdict, absent, maybeWindows, heldAtDeaths, outDuring,
                   LOG_SLACK };
