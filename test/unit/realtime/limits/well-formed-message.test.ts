import { Packr, pack, Unpackr } from 'msgpackr';
import { isWellFormed } from '../../../../server/realtime/limits/websocket-engine.ts';
import fc, { anyText, forRuns } from '../../../support/property.ts';

const packr = new Packr({ useRecords: false, moreTypes: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, moreTypes: false });
const bytes = (...values: number[]) => Uint8Array.from(values);

test('a message that a page packs is well-formed', () => {
  const value = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.double(),
      fc.integer(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      anyText({ maxLength: 400 }),
      fc.uint8Array({ maxLength: 300 }),
      // Of each length: what is in them is as good as any.
      fc.nat(70_000).map((length) => new Uint8Array(length).fill(length)),
      fc.constantFrom(null, undefined, true, false),
    ),
    node: fc.oneof(
      { maxDepth: 6 },
      tie('leaf'),
      fc.array(tie('node'), { maxLength: 20 }),
      fc.dictionary(fc.string(), tie('node'), { maxKeys: 5 }),
    ),
  })).node;
  forRuns(500, value, (message) => {
    expect(isWellFormed(packr.pack(message))).toBe(true);
  });
});

test('a message with keys that are not strings is rejected', () => {
  expect(isWellFormed(Uint8Array.from([129, 129, 0, 0, 0]))).toBe(false);
  expect(isWellFormed(Uint8Array.from([129, 161, 97, 0]))).toBe(true);
});

test('a well-formed message is decoded without an error', () => {
  let passed = 0;
  forRuns(20_000, fc.uint8Array({ maxLength: 40 }), (message) => {
    if (!isWellFormed(message)) return;
    passed++;
    unpackr.unpack(message);
  });
  expect(passed).toBeGreaterThan(100);
});

test.each([
  ['nothing', bytes()],
  ['an unused byte', bytes(0xc1)],
  ['two values', bytes(1, 2)],
  ['half a number', bytes(0xcb, 1, 2)],
  ['half a length', bytes(0xdd, 0, 0)],
  ['a cut string', bytes(0xd9, 200, 65)],
  ['a list of four thousand million', bytes(0xdd, 0xff, 0xff, 0xff, 0xff, 1)],
  ['a map of four thousand million', bytes(0xdf, 0xff, 0xff, 0xff, 0xff, 1)],
  [
    'lists in lists, each said to be long',
    Uint8Array.from({ length: 16_383 }, (_, i) => [0xdc, 0xff, 0xff][i % 3]),
  ],
  ['ten thousand nested lists', new Uint8Array(10_000).fill(0x91)],
  ['nine nested lists', bytes(...Array<number>(9).fill(0x91), 1)],
  ['a date', pack(new Date(0))],
  ['a regular expression', bytes(0xd4, 0x78, 0, 0x92, 0xa1, 0x28, 0xa0)],
  ['a big number', bytes(0xd5, 0x42, 1, 2)],
  ['bundled strings with a cycle', bytes(0xd6, 0x62, 0xff, 0xff, 0xff, 0xf0)],
  ['records', bytes(0xd4, 0x72, 0x40, 0x91, 1)],
  ['an extension of any length', bytes(0xc7, 3, 9, 1, 2, 3)],
])('%s is rejected', (_, message) => {
  expect(isWellFormed(message)).toBe(false);
});
