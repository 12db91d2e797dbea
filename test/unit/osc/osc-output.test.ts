/** Messages are sent within limits; OSC.md, these messages, and the sketches agree. */
import { readFileSync } from 'node:fs';
import type { RoomLifeEvent } from '../../../server/extensions/extension.ts';
import { decodeOsc, int } from '../../../server/osc/osc-codec.ts';
import { OscOutput, OUTPUT } from '../../../server/osc/osc-output.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const read = (file: string): string =>
  readFileSync(new URL(`../../../server/osc/${file}`, import.meta.url), 'utf8');

/** The rows of a section of OSC.md: address and values. */
function rows(part: string): { address: string; values: string[] }[] {
  const text = read('OSC.md')
    .split(/^## /m)
    .find((one) => one.startsWith(part))!;
  const found = text.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm);
  return [...found].map(([, address, values]) => ({ address, values: values.split(', ') }));
}

/** Sends every kind of message once. */
function sentMessages(): { address: string; types: string[] }[] {
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), new FakeClock());
  const room = 'garden';
  const happenings: RoomLifeEvent[] = [
    { what: 'born', organism: { id: 1, x: 1, y: 1, kind: 'Taco', planter: { hue: 3 } } as never },
    { what: 'grown', id: 1 },
    { what: 'wounded', id: 1, by: 1, wounds: 1 },
    { what: 'healed', id: 1, healed: 1 },
    { what: 'sensed', id: 1 },
    { what: 'expressing', id: 1, kind: 'Taco' },
    { what: 'transformed', id: 1, by: 1, kind: 'Taco', origin: 'gallery', parents: [] },
    { what: 'grafted', id: 1, by: 1, kind: 'Taco', parts: [] },
    { what: 'departing', id: 1 },
    { what: 'renewed', id: 1, phase: 'awake' },
    { what: 'died', id: 1, cause: 'broken' },
    { what: 'crossed', parents: [1, 2], by: 1, seed: 1 },
    { what: 'generation', number: 2, heirs: [3, 4] },
  ];
  out.onRoomOpened({ room, width: 1, height: 1 } as never);
  for (const event of happenings) out.onLife({ room, tick: 1, event });
  out.onFigures({
    ...{ room, tick: 1, organisms: 1, awake: 1, people: 1, tickRate: 15, actual: 15, slow: false },
    ...{ colour: [0, 0, 0], living: 0 },
  });
  out.refused(room, 'plant', 'off-grid');
  for (let i = 0; i < 2_000; i++) out.onLife({ room, tick: 1, event: { what: 'grown', id: 1 } });
  (out as unknown as { rate: { take: () => boolean } }).rate.take = () => true;
  out.onTick({ room } as never);
  const messages = sent.flatMap(decodeOsc);
  const byAddress = new Map(messages.map((one) => [one.address.split('/')[3], one]));
  return [...byAddress].map(([address, { args }]) => ({
    address,
    types: args.map(({ type }) => type.charAt(0)),
  }));
}

const documentedOut = rows('Out');
const words = new Set([...documentedOut, ...rows('In')].map(({ address }) => address));

test('OSC.md lists each message that is sent, with its values', () => {
  const documented = documentedOut.map(({ address, values }) => ({
    address,
    types: values.map((value) => value.charAt(1)),
  }));
  const sorted = (list: { address: string }[]) =>
    [...list].sort((a, b) => a.address.localeCompare(b.address));
  expect(sorted(documented)).toEqual(sorted(sentMessages()));
});

test.each(['vivarium.pde', 'vivarium.maxpat', 'touchdesigner.py'])(
  '%s uses only documented messages',
  (file) => {
    const text = read(`sketches/${file}`);
    const spoken = [
      ...text.matchAll(/\/vivarium\/garden\/(\w+)/g),
      ...text.matchAll(/what\.equals\("(\w+)"\)|\bto\("(\w+)"\)|what == '(\w+)'/g),
      ...text.matchAll(/ROOM \+ '\/(\w+)'/g),
    ].map((match) => match.slice(1).find((word) => word !== undefined)!);
    expect(spoken.length).toBeGreaterThan(5);
    for (const word of spoken) expect(words).toContain(word);
    // All of them show kinds, which a transformation changes.
    expect(spoken).toContain('transformed');
  },
);

const { messagesPerSecond, datagramBytes } = OUTPUT;

test('a flood is limited to the rate, and the number of dropped messages is sent', async () => {
  const clock = new FakeClock();
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), clock);
  const tick = (): void => out.onTick({ room: 'garden' } as never);
  const flood = 10_000;
  for (let id = 1; id <= flood; id++) {
    out.onLife({ room: 'garden', tick: 1, event: { what: 'grown', id } });
  }
  tick();
  const heard = () => sent.flatMap(decodeOsc);
  expect(heard().length).toBe(2 * messagesPerSecond);
  for (const bytes of sent) expect(bytes.length).toBeLessThanOrEqual(datagramBytes);
  // Full datagrams: not one for each message.
  expect(sent.length).toBeLessThan(heard().length / 20);
  await clock.advance(100);
  tick();
  expect(heard().at(-1)).toEqual({
    address: '/vivarium/garden/dropped',
    args: [int(flood - 2 * messagesPerSecond)],
  });
});

test('while no room ticks, the queue does not grow without end', async () => {
  const clock = new FakeClock();
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), clock);
  const refusals = 10 * messagesPerSecond;
  for (let i = 0; i < refusals; i++) {
    out.refused('garden', 'plant', 'no-such-room');
    await clock.advance(1_000 / messagesPerSecond);
  }
  out.onTick({ room: 'garden' } as never);
  const heard = sent.flatMap(decodeOsc);
  expect(heard).toHaveLength(2 * messagesPerSecond + 1);
  expect(heard.at(-1)!.args).toEqual([int(refusals - 2 * messagesPerSecond)]);
});

test('falling asleep and waking up are not sent', () => {
  const sent: Uint8Array[] = [];
  const out = new OscOutput((bytes) => sent.push(bytes), new FakeClock());
  for (const what of ['asleep', 'awake'] as const) {
    out.onLife({ room: 'garden', tick: 1, event: { what, id: 1 } });
  }
  out.onTick({ room: 'garden' } as never);
  expect(sent).toEqual([]);
});
