'use strict';

/*
 * lines.js - large files line by line, and tables of numbers that grow.
 *
 * A run has millions of lines: what is kept of one must be numbers in typed
 * arrays.  Without this the comparer would end for want of memory on just
 * the long runs, where the rare losses are.
 */

const fs = require('fs');

const CHUNK = 1 << 20;
const LINE_FEED = 10;


/* calls each(line, number from 1); a last line that was cut is said so */

function eachLine(file, each) {
    const fd = fs.openSync(file, 'r');
    const chunk = Buffer.allocUnsafe(CHUNK);
    let rest = [];
    let number = 0;

    try {
        for (;;) {
            const n = fs.readSync(fd, chunk, 0, CHUNK, null);

            if (n === 0) {
                break;
            }

            let from = 0;

            for (;;) {
                const at = chunk.indexOf(LINE_FEED, from);

                if (at < 0 || at >= n) {
                    break;
                }

                let line;

                if (rest.length) {
                    rest.push(Buffer.from(chunk.subarray(from, at)));
                    line = Buffer.concat(rest).toString('utf8');
                    rest = [];

                } else {
                    line = chunk.toString('utf8', from, at);
                }

                each(line, ++number);
                from = at + 1;
            }

            if (from < n) {
                rest.push(Buffer.from(chunk.subarray(from, n)));
            }
        }

    } finally {
        fs.closeSync(fd);
    }

    return { lines: number, cut: rest.length > 0 };
}


/*
 * Typed arrays of one length, a name each.  room(t, i) makes place for index
 * i; what was not set is 0.
 */

function table(types) {
    const t = { size: 1 << 12, columns: Object.keys(types) };

    for (const name of t.columns) {
        t[name] = new types[name](t.size);
    }

    return t;
}


function room(t, i) {
    if (i < t.size) {
        return;
    }

    t.size = Math.max(t.size * 2, i + 1);

    for (const name of t.columns) {
        const grown = new t[name].constructor(t.size);

        grown.set(t[name]);
        t[name] = grown;
    }
}


/* names as small numbers, from 0 in the order of their coming */

function interner() {
    const numbers = new Map();
    const names = [];

    return {
        names,

        number(name) {
            let n = numbers.get(name);

            if (n === undefined) {
                n = names.length;
                names.push(name);
                numbers.set(name, n);
            }

            return n;
        },

        find(name) {
            return numbers.get(name);
        }
    };
}


/* what is wrong: all are counted, the first few are kept as examples */

const EXAMPLES = 5;

function findings() {
    return {
        count: 0,
        examples: [],

        add(example) {
            if (this.count++ < EXAMPLES) {
                this.examples.push(typeof example === 'function'
                                   ? example() : example);
            }
        }
    };
}


module.exports = { eachLine, table, room, interner, findings };
