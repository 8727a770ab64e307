'use strict';

/*
 * node judge.js AJV PAIRS VERDICTS: ajv's verdicts on PAIRS beside ours.  AJV
 * is the folder of the package.  Prints TAP; exits with 1 where they differ.
 *
 * Two validators of one team that read the same clause wrongly agree; ajv is
 * of somebody else.
 */

const fs = require('fs');
const path = require('path');

const SHOWN = 5;


function lines(file) {
    const text = fs.readFileSync(file, 'utf8').split('\n');

    text.pop();
    return text;
}


/*
 * ajv decides "contains" for an empty array by a variable that an earlier
 * array may have left behind.  That such an array is too short is said in its
 * own copy of the schema in other words too.
 */

function mended(schema) {
    if (schema === null || typeof schema !== 'object') {
        return schema;
    }

    const copy = Array.isArray(schema) ? [] : {};

    for (const [name, value] of Object.entries(schema)) {
        copy[name] = name === 'const' || name === 'enum' ? value
                                                         : mended(value);
    }

    if ('contains' in schema && schema.minContains !== 0) {
        copy.minItems = Math.max(1, schema.minItems || 0);
    }

    return copy;
}


const [folder, pairsFile, verdictsFile] = process.argv.slice(2);
const Ajv = require(path.resolve(folder, 'dist', '2020.js')).default;

const pairs = lines(pairsFile);
const verdicts = lines(verdictsFile);

/* the schema is judged by ajv too; none is kept for the next one */

const ajv = new Ajv({ strict: false, unicodeRegExp: true, ownProperties: true,
                      validateFormats: false, logger: false,
                      addUsedSchema: false });

let validate = null;
let text = '';
let refused = 0;
let silent = 0;
let valid = 0;
let differences = 0;

pairs.forEach((pair, i) => {
    const tab = pair.indexOf('\t');

    if (tab > 0) {
        const schema = mended(JSON.parse(pair.slice(0, tab)));

        text = pair.slice(0, tab);
        validate = ajv.compile(schema);

        if (typeof schema === 'object') {
            ajv.removeSchema(schema);
        }
    }

    const instance = JSON.parse(pair.slice(tab + 1));
    let want = '0';

    /* its code for what was evaluated, which we do not ask for, may throw */

    try {
        want = validate(instance) ? '1' : '0';
    } catch (error) {
        silent++;
        return;
    }

    valid += want === '1';
    refused += /^R/.test(verdicts[i]);

    if (verdicts[i] !== want && differences++ < SHOWN) {
        process.stdout.write(`# ajv says ${want}, we say ${verdicts[i]}\n`
                             + `#   schema   ${text}\n`
                             + `#   instance ${pair.slice(tab + 1)}\n`);
    }
});

const share = Math.round(100 * valid / pairs.length);
let n = 0;
let bad = false;

function ok(good, what) {
    bad = bad || !good;
    process.stdout.write(`${good ? 'ok' : 'not ok'} ${++n} - ${what}\n`);
}

ok(verdicts.length === pairs.length,
   `there is a verdict on each of ${pairs.length} pairs`);
ok(share >= 35 && share <= 65, `about half are valid: ${share} %`);
ok(refused === 0, `no schema is refused: ${refused} pairs`);
ok(silent * 100 <= pairs.length,
   `ajv has no verdict on 1 % at most: ${silent}`);
ok(differences === 0, `ajv comes to the same verdict: ${differences} differ`);
process.stdout.write(`1..${n}\n`);
process.exit(bad ? 1 : 0);
