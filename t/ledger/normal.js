'use strict';

/*
 * normal.js - what a record must hold, worked out from the envelope that was
 * sent by other means than the gateway's: its own small tokenizer, Date for
 * times, JSON.parse for strings.
 *
 * A number stays the text that it is: JSON.parse would turn 1.0 and
 * 9007199254740993 into other digits and never notice that the gateway did.
 */

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /"[^"\\\u0000-\u001f]*"/y;
const ESCAPED = /"(?:[^"\\\u0000-\u001f]+|\\.)*"/y;
const SPACE = /[ \t\r\n]*/y;

/* levels below which no envelope goes */
const DEPTH = 64;

const RECORD = new RegExp(
    '^\\{"device":"([A-Za-z0-9._:@-]{1,128})"'
    + ',"epoch":"([A-Za-z0-9._:@-]{0,32})"'
    + '(?:,"seq":(0|[1-9][0-9]{0,15}))?'
    + ',"class":"([A-Za-z0-9._:@-]{1,32})"'
    + ',"ts":(0|[1-9][0-9]{0,14})'
    + ',"received_at":(0|[1-9][0-9]{0,14}),"data":');

const RFC3339 = new RegExp(
    '^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}):([0-9]{2})'
    + '(?:\\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})$');

const EPOCH = /^(0|[1-9][0-9]{0,14})(?:\.([0-9]+))?$/;

/* below it a number is seconds, from it on milliseconds */
const SECONDS_LIMIT = 1e11;

/* 9999-12-31T23:59:59.999Z */
const TIME_MAX = 253402300799999;

const MEMBERS = ['device', 'epoch', 'seq', 'class', 'ts', 'data'];


/*
 * A scanner moves over the text and checks it.  What it passes is taken over
 * as it stands, in runs from "from" to "pos": white space ends a run, and so
 * does a string with an escape, which has another form in "out".
 */

function scanner(text, pos) {
    return { text, pos, from: pos, out: '' };
}


function fail(s, what) {
    throw new Error(`${what} at ${s.pos}`);
}


function flush(s) {
    if (s.pos > s.from) {
        s.out += s.text.slice(s.from, s.pos);
    }

    s.from = s.pos;
}


/* what has been passed since the last time, in canonical form */

function taken(s) {
    flush(s);

    const out = s.out;
    s.out = '';

    return out;
}


/* the next character that is none */

function skipSpace(s) {
    const c = s.text.charCodeAt(s.pos);

    if (c > 0x20) {
        return c;
    }

    flush(s);
    SPACE.lastIndex = s.pos;
    SPACE.test(s.text);
    s.pos = SPACE.lastIndex;
    s.from = s.pos;

    return s.text.charCodeAt(s.pos);
}


function string(s) {
    PLAIN.lastIndex = s.pos;

    if (PLAIN.test(s.text)) {
        s.pos = PLAIN.lastIndex;
        return;
    }

    ESCAPED.lastIndex = s.pos;

    if (!ESCAPED.test(s.text)) {
        fail(s, 'no end of a string');
    }

    const token = s.text.slice(s.pos, ESCAPED.lastIndex);

    flush(s);
    s.out += JSON.stringify(JSON.parse(token));
    s.pos = ESCAPED.lastIndex;
    s.from = s.pos;
}


function literal(s, word) {
    if (!s.text.startsWith(word, s.pos)) {
        fail(s, 'no value');
    }

    s.pos += word.length;
}


function number(s) {
    NUMBER.lastIndex = s.pos;

    if (!NUMBER.test(s.text)) {
        fail(s, 'no value');
    }

    s.pos = NUMBER.lastIndex;
}


function value(s, depth) {
    switch (skipSpace(s)) {

    case 0x22:
        string(s);
        return;

    case 0x7b:
        group(s, depth, 0x7d);
        return;

    case 0x5b:
        group(s, depth, 0x5d);
        return;

    case 0x74:
        literal(s, 'true');
        return;

    case 0x66:
        literal(s, 'false');
        return;

    case 0x6e:
        literal(s, 'null');
        return;

    default:
        number(s);
    }
}


/* an object or an array, by its last character */

function group(s, depth, end) {
    if (depth === DEPTH) {
        fail(s, 'too deep');
    }

    s.pos++;

    if (skipSpace(s) === end) {
        s.pos++;
        return;
    }

    for (;;) {
        if (end === 0x7d) {
            name(s);
        }

        value(s, depth + 1);

        const c = skipSpace(s);

        if (c !== 0x2c && c !== end) {
            fail(s, 'no comma');
        }

        s.pos++;

        if (c === end) {
            return;
        }
    }
}


/* of a member, and the colon */

function name(s) {
    if (skipSpace(s) !== 0x22) {
        fail(s, 'no name');
    }

    string(s);

    if (skipSpace(s) !== 0x3a) {
        fail(s, 'no colon');
    }

    s.pos++;
}


function canonical(text) {
    const s = scanner(text, 0);

    value(s, 0);

    skipSpace(s);

    if (s.pos !== text.length) {
        fail(s, 'more than a value');
    }

    return taken(s);
}


/* milliseconds, digits behind the third are cut */

function fraction(digits) {
    return digits ? Number((digits + '00').slice(0, 3)) : 0;
}


function fromDate(text) {
    const m = RFC3339.exec(text);

    if (!m) {
        throw new Error('ts is no date');
    }

    const [, day, minute, second, digits, zone] = m;
    const dayOfMonth = Number(day.slice(8));

    /* Date takes a 30th of February for the 1st of March */

    if (Number(second) > 60
        || (dayOfMonth > 28
            && new Date(`${day}T00:00:00Z`).getUTCDate() !== dayOfMonth))
    {
        throw new Error('ts is no date');
    }

    const base = Date.parse(`${day}T${minute}:00${zone.toUpperCase()}`);

    return base + Number(second) * 1000 + fraction(digits);
}


function fromNumber(text) {
    const m = EPOCH.exec(text);

    if (!m) {
        throw new Error('ts is no epoch');
    }

    const n = Number(m[1]);

    return n < SECONDS_LIMIT ? n * 1000 + fraction(m[2]) : n;
}


/* device time as a JSON token to milliseconds UTC */

function time(token) {
    const ms = token[0] === '"' ? fromDate(JSON.parse(token))
                                : fromNumber(token);

    if (!(ms >= 0 && ms <= TIME_MAX)) {
        throw new Error('ts is out of range');
    }

    return ms;
}


/*
 * The envelope that a device sent, as its record must tell it: data in
 * canonical form, ts in milliseconds or null for the time of receipt.
 * Throws where it is none.
 */

function envelope(text) {
    const s = scanner(text, 0);
    const tokens = {};

    if (skipSpace(s) !== 0x7b) {
        fail(s, 'no object');
    }

    s.pos++;

    for (let c = skipSpace(s); c !== 0x7d; /* void */) {
        taken(s);
        name(s);

        const member = JSON.parse(taken(s).slice(0, -1));

        if (!MEMBERS.includes(member) || tokens[member] !== undefined) {
            fail(s, `member "${member}"`);
        }

        value(s, 1);
        tokens[member] = taken(s);

        c = skipSpace(s);

        if (c === 0x2c) {
            s.pos++;

        } else if (c !== 0x7d) {
            fail(s, 'no comma');
        }
    }

    s.pos++;
    skipSpace(s);

    if (s.pos !== text.length || tokens.data === undefined) {
        fail(s, 'no envelope');
    }

    return {
        device: word(tokens.device, null),
        epoch: word(tokens.epoch, ''),
        seq: tokens.seq === undefined ? null : Number(tokens.seq),
        class: word(tokens.class, null),
        ts: tokens.ts === undefined ? null : time(tokens.ts),
        data: tokens.data
    };
}


function word(token, absent) {
    if (token === undefined) {
        return absent;
    }

    if (token[0] !== '"') {
        throw new Error('a string was expected');
    }

    return JSON.parse(token);
}


/* the value of a record; throws where its form is not the promised one */

function record(text) {
    const m = RECORD.exec(text);

    if (!m) {
        throw new Error('the members are not those of a record');
    }

    const s = scanner(text, m[0].length);

    value(s, 1);

    if (s.pos !== text.length - 1 || text[s.pos] !== '}'
        || text.includes('\n'))
    {
        fail(s, 'the record has no end');
    }

    return {
        device: m[1],
        epoch: m[2],
        seq: m[3] === undefined ? null : Number(m[3]),
        class: m[4],
        ts: Number(m[5]),
        receivedAt: Number(m[6]),
        data: taken(s)
    };
}


/*
 * 64 bits of a text, in two numbers: bodies of millions of messages are told
 * apart by them.
 */

function hash(text, to) {
    let a = 0x811c9dc5;
    let b = 0x9747b28c;

    for (let i = 0; i < text.length; i++) {
        const c = text.charCodeAt(i);

        a = Math.imul(a ^ c, 0x01000193);
        b = Math.imul(b + c, 0x5bd1e995);
        b ^= b >>> 15;
    }

    to[0] = (a ^ a >>> 16) >>> 0;
    to[1] = b >>> 0;
}


module.exports = { canonical, envelope, record, time, hash };
