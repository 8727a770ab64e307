'use strict';

/*
 * events.js - what was planned and what happened: the files "plan", "faults"
 * and "error.log".
 *
 * A duplicate or a break of the order is let pass only where an event of here
 * allows it, so an event that is not there must not be made up.
 */

const { eachLine } = require('./lines.js');

const LOG_LINE = new RegExp('^([0-9]{4})/([0-9]{2})/([0-9]{2}) '
    + '([0-9]{2}):([0-9]{2}):([0-9]{2}) \\[([a-z]+)\\] '
    + '([0-9]+)#[0-9]+: (?:\\*[0-9]+ )?(.*)$');

/* ngx_gateway_kafka_report.c: ten lines a second, the counter has all */
const MAYBE = /: a message of class ".*" was possibly written \(/;

/* ngx_gateway_worker.c: of a worker that left in order, and one that may
   leave messages behind; ngx_gateway_zone.c: of one that did not */
const GIVES_UP = / gives up draining after /;
const DIED = /: ([0-9]+) messages waited in a worker that died/;
const DRAINED = new RegExp(' drained in [0-9]+ ms: delivered=[0-9]+ '
    + 'spooled=[0-9]+ lost=([0-9]+) ');

const KILLED = /^worker process ([0-9]+) exited on signal 9$/;

/* ngx_gateway_dedup_zone.c: the windows from before an end are not there */
const FORGOT = new RegExp(' begins without its dedup windows'
    + '|: the dedup windows of gateway .* are not kept');

const RECOVERY_S = 30;

/* numbers; the default of the directive */
const DEDUP_WINDOW = 64;

/* of a worker; the default of the directive */
const BUFFER = 64 * 1024 * 1024;

/* after these nginx counts from nothing */
const RESTARTS = ['restart', 'term-start', 'upgrade'];


function readPlan(file, wrong) {
    const plan = { topics: {}, allowed: [], recovery: RECOVERY_S,
                   buffer: BUFFER, rssBudget: null, deadLetter: null,
                   lines: [],
                   dedup: { on: true, window: DEDUP_WINDOW, state: false } };

    eachLine(file, (line) => {
        const m = /^(\S+) +(.*)$/.exec(line);

        if (!m) {
            return;
        }

        const [, key, value] = m;

        plan.lines.push(line);

        switch (key) {

        case 'topic':
            plan.topics[value.split(' ')[0]] = value.split(' ')[1];
            break;

        case 'dead_letter':
            plan.deadLetter = value;
            break;

        case 'rss_budget':
            plan.rssBudget = number(value, line, wrong);
            break;

        case 'recovery_s':
            plan.recovery = number(value, line, wrong);
            break;

        case 'allow_log':
            plan.allowed.push(new RegExp(value));
            break;

        case 'gateway':
            dedup(plan.dedup, value);
            plan.buffer = size(/^buffer +([0-9]+)([kKmM]?);$/.exec(value))
                          || plan.buffer;
        }
    });

    if (Object.keys(plan.topics).length === 0) {
        wrong.add('plan: no topics');
    }

    return plan;
}


/* the directive, of which all that is not named is as by default */

function dedup(d, value) {
    const m = /^dedup +(.*);$/.exec(value);

    if (!m) {
        return;
    }

    const words = m[1].split(/ +/);
    const window = words.find((w) => w.startsWith('window='));

    d.on = words[0] !== 'off';
    d.window = window ? Number(window.slice(7)) : DEDUP_WINDOW;
    d.state = words.some((w) => w.startsWith('state='));
}


function number(value, line, wrong) {
    if (!/^[0-9]+$/.test(value)) {
        wrong.add(`plan: "${line}" has no number`);
        return null;
    }

    return Number(value);
}


function size(m) {
    return m && Number(m[1]) * { '': 1, k: 1024, m: 1048576 }
                                [m[2].toLowerCase()];
}


/* [{ name, begin, end, what }], in the order of their beginnings */

function readFaults(file, wrong) {
    const faults = [];

    const result = eachLine(file, (line, at) => {
        const [time, name, when, ...what] = line.split('\t');
        const t = Number(time);

        if (when === 'begin' && t > 0) {
            faults.push({ name, begin: t, end: null, what: what.join(' ') });
            return;
        }

        const open = faults.find((f) => f.name === name && f.end === null);

        if (when !== 'end' || !(t > 0) || !open) {
            wrong.add(`faults:${at}: not a line of it`);
            return;
        }

        open.end = t;
    });

    for (const f of faults.filter((x) => x.end === null)) {
        wrong.add(`faults: ${f.name} has no end`);
        f.end = Infinity;
    }

    if (result.cut) {
        wrong.add('faults: was cut');
    }

    return faults.sort((a, b) => a.begin - b.begin);
}


/* pid and what it held, of each worker that was killed */

function deaths(faults) {
    return faults.filter((f) => f.name === 'worker-kill').map((f) => {
        const [pid, held] = f.what.split(' ').map(Number);

        return { pid, held: held || 0, begin: f.begin, end: f.end };
    });
}


function restarts(faults) {
    return faults.filter((f) => RESTARTS.includes(f.name));
}


/*
 * Of the log: lines that must not be there, and when a message was sent again
 * that may have been written.  Its times are of the wall clock and whole
 * seconds.
 */

function readLog(file, plan, killed, wrong) {
    const log = { alarms: [], maybe: [], drains: [], forgot: [], died: 0,
                  lines: 0 };
    const gaveUp = new Set();
    const pids = killed.map((d) => d.pid);

    eachLine(file, (line) => {
        const m = LOG_LINE.exec(line);

        if (!m) {
            return;
        }

        log.lines++;

        const [, year, month, day, hour, minute, second, level, pid, text]
            = m;

        const ms = () => new Date(year, month - 1, day, hour, minute,
                                  second).getTime();

        if (level === 'alert' || level === 'emerg') {
            const k = KILLED.exec(text);

            if (!(k && pids.includes(Number(k[1])))
                && !plan.allowed.some((r) => r.test(line)))
            {
                log.alarms.push({ ms: ms(), text: `[${level}] ${text}` });
            }
        }

        if (MAYBE.test(text)) {
            log.maybe.push(ms());
        }

        if (FORGOT.test(text)) {
            log.forgot.push(ms());
        }

        const drained = DRAINED.exec(text);

        if (drained && drained[1] !== '0') {
            log.drains.push({ ms: ms(), lost: Number(drained[1]), pid,
                              gaveUp: gaveUp.has(pid) });
        }

        if (GIVES_UP.test(text)) {
            gaveUp.add(pid);
        }

        const died = DIED.exec(text);

        log.died += died ? Number(died[1]) : 0;
    });

    if (log.lines === 0) {
        wrong.add('error.log: has no line of level info');
    }

    return log;
}


/* { name, begin } of the fault that is next to a time, or null */

function nearest(faults, t) {
    let best = null;
    let least = Infinity;

    for (const f of faults) {
        const d = t < f.begin ? f.begin - t : t > f.end ? t - f.end : 0;

        if (d < least) {
            least = d;
            best = f;
        }
    }

    return best;
}


module.exports = { readPlan, readFaults, readLog, deaths, restarts, nearest };
