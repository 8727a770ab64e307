'use strict';

/*
 * random.js - random schemas of draft 2020-12 over the keywords of
 * gw_schema.h, and instances for them: about half are made from the schema so
 * that they should be valid, the others are those with something changed, or
 * have nothing to do with it.
 *
 * Everything follows from one seed.  Numbers are such that a double holds them
 * and multipleOf is decided by whole numbers: what a double rounds is not
 * ajv's to judge (t/unit/gw_schema_number.c does that).
 */

/* strings of several widths, with what JSON escapes and what it does not */
const WORDS = ['', 'a', 'b', 'ab', 'abc', 'a1', '42', 'x_y', 'A', 'Zz', 'é',
               '\u{1f600}', 'a\u{1f600}b', 'a/b', 'a~b', 'q"q', 'l\nl', '\\',
               'aaaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaab', 'temperature',
               'temperaturf', '10.0.0.1', ' ', 'aa', 'ba', 'bb', '0', 'true'];

const NAMES = ['a', 'b', 'ab', 'abc', 'temperature', 'temperaturf', 'x_y',
               'é', 'a/b', '\u{1f600}', '', 'q"q', 'aaaaaaaaaaaaaaaaab'];

/* ajv takes a missing "" for one that is there */
const REQUIRED = NAMES.filter((name) => name !== '');

const PATTERNS = ['^a', 'b$', '^[a-z]+$', '\\d', '^\\d+$', '^\\w*$', 'a.b',
                  '^.$', '^..?$', '[^a]', '^(ab|a)c?$', '\\u0061', '\\/',
                  '^\\p{L}+$', '^\\S*$', '(?=a).b', '^(?!a)', 'a{2,3}', '^$',
                  '^[\\w.]+$', '\\.', '[\\d_]', 'x|y', '^\\D+$', '^[^\\s]$',
                  '\\ud83d\\ude00', '\\u{1F600}', '^a*?b+?$', '\\bb'];

const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array',
               'object'];


class Random {

    constructor(seed) {
        this.state = seed >>> 0 || 1;
    }

    /* xorshift32; 0 .. n - 1 */

    below(n) {
        this.state ^= this.state << 13;
        this.state ^= this.state >>> 17;
        this.state ^= this.state << 5;
        return (this.state >>> 0) % n;
    }

    one(list) {
        return list[this.below(list.length)];
    }

    chance(percent) {
        return this.below(100) < percent;
    }

    some(list, most) {
        const chosen = new Set();

        for (let n = this.below(most + 1); n > 0; n--) {
            chosen.add(this.one(list));
        }

        return [...chosen];
    }
}


function number(r) {
    switch (r.below(6)) {
    case 0:  return r.below(200) - 100;
    case 1:  return (r.below(400) - 200) / 4;
    case 2:  return r.below(10) * 10 ** r.below(12);
    case 3:  return (r.below(2000) - 1000) / 64;
    case 4:  return Number.MAX_SAFE_INTEGER - r.below(3);
    default: return r.below(12) - 4;
    }
}


/* any value, of so many levels at most */

function value(r, depth) {
    switch (r.below(depth > 0 ? 9 : 6)) {
    case 0:  return null;
    case 1:  return r.chance(50);
    case 2:
    case 3:  return number(r);
    case 4:
    case 5:  return r.one(WORDS);
    case 6:  return Array.from({ length: r.below(5) },
                               () => value(r, depth - 1));
    default: return Object.fromEntries(
                 r.some(NAMES, 4).map((name) => [name, value(r, depth - 1)]));
    }
}


/* the schema's keywords, each with what makes its value */

const KEYWORDS = {
    type: (r) => r.chance(70) ? r.one(TYPES)
                 : [...new Set([r.one(TYPES), r.one(TYPES)])],
    enum: (r) => distinct(Array.from({ length: 1 + r.below(5) },
                                     () => value(r, 1))),
    const: (r) => value(r, 2),
    multipleOf: (r) => r.one([1, 2, 3, 5, 10, 0.5, 0.25, 0.125]),
    maximum: number,
    exclusiveMaximum: number,
    minimum: number,
    exclusiveMinimum: number,
    maxLength: (r) => r.below(8),
    minLength: (r) => r.below(4),
    pattern: (r) => r.one(PATTERNS),
    items: (r, c) => schema(r, c),
    prefixItems: (r, c) => schemas(r, c),
    maxItems: (r) => r.below(5),
    minItems: (r) => r.below(4),
    uniqueItems: (r) => r.chance(80),
    contains: (r, c) => schema(r, c),
    maxContains: (r) => r.below(4),
    minContains: (r) => r.below(3),
    properties: (r, c) => map(r, NAMES, c),
    patternProperties: (r, c) => map(r, PATTERNS, c),
    additionalProperties: (r, c) => schema(r, c),
    propertyNames: (r, c) => schema(r, c),
    maxProperties: (r) => r.below(5),
    minProperties: (r) => r.below(3),
    required: (r) => r.some(REQUIRED, 3),
    dependentRequired: (r) => Object.fromEntries(
        r.some(NAMES, 2).map((name) => [name, r.some(REQUIRED, 2)])),
    dependentSchemas: (r, c) => map(r, NAMES, c),
    allOf: (r, c) => schemas(r, c),
    anyOf: (r, c) => schemas(r, c),
    oneOf: (r, c) => schemas(r, c),
    not: (r, c) => schema(r, c),
    if: (r, c) => schema(r, c),
    then: (r, c) => schema(r, c),
    else: (r, c) => schema(r, c),
    $ref: (r) => r.one(['#/$defs/x', '#/$defs/y', '#/$defs/a~1b', '#here']),
    title: () => 'of no consequence',
    format: () => 'date-time'
};

/* some go together; alone they say little */

const GROUPS = [
    ['type'], ['type'], ['enum'], ['const'], ['type', 'multipleOf'],
    ['type', 'minimum'], ['minimum', 'maximum'], ['exclusiveMinimum'],
    ['exclusiveMaximum', 'minimum'], ['maximum', 'exclusiveMaximum'],
    ['minLength'], ['maxLength', 'minLength'], ['maxLength', 'pattern'],
    ['pattern'], ['items'], ['items', 'prefixItems'], ['prefixItems'],
    ['minItems', 'maxItems'], ['uniqueItems'], ['contains'],
    ['contains', 'minContains'], ['contains', 'maxContains'],
    ['contains', 'minContains', 'maxContains'], ['minContains'],
    ['properties'], ['properties', 'required'],
    ['properties', 'additionalProperties'],
    ['properties', 'required', 'additionalProperties'],
    ['properties', 'patternProperties', 'additionalProperties'],
    ['patternProperties'], ['additionalProperties'], ['propertyNames'],
    ['minProperties', 'maxProperties'], ['required'], ['dependentRequired'],
    ['dependentSchemas'], ['allOf'], ['anyOf'], ['oneOf'], ['not'],
    ['if', 'then'], ['if', 'else'], ['if', 'then', 'else'], ['then'], ['if'],
    ['$ref'], ['$ref', 'type'], ['title'], ['format']
];


/* refs: the schema may refer to those of $defs, which do not */

function schema(r, context) {
    const depth = context.depth;

    if (r.chance(depth > 0 ? 6 : 20)) {
        return r.chance(75);
    }

    const inner = { depth: depth - 1, refs: context.refs };
    const s = {};

    for (let n = 1 + r.below(3); n > 0; n--) {
        for (const name of r.one(GROUPS)) {
            const down = KEYWORDS[name].length > 1;

            if ((down && depth <= 0) || (name === '$ref' && !context.refs)) {
                continue;
            }

            if (!(name in s)) {
                s[name] = KEYWORDS[name](r, inner);
            }
        }
    }

    return s;
}


function schemas(r, context) {
    return Array.from({ length: 1 + r.below(3) }, () => schema(r, context));
}


function map(r, names, context) {
    return Object.fromEntries(
        r.some(names, 4).map((name) => [name, schema(r, context)]));
}


function distinct(list) {
    const seen = new Map(list.map((v) => [JSON.stringify(v), v]));

    return [...seen.values()];
}


function document(r) {
    const s = schema(r, { depth: 3, refs: true });

    if (typeof s === 'boolean') {
        return s;
    }

    const inner = { depth: 1, refs: false };
    const anchored = schema(r, inner);

    s.$defs = {
        x: schema(r, inner),
        y: schema(r, inner),
        'a/b': schema(r, inner),
        h: typeof anchored === 'object' ? { $anchor: 'here', ...anchored }
                                        : { $anchor: 'here' }
    };

    return s;
}


/* a value that s may like; it is not said that it does */

function liked(r, s, root, depth) {
    if (typeof s === 'boolean' || depth > 6) {
        return value(r, 1);
    }

    if (s.$ref && r.chance(80)) {
        const name = s.$ref === '#here' ? 'h'
                     : s.$ref.slice(8).replace('~1', '/');

        return liked(r, root.$defs[name], root, depth + 1);
    }

    if ('const' in s) {
        return s.const;
    }

    if (s.enum) {
        return r.one(s.enum);
    }

    for (const name of ['allOf', 'anyOf', 'oneOf']) {
        if (s[name] && r.chance(60)) {
            return liked(r, r.one(s[name]), root, depth + 1);
        }
    }

    if (s.then && r.chance(40)) {
        return liked(r, s.then, root, depth + 1);
    }

    switch (type(r, s)) {
    case 'null':     return null;
    case 'boolean':  return r.chance(50);
    case 'integer':  return Math.round(within(r, s));
    case 'number':   return within(r, s);
    case 'string':   return text(r, s);
    case 'array':    return array(r, s, root, depth);
    default:         return object(r, s, root, depth);
    }
}


function type(r, s) {
    if (s.type) {
        return Array.isArray(s.type) ? r.one(s.type) : s.type;
    }

    const has = (...names) => names.some((name) => name in s);
    const kinds = [];

    if (has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum',
            'multipleOf'))
    {
        kinds.push('number');
    }

    if (has('minLength', 'maxLength', 'pattern')) {
        kinds.push('string');
    }

    if (has('items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems',
            'contains'))
    {
        kinds.push('array');
    }

    if (has('properties', 'patternProperties', 'additionalProperties',
            'required', 'propertyNames', 'minProperties', 'maxProperties',
            'dependentRequired', 'dependentSchemas'))
    {
        kinds.push('object');
    }

    return r.one(kinds.length ? kinds : TYPES);
}


function within(r, s) {
    const bounds = ['minimum', 'maximum', 'exclusiveMinimum',
                    'exclusiveMaximum'].filter((name) => name in s);
    const near = bounds.length ? s[r.one(bounds)] : number(r);

    if (s.multipleOf && r.chance(70)) {
        return Math.round(near / s.multipleOf) * s.multipleOf;
    }

    return near + r.one([0, 0, 1, -1, 0.25, -0.5, 10]);
}


function text(r, s) {
    for (let tries = 10; tries > 0; tries--) {
        const word = r.one(WORDS) + (r.chance(30) ? r.one(WORDS) : '');

        if (!s.pattern || new RegExp(s.pattern, 'u').test(word)) {
            return word;
        }
    }

    return r.one(WORDS);
}


function array(r, s, root, depth) {
    const length = Math.max(s.minItems || 0, r.below(4),
                            s.contains ? 1 : 0, (s.prefixItems || []).length
                            - r.below(2));
    const list = [];

    for (let i = 0; i < length; i++) {
        const item = s.prefixItems && i < s.prefixItems.length
                     ? s.prefixItems[i]
                     : s.contains && r.chance(50) ? s.contains
                     : 'items' in s ? s.items : true;

        list.push(liked(r, item, root, depth + 1));
    }

    return list;
}


function object(r, s, root, depth) {
    const names = new Set(s.required || []);

    for (const name of Object.keys(s.properties || {})) {
        if (r.chance(70)) {
            names.add(name);
        }
    }

    for (const name of r.some(NAMES, s.additionalProperties === false ? 1 : 3))
    {
        names.add(name);
    }

    return Object.fromEntries([...names].map((name) => {
        const known = s.properties && Object.hasOwn(s.properties, name);
        const other = 'additionalProperties' in s ? s.additionalProperties
                                                  : true;

        return [name, liked(r, known ? s.properties[name] : other, root,
                            depth + 1)];
    }));
}


/* v with one thing changed somewhere */

function changed(r, v) {
    if (Array.isArray(v) && v.length && r.chance(80)) {
        const copy = v.slice();
        const i = r.below(v.length);

        switch (r.below(4)) {
        case 0:   copy.splice(i, 1); break;
        case 1:   copy.push(v[i]); break;
        default:  copy[i] = changed(r, v[i]);
        }

        return copy;
    }

    if (v !== null && typeof v === 'object' && Object.keys(v).length
        && r.chance(80))
    {
        const copy = { ...v };
        const name = r.one(Object.keys(v));

        switch (r.below(4)) {
        case 0:   delete copy[name]; break;
        case 1:   copy[r.one(NAMES)] = value(r, 1); break;
        default:  copy[name] = changed(r, v[name]);
        }

        return copy;
    }

    if (typeof v === 'number' && r.chance(60)) {
        return v + r.one([1, -1, 0.5, 100]);
    }

    if (typeof v === 'string' && r.chance(60)) {
        return r.chance(50) ? v + r.one(WORDS) : [...v].slice(1).join('');
    }

    return value(r, 2);
}


function instance(r, s) {
    switch (r.below(10)) {
    case 0:  return value(r, 3);
    case 1:
    case 2:  return changed(r, liked(r, s, s, 0));
    default: return liked(r, s, s, 0);
    }
}


/* JSON of v as one may write it too: other escapes, other decimals, spaces */

function written(r, v) {
    if (typeof v === 'string') {
        return '"' + [...v].map((c) => character(r, c)).join('') + '"';
    }

    if (typeof v === 'number') {
        return decimal(r, v);
    }

    const space = r.chance(10) ? ' ' : '';

    if (Array.isArray(v)) {
        return '[' + v.map((item) => space + written(r, item)).join(',')
               + space + ']';
    }

    if (v !== null && typeof v === 'object') {
        return '{' + Object.entries(v).map(
                     ([name, item]) => space + written(r, name) + ':' + space
                                       + written(r, item)).join(',') + '}';
    }

    return JSON.stringify(v);
}


function character(r, c) {
    if (r.chance(4)) {
        return c.split('').map((unit) => '\\u' + unit.charCodeAt(0)
                               .toString(16).padStart(4, '0')).join('');
    }

    return c === '/' && r.chance(20) ? '\\/'
           : JSON.stringify(c).slice(1, -1);
}


function decimal(r, v) {
    const plain = JSON.stringify(v);

    if (plain.includes('e') || r.chance(85)) {
        return plain;
    }

    if (plain.includes('.')) {
        return plain + '00';
    }

    switch (r.below(4)) {
    case 0:   return plain + '.0';
    case 1:   return v === 0 ? '0.0' : plain + '0e-1';
    case 2:   return plain + 'E+0';
    default:  return v === 0 ? '-0' : plain + '.000e0';
    }
}


module.exports = { Random, document, instance, written };
