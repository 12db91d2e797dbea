/** The sACN extension: a universe is read back from the wire, byte by byte as in ANSI E1.31. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterTest } from '../support/closing.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { PACE } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';
import { Changes } from '../support/waiting.ts';

/** The port of sACN, and an address of this machine that no other run of this test has. */
const PORT = 5_568;
const byte = (): number => 1 + Math.floor(254 * Math.random());
const ADDRESS = `127.${byte()}.${byte()}.${byte()}`;

interface Frame {
  readonly source: string;
  readonly priority: number;
  readonly sequence: number;
  readonly universe: number;
  /** [512], DMX. */
  readonly slots: readonly number[];
}

function decode(bytes: Buffer): Frame {
  expect(bytes).toHaveLength(638);
  // Preamble, identifier, and the vectors of root, framing and DMP layer.
  expect(bytes.subarray(0, 16).toString('latin1')).toBe('\0\x10\0\0ASC-E1.17\0\0\0');
  expect([bytes.readUInt32BE(18), bytes.readUInt32BE(40), bytes[117]]).toEqual([4, 2, 2]);
  // Type and increment of addresses, their number with the start code, and the code of dimmers.
  expect([bytes[118], bytes.readUInt32BE(119), bytes.readUInt16BE(123), bytes[125]]).toEqual([
    0xa1, 1, 513, 0,
  ]);
  return {
    source: bytes.toString('utf8', 44, 108).replaceAll('\0', ''),
    ...{ priority: bytes[108], sequence: bytes[111], universe: bytes.readUInt16BE(113) },
    slots: [...bytes.subarray(126)],
  };
}

const light = (args: string): ServerProcess =>
  new ServerProcess(
    flagsOf({
      ...{ port: 0, host: '127.0.0.1', data: 'none', size: '160x96', attract: 'off', ...PACE },
      extension: 'server/extensions/sacn/lights.mjs',
    }),
    `export SACN_TO=${ADDRESS} ${args}`,
  );

test('colours, figures and pulses of a room are in the channels of its universe', async () => {
  const frames: Frame[] = [];
  const changes = new Changes();
  const wire = createSocket('udp4').bind(PORT, ADDRESS);
  afterTest(() => void wire.close());
  await once(wire, 'listening');
  wire.on('message', (bytes) => {
    frames.push(decode(bytes));
    changes.changed();
  });
  /** Waits until a channel of the room, counted from 1, is or was so. @returns index of the frame */
  const until = async (channel: number, isSo: (value: number) => boolean, since = 0) => {
    const find = () => frames.findIndex(({ slots }, i) => i >= since && isSo(slots[channel + 3]));
    await changes.until(() => find() >= 0);
    return find();
  };
  const server = light('SACN_UNIVERSE=300 SACN_ADDRESS=5 SACN_PRIORITY=120 SACN_ROOM=garden');
  const port = await server.alive();
  await until(1, (value) => value === 0);
  expect(frames[0]).toMatchObject({ source: 'Vivarium', priority: 120, universe: 300 });
  expect(frames[0].slots.some(Boolean)).toBe(false);

  const ada = await Visitor.join(port, 'garden', 'Ada');
  await ada.plant(40, 40, { from: 'gallery', index: 105 });
  const pulse = await until(7, (value) => value > 200);
  await until(7, (value) => value === 0, pulse);
  await until(1, (value) => value > 10);
  await until(5, (value) => value > 10);
  await until(6, (value) => value === 1);
  // Strokes in quick succession pulse twice a second at most.
  const before = frames.length;
  const begun = performance.now();
  for (let i = 0; i < 12; i++) {
    await ada.ask('damage', { radius: 1, points: [36 + i, 44] });
    await new Promise((done) => setTimeout(done, 100));
  }
  await until(8, (value) => value === 0, await until(8, (value) => value > 200, before));
  const pulses = frames
    .slice(before)
    .filter(({ slots }, i, all) => slots[11] > (all[i - 1]?.slots[11] ?? 0));
  expect(pulses.length).toBeLessThanOrEqual(2 + (performance.now() - begun) / 500);
  // Only these ten channels are used, and packets are numbered.
  const used = new Set(
    frames.flatMap(({ slots }) => slots.flatMap((value, i) => (value ? i : []))),
  );
  expect([...used].every((slot) => slot >= 4 && slot < 14)).toBe(true);
  const numbers = frames.slice(0, 50).map(({ sequence }) => sequence);
  expect(numbers).toEqual(numbers.map((_, i) => numbers[0] + i));
  ada.leave();
  await server.end();
});

test('a universe that does not exist is named in the log', async () => {
  const server = light('SACN_UNIVERSE=0');
  await server.says(/SACN_UNIVERSE must be a whole number from 1 to 63999/);
  await server.end();
});
