#!/usr/bin/env python3
"""Signs a request to the gateway: prints the Authorization header.

    sign.py --key FILE --device ID [options] TARGET
    sign.py --check vectors.json

Options: --method (POST) --timestamp (now) --epoch --seq --class --time --type
--encoding, each as the request will carry it; --body FILE or - (none: empty);
--text prints the string to sign.  FILE of --key holds the base64url that
gateway-devices printed.  Needs Python 3.6 and nothing else.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
import time

SCHEME = 'Gateway-HMAC-SHA256'
MEMBERS = ('method', 'target', 'device', 'timestamp', 'epoch', 'seq', 'class',
           'time', 'type', 'encoding')


def text(request, body):
    """The string to sign: a line for each member, then the body."""
    lines = [SCHEME] + [request.get(m) or '' for m in MEMBERS]

    if any(c in line for line in lines for c in '\n\r\0'):
        raise ValueError('a line break inside of a member')

    return ''.join(line + '\n' for line in lines).encode(
        'utf-8', 'surrogateescape') + body


def sign(key, signed):
    """key: bytes, signed: the string to sign; base64url without padding."""
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b'=').decode()


def header(request, signature):
    return '%s device="%s", timestamp="%s", signature="%s"' % (
        SCHEME, request['device'], request['timestamp'], signature)


def decode(s):
    return base64.urlsafe_b64decode(s.strip() + '=' * (-len(s.strip()) % 4))


def check(path):
    with open(path, encoding='utf-8') as f:
        vectors = json.load(f)

    good = True

    for v in vectors:
        body = decode(v['body'])
        signed = text(v, body)
        signature = sign(decode(v['key']), signed)
        same = (signed == v['text'].encode() + body
                and signature == v['signature'])
        good &= same
        print('ok' if same else 'not ok', v['name'], signature)

    return 0 if good and vectors else 1


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument('--check')
    p.add_argument('--key')
    p.add_argument('--method', default='POST')
    p.add_argument('--device')
    p.add_argument('--timestamp', default=str(int(time.time())))

    for m in MEMBERS[4:] + ('body',):
        p.add_argument('--' + m, default='')

    p.add_argument('--text', action='store_true')
    p.add_argument('target', nargs='?')
    args = vars(p.parse_args())

    if args['check']:
        return check(args['check'])

    if not args['key'] or not args['device'] or not args['target']:
        p.error('--key, --device and TARGET are needed')

    with open(args['key'], encoding='ascii') as f:
        key = decode(f.read())

    if not 32 <= len(key) <= 64:
        p.error('a key has 32 to 64 bytes')

    body = b''

    if args['body'] == '-':
        body = sys.stdin.buffer.read()
    elif args['body']:
        with open(args['body'], 'rb') as f:
            body = f.read()

    signed = text(args, body)

    if args['text']:
        sys.stdout.buffer.write(signed)
    else:
        print('Authorization: ' + header(args, sign(key, signed)))

    return 0


if __name__ == '__main__':
    sys.exit(main())
