'use strict';

/*
 * dedup.js - I14: at most one record of each (device, epoch, seq), and what
 * the gateway says of resends is true.
 *
 * With dedup a resend explains nothing: of each further record there must be
 * an event that the gateway has told of, and that this message was part of.
 * Were "unknown, so it was sent again" still an excuse, windows that workers
 * do not share would pass.
 */

const { findings } = require('./lines.js');
const sentFile = require('./sent.js');
const messages = require('./messages.js');
const events = require('./events.js');

const { ACK, QUEUED, DUP, REFUSED, UNKNOWN } = sentFile;

const NAME = 'one record an id';

/* pure/gw_dedup_layout.h: numbers of a window whose digest is known; a digest
   is a byte, so of 255 other payloads one is taken for the same */
const DIGESTS = 8;
const MISSED = 20;
const MISSED_AT_LEAST = 3;

/* pure/gw_dedup.h: a number so far above its window is doubted */
const JUMP = 1048576;


function once(run) {
    const { plan, totals } = run;

    if (!plan.dedup.on) {
        return messages.absent(NAME, 'dedup is off');
    }

    const wrong = findings();
    const figures = [
        ['messages sent again', again(run.sent)],
        ...excess(run, wrong),
        ...payloads(run, wrong),
        ...stale(run, wrong),
        ...books(run, wrong)
    ];

    figures.push(['taken over', totals.dedup.taken_over || 0]);

    return messages.verdict(NAME, wrong.count, figures, wrong.examples);
}


function again(sent) {
    const a = sent.attempt;
    let n = 0;

    for (let m = 0; m < sent.messages; m++) {
        n += a.before[sent.message.last[m]] !== 0;
    }

    return n;
}


/*
 * Each cause with how often it may be called upon, and whether a message was
 * part of it.
 */

function causes(run) {
    const { totals, killed, log, scrapes } = run;
    const maybe = messages.maybeWindows(run);
    const drains = log.drains.map((d) => around(run.monotonic(d.ms)));
    const forgotten = forgets(run);

    const out = (m, windows) => outDuring(run.sent, m, windows);

    /* first those that explain least else, for each may be used up */

    return [
        ['windows not kept', Infinity,
         (m) => astride(run.sent, m, forgotten)],
        ['window evicted', Infinity,
         (m) => astride(run.sent, m, scrapes.rises.evictions)],
        ['below its window', totals.dedup.below || 0,
         (m) => someAgain(run, m, (n) => distance(run, n) >= run.window)],
        ['far above its window', totals.dedup.jumped || 0,
         (m) => run.sent.message.seq[m] > JUMP
                && messages.outDuring(run.sent, m, scrapes.rises.jumped)],
        ['without a window', totals.dedup.untracked || 0,
         (m) => messages.outDuring(run.sent, m, scrapes.rises.untracked)],
        ['possibly written', Math.max(totals.maybe, log.maybe.length),
         (m) => out(m, maybe)],
        ['left behind at an end',
         log.drains.reduce((n, d) => n + d.lost, 0), (m) => out(m, drains)],
        ['out at a death', messages.heldAtDeaths(run), (m) => out(m, killed)]
    ].map(([name, most, part]) => ({ name, most, part, used: 0 }));
}


function around(t) {
    return { begin: t - messages.LOG_SLACK, end: t + messages.LOG_SLACK };
}


/* masters that ended, and whose successor could not know what they knew */

function forgets(run) {
    const { plan, log, faults } = run;
    const told = log.forgot.map((ms) => around(run.monotonic(ms)));

    return events.restarts(faults).filter((f) => f.name === 'upgrade'
        || !plan.dedup.state
        || told.some((w) => w.begin <= f.end && w.end >= f.begin));
}


/*
 * Some attempt was in the gateway's hands in one of the windows, and none had
 * been called safe before: of what is safe a death takes nothing.
 */

function outDuring(sent, message, windows) {
    const a = sent.attempt;
    let safe = Infinity;

    sentFile.eachAttempt(sent, message, (n) => {
        if (a.outcome[n] === ACK || a.outcome[n] === DUP) {
            safe = Math.min(safe, a.end[n]);
        }
    });

    return messages.outDuring(sent, message,
                              windows.filter((w) => w.begin <= safe));
}


/*
 * Of two attempts that may have been written one was sent before the end of a
 * window, and another one was answered after its beginning.
 */

function astride(sent, message, windows) {
    const a = sent.attempt;
    const may = [];

    sentFile.eachAttempt(sent, message, (n) => {
        if (a.outcome[n] !== REFUSED && a.outcome[n] !== DUP) {
            may.unshift(n);
        }
    });

    return may.length > 1
           && windows.some((w) => a.start[may[0]] <= w.end
               && may.slice(1).some((n) => a.outcome[n] === UNKNOWN
                                           || a.end[n] >= w.begin));
}


/* an attempt but the first that may have been written */

function someAgain(run, message, is) {
    const a = run.sent.attempt;
    let found = false;

    sentFile.eachAttempt(run.sent, message, (n) => {
        found = found || (a.before[n] !== 0 && a.outcome[n] !== REFUSED
                          && is(n));
    });

    return found;
}


/*
 * How far an attempt may have been behind the newest number of its window:
 * that which had been sent when it ended.
 */

function distance(run, n) {
    const { sent } = run;
    const a = sent.attempt;
    const m = a.message[n];
    const of = history(run)[sent.message.sender[m]];
    let low = 0;
    let high = of.start.length;

    while (low < high) {
        const middle = (low + high) >> 1;

        if (a.outcome[n] === UNKNOWN || of.start[middle] <= a.end[n]) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return of.newest[low - 1] - sent.message.seq[m];
}


/* of a sender: the newest number that was sent, and when */

function history(run) {
    if (run.history) {
        return run.history;
    }

    const { sent } = run;
    const a = sent.attempt;

    run.history = sent.senders.names.map(() => ({ start: [], newest: [] }));

    for (let n = 1; n <= sent.attempts; n++) {
        const m = a.message[n];
        const h = run.history[sent.message.sender[m]];
        const last = h.newest.length ? h.newest[h.newest.length - 1] : -1;

        if (sent.message.seq[m] > last) {
            h.start.push(a.start[n]);
            h.newest.push(sent.message.seq[m]);
        }
    }

    return run.history;
}


/* dead letters are of attempts that were refused: not of here */

function excess(run, wrong) {
    const { topics, sent } = run;
    const list = causes(run);
    const used = new Map();
    let n = 0;
    let unexplained = 0;

    for (const copy of topics.excess) {
        const m = copy.message;
        const k = (used.get(m) || 0) + 1;

        used.set(m, k);

        /* a message both dead and delivered has the former beside the latter */

        if (topics.topics[copy.topic] === run.plan.deadLetter
            || k >= topics.copies[m])
        {
            continue;
        }

        n++;

        const cause = list.find((c) => c.used < c.most && c.part(m));

        if (cause) {
            cause.used++;
            continue;
        }

        unexplained++;
        wrong.add({ message: m, note: `${topics.copies[m]} records, one at `
            + `${topics.topics[copy.topic]} ${copy.partition}/${copy.offset}`
        });
    }

    return [['excess records', n],
            ...list.filter((c) => c.used).map((c) => [c.name, c.used]),
            ['unexplained', unexplained]];
}


/*
 * Where an id came with several payloads: what was acknowledged is what is
 * stored, what was refused is not, a conflict has two sides, and of the newest
 * numbers another payload is seen.
 */

function payloads(run, wrong) {
    const { sent, topics } = run;
    const a = sent.attempt;
    const stored = new Map();
    let conflicts = 0;
    let others = 0;
    let known = 0;
    let missed = 0;

    for (const c of topics.excess) {
        stored.set(c.message, [...(stored.get(c.message) || []), c.hash]);
    }

    const hashOf = (n) => a.hash[n] * 4294967296 + a.hash2[n];
    const reason = (n) => sent.reasons.names[a.reason[n]];

    for (let m = 0; m < sent.messages; m++) {
        const list = [];

        sentFile.eachAttempt(sent, m, (n) => list.push(n));

        const refused = list.filter((n) => a.outcome[n] === REFUSED
                                           && reason(n) === 'conflict');

        conflicts += refused.length;

        if (new Set(list.map(hashOf)).size < 2) {
            for (const n of refused) {
                wrong.add({ attempt: n, note: 'a conflict, but all payloads '
                                              + 'of it are the same' });
            }

            continue;
        }

        if (!topics.copies[m]) {
            continue;
        }

        const there = [...(stored.get(m) || []), topics.first.hash[m]];
        const said = list.filter((n) => there.includes(hashOf(n)));

        if (said.every((n) => a.outcome[n] === REFUSED)) {
            wrong.add({ message: m, note: 'a payload that was refused is '
                                          + 'stored' });
        }

        for (const n of list.filter((i) => !there.includes(hashOf(i)))) {
            others++;

            if (a.outcome[n] === ACK) {
                wrong.add({ attempt: n, note: 'acknowledged, but another '
                                              + 'payload is stored' });
            }

            if (distance(run, n) < DIGESTS) {
                known += a.outcome[n] === DUP || a.outcome[n] === REFUSED;
                missed += a.outcome[n] === DUP;
            }
        }
    }

    if (missed > MISSED_AT_LEAST + known / MISSED) {
        wrong.add({ note: `${missed} of ${known} other payloads of the newest `
                          + 'numbers were answered "duplicate"' });
    }

    if (!others) {
        return [];
    }

    return [['other payloads', others], ['conflicts', conflicts],
            ['of the newest', known], ['of these missed', missed]];
}


/* "stale" is told of what is below its window, and of nothing else */

function stale(run, wrong) {
    const { sent } = run;
    const a = sent.attempt;
    const reason = sent.reasons.find('stale');
    let n = 0;
    let below = 0;

    for (let i = 1; i <= sent.attempts; i++) {
        const is = a.outcome[i] === REFUSED && a.reason[i] === reason;
        const far = (is || a.before[i]) && distance(run, i) >= run.window;

        n += is;
        below += far && !is && a.outcome[i] !== REFUSED;

        if (is && !far) {
            wrong.add({ attempt: i, note: '"stale", but within its window' });
        }
    }

    if ((run.totals.dedup.below || 0) > below) {
        wrong.add({ note: `${run.totals.dedup.below} messages passed below `
            + `their windows, at most ${below} were there` });
    }

    return n ? [['stale', n]] : [];
}


/*
 * What the gateway counted of it.  A flight that nobody ends is a resend that
 * waits for ever; one is taken over from who died with it, and from nobody
 * else.
 */

function books(run, wrong) {
    const { sent, totals, atRest, blind, scrapes } = run;
    const a = sent.attempt;
    let certain = 0;

    for (let n = 1; n <= sent.attempts; n++) {
        certain += a.outcome[n] === DUP
                   && !blind.some((w) => a.end[n] >= w.begin
                                         && a.end[n] <= w.end);
    }

    const most = sent.counts[DUP] + sent.counts[UNKNOWN]
                 + sent.counts[QUEUED];

    if (certain > totals.duplicate || totals.duplicate > most) {
        wrong.add({ note: `clients were told "duplicate" ${sent.counts[DUP]} `
            + `times, the gateway counted ${totals.duplicate}` });
    }

    const lost = totals.lost + run.drainLost;

    if ((totals.dedup.taken_over || 0) > lost) {
        wrong.add({ note: `${totals.dedup.taken_over} were taken over, `
                          + `${lost} were lost` });
    }

    for (const e of scrapes.dedupWrong.examples) {
        wrong.add(e);
    }

    if (atRest && !atRest.dedup) {
        wrong.add({ t: scrapes.resting.t, note: 'nothing is told of dedup' });

    } else if (atRest) {
        const { inflight, held } = atRest.dedup;

        if (inflight || held) {
            wrong.add({ t: scrapes.resting.t, note: `${inflight} in flight `
                                               + `and ${held} held at rest` });
        }
    }

    return [['duplicates counted', totals.duplicate]];
}


module.exports = { once };
