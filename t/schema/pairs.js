'use strict';

/*
 * node pairs.js SEED PAIRS > FILE: what verdict.c and judge.js read.  Eight
 * instances of each schema, all from one seed.
 */

const { Random, document, instance, written } = require('./random.js');

const INSTANCES = 8;


const [seed, pairs] = process.argv.slice(2).map(Number);

if (!Number.isInteger(seed) || !Number.isInteger(pairs)) {
    process.stderr.write('usage: pairs.js SEED PAIRS\n');
    process.exit(2);
}

const r = new Random(seed);
let lines = [];

for (let n = 0; n < pairs; n += INSTANCES) {
    const schema = document(r);

    for (let i = 0; i < INSTANCES; i++) {
        lines.push((i ? '' : written(r, schema)) + '\t'
                   + written(r, instance(r, schema)) + '\n');
    }

    if (lines.length >= 4096) {
        process.stdout.write(lines.join(''));
        lines = [];
    }
}

process.stdout.write(lines.join(''));
