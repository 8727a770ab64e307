#!/usr/bin/env node
// Signs a request to the gateway: prints the Authorization header.
//
//   sign.mjs --key FILE --device ID [options] TARGET
//   sign.mjs --check vectors.json
//
// Options: --method (POST) --timestamp (now) --epoch --seq --class --time
// --type --encoding, each as the request will carry it; --body FILE or -
// (none: empty); --text prints the string to sign.  FILE of --key holds the
// base64url that gateway-devices printed.  Needs Node 18.3 and nothing else.

import { createHmac } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const scheme = 'Gateway-HMAC-SHA256';
const members = ['method', 'target', 'device', 'timestamp', 'epoch', 'seq',
    'class', 'time', 'type', 'encoding'];

// The string to sign: a line for each member, then the body (a Buffer).

export function text(request, body) {
    const lines = [scheme, ...members.map(m => request[m] || '')];

    if (lines.some(line => /[\n\r\0]/.test(line))) {
        throw new Error('a line break inside of a member');
    }

    return Buffer.concat([Buffer.from(lines.join('\n') + '\n'), body]);
}

// key: a Buffer; signed: the string to sign

export function sign(key, signed) {
    return createHmac('sha256', key).update(signed).digest('base64url');
}

export function header(request, signature) {
    return `${scheme} device="${request.device}", `
        + `timestamp="${request.timestamp}", signature="${signature}"`;
}

function decode(s) {
    return Buffer.from(s.trim(), 'base64url');
}

function check(path) {
    const vectors = JSON.parse(readFileSync(path, 'utf8'));
    let good = vectors.length > 0;

    for (const v of vectors) {
        const body = decode(v.body);
        const signed = text(v, body);
        const signature = sign(decode(v.key), signed);
        const same = signature === v.signature
            && signed.equals(Buffer.concat([Buffer.from(v.text), body]));

        good &&= same;
        console.log(same ? 'ok' : 'not ok', v.name, signature);
    }

    return good ? 0 : 1;
}

function main() {
    const options = { check: { type: 'string' }, key: { type: 'string' },
        body: { type: 'string' }, text: { type: 'boolean' } };

    for (const m of members.filter(m => m !== 'target')) {
        options[m] = { type: 'string' };
    }

    const { values, positionals } = parseArgs({ options,
        allowPositionals: true });

    if (values.check) {
        return check(values.check);
    }

    if (!values.key || !values.device || positionals.length !== 1) {
        console.error('sign.mjs: --key, --device and TARGET are needed');
        return 2;
    }

    const request = { method: 'POST',
        timestamp: String(Math.floor(Date.now() / 1000)), ...values,
        target: positionals[0] };

    const body = values.body
        ? readFileSync(values.body === '-' ? 0 : values.body)
        : Buffer.alloc(0);

    const signed = text(request, body);

    if (values.text) {
        process.stdout.write(signed);
        return 0;
    }

    const key = decode(readFileSync(values.key, 'ascii'));

    if (key.length < 32 || key.length > 64) {
        console.error('sign.mjs: a key has 32 to 64 bytes');
        return 2;
    }

    console.log('Authorization: ' + header(request, sign(key, signed)));

    return 0;
}

if (process.argv[1]
    && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
{
    process.exitCode = main();
}
