import { RoomModel } from '../../../client/net/room-model.ts';
import { writeFrame } from '../../../shared/codec/frame.ts';
import { FrameEncoder } from '../../../shared/codec/frame-encoder.ts';
import { createPlanes, type Planes } from '../../../shared/codec/planes.ts';
import { TIERS } from '../../../shared/codec/tiers.ts';
import { View } from '../../../shared/codec/view.ts';
import { equalPlanes } from '../../support/planes.ts';

const ada = { id: 1, name: 'Ada', hue: 150 };
const fox = {
  id: 7,
  x: 32,
  y: 32,
  side: 32,
  stage: 2,
  phase: 'growing',
  origin: 'gallery',
  kind: 'fox',
  parents: [],
  planter: ada,
  born: 3,
  wounds: 0,
  healed: 0,
  hurt: false,
};
const welcome = {
  protocol: 1,
  you: { id: 2, name: 'Mio', hue: 20 },
  resume: 'a token',
  room: { name: 'main', width: 64, height: 64, tickRate: 15, tick: 3, maxOrganisms: 8 },
  checkpoint: {
    name: 'c',
    title: 'C',
    side: 32,
    latentSize: 4,
    growthTicks: 40,
    gallery: [{ name: 'fox', kind: 'animal' }],
    sheet: { url: '/sheet.png', columns: 1 },
  },
  engine: { name: 'e', device: 'd' },
  energy: { level: 40, capacity: 100, refillPerSecond: 8, plant: 8, damagePerCell: 0.005 },
  organisms: [fox],
  participants: [ada],
};

function room() {
  const sent: unknown[][] = [];
  const model = new RoomModel((name, payload) => sent.push([name, payload]));
  model.receive('welcome', welcome);
  return { model, sent };
}

function painted() {
  const planes = createPlanes(64, 64);
  planes.rgba.set([10, 20, 30, 255], 4 * 100);
  planes.owner[100] = 7;
  return planes;
}

/** A stream of planes, at full quality. */
function streamOf(planes: Planes) {
  const encoder = new FrameEncoder(new View(planes, 1), TIERS.full);
  const all = [0, 1, 2, 3];
  const frame = (tick: number, blocks: { chunk: number; block: Uint8Array }[]) =>
    writeFrame({ tick, tier: 'full', scale: 1 }, blocks);
  return {
    keyframe: (tick: number, chunks = all) =>
      frame(
        tick,
        chunks.map((chunk) => ({ chunk, block: encoder.key(chunk) })),
      ),
    delta(tick: number) {
      for (const chunk of all) if (encoder.view.update(tick, chunk)) encoder.touch(chunk);
      encoder.advance(tick, () => true);
      return frame(
        tick,
        all.flatMap((chunk) => {
          const block = encoder.delta(chunk);
          return block ? [{ chunk, block }] : [];
        }),
      );
    },
  };
}

describe('room model', () => {
  test('is live once a first frame has been decoded, and follows', () => {
    const { model, sent } = room();
    const states: string[] = [];
    model.on('connection', (state) => states.push(state));
    expect(model.connection).toBe('connecting');
    const planes = painted();
    const stream = streamOf(planes);
    model.receive('frame', stream.keyframe(5));
    planes.owner[4000] = 9;
    model.receive('frame', stream.delta(6));
    expect(model.tick).toBe(6);
    expect(equalPlanes(model.planes!, planes)).toBe(true);
    expect(states).toEqual(['live']);
    expect(sent).toEqual([
      ['received', { tick: 5 }],
      ['received', { tick: 6 }],
    ]);
  });

  test('asks once for what is out of step, and keeps its picture', () => {
    const { model, sent } = room();
    const planes = painted();
    const stream = streamOf(planes);
    model.receive('frame', stream.keyframe(5));
    planes.owner[0] = 3;
    stream.delta(6);
    const before = model.planes!.owner.slice();
    sent.length = 0;
    for (const tick of [7, 8]) {
      planes.owner[1] = tick;
      model.receive('frame', stream.delta(tick));
    }
    expect(sent).toEqual([
      ['received', { tick: 7 }],
      ['resync', { chunks: [0] }],
      ['received', { tick: 8 }],
    ]);
    expect(model.planes!.owner).toEqual(before);
    model.receive('frame', stream.keyframe(9, [0]));
    expect(equalPlanes(model.planes!, planes)).toBe(true);
    sent.length = 0;
    model.receive('frame', new Uint8Array(3));
    expect(sent).toEqual([['resync', { chunks: [0, 1, 2, 3] }]]);
  });

  test('a reconnected room keeps its last picture, says what it holds, and is live with the next frame', () => {
    const { model, sent } = room();
    const planes = painted();
    const stream = streamOf(planes);
    model.receive('frame', stream.keyframe(5));
    model.setConnection('reconnecting');
    expect(model.holds()).toHaveLength(8);
    model.receive('welcome', welcome);
    expect(model.connection).toBe('reconnecting');
    expect(equalPlanes(model.planes!, planes)).toBe(true);
    sent.length = 0;
    model.receive('frame', stream.keyframe(7, []));
    expect(model.connection).toBe('live');
    expect(sent).toEqual([['received', { tick: 7 }]]);
  });

  test('waits in line before a full room', () => {
    const model = new RoomModel(() => undefined);
    const ahead: (number | undefined)[] = [];
    model.on('waiting', () => ahead.push(model.ahead));
    model.receive('waiting', { ahead: 2 });
    expect(model.connection).toBe('waiting');
    model.receive('waiting', { ahead: 0 });
    expect(ahead).toEqual([2, 0]);
    model.receive('welcome', welcome);
    expect(model.ahead).toBeUndefined();
  });

  test('follows the lives of organisms', () => {
    const { model } = room();
    const seen: string[] = [];
    model.on('life', ({ event, organism }) => seen.push(`${event.what} ${organism.phase}`));
    const live = (...events: unknown[]) => model.receive('life', { tick: 9, events });
    live({ what: 'born', organism: { ...fox, id: 8 } }, { what: 'divided', id: 7, stage: 4 });
    expect(model.organisms.get(7)).toMatchObject({ stage: 4, phase: 'growing' });
    live(
      { what: 'grown', id: 7 },
      { what: 'wounded', id: 7, by: 1, wounds: 1 },
      { what: 'healed', id: 7, healed: 1 },
      { what: 'asleep', id: 7 },
    );
    expect(model.organisms.get(7)).toMatchObject({
      stage: 32,
      phase: 'asleep',
      wounds: 1,
      healed: 1,
    });
    live(
      { what: 'awake', id: 7 },
      { what: 'died', id: 7, cause: 'no-cell-left' },
      { what: 'died', id: 7, cause: 'no-cell-left' },
    );
    expect([...model.organisms.keys()]).toEqual([8]);
    expect(seen).toEqual([
      'born growing',
      'divided growing',
      'grown awake',
      'wounded awake',
      'healed awake',
      'asleep asleep',
      'awake awake',
      'died dead',
    ]);
  });

  test('counts people, and leaves out what fits no schema', () => {
    const { model } = room();
    model.receive('people', { joined: [{ id: 5, name: 'Lin', hue: 1 }], left: [1] });
    expect([...model.participants.keys()]).toEqual([2, 5]);
    model.receive('people', { joined: 'everybody' });
    model.receive('pace', { tickRate: 'fast' });
    model.receive('no-such-event', {});
    expect(model.participants.size).toBe(2);
    expect(model.pace).toBeUndefined();
  });

  test('knows what energy is left after each answer, and what acts cost when the host changes it', () => {
    const { model } = room();
    const levels: number[] = [];
    model.on('energy', ({ level }) => levels.push(level));
    model.receive('accepted', { id: 1, energy: 32 });
    model.receive('rejected', { id: 2, reason: 'no-energy', energy: 3 });
    model.receive('rejected', { reason: 'too-fast' });
    model.receive('energy', { ...welcome.energy, level: 5, capacity: 10 });
    model.receive('energy', { ...welcome.energy, level: -1 });
    expect(levels).toEqual([32, 3, 5]);
    expect(model.energy).toMatchObject({ level: 5, capacity: 10, plant: 8 });
  });
});
