import { deflateSync, inflateSync } from 'fflate';
import { RoomModel } from '../../../client/net/room-model.ts';
import { encodeDelta, encodeKeyframe } from '../../../shared/codec/encode.ts';
import { copyPlanes, createPlanes, equalPlanes } from '../../../shared/codec/planes.ts';

const deflate = (bytes: Uint8Array) => deflateSync(bytes);
const inflate = (bytes: Uint8Array, size: number) =>
  inflateSync(bytes, { out: new Uint8Array(size) });

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
};
const welcome = {
  protocol: 1,
  you: { id: 2, name: 'Mio', hue: 20 },
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
  const model = new RoomModel((name, payload) => sent.push([name, payload]), inflate);
  model.receive('welcome', welcome);
  return { model, sent };
}

function painted() {
  const planes = createPlanes(64, 64);
  planes.rgba.set([10, 20, 30, 255], 4 * 100);
  planes.owner[100] = 7;
  return planes;
}

describe('room model', () => {
  test('is live once a keyframe has been decoded, and follows deltas', () => {
    const { model, sent } = room();
    const states: string[] = [];
    model.on('connection', (state) => states.push(state));
    expect(model.connection).toBe('connecting');
    const base = painted();
    model.receive('frame', encodeKeyframe(base, 5, deflate));
    const next = copyPlanes(base);
    next.owner[4000] = 9;
    model.receive('frame', encodeDelta(next, base, [0, 1, 2, 3], 6, 5, deflate));
    expect(model.tick).toBe(6);
    expect(equalPlanes(model.planes!, next)).toBe(true);
    expect(states).toEqual(['live']);
    expect(sent).toEqual([
      ['received', { tick: 5 }],
      ['received', { tick: 6 }],
    ]);
  });

  test('asks once for a keyframe when a delta does not fit, and keeps its picture', () => {
    const { model, sent } = room();
    const base = painted();
    model.receive('frame', encodeKeyframe(base, 5, deflate));
    sent.length = 0;
    const stray = encodeDelta(painted(), createPlanes(64, 64), [0], 9, 8, deflate);
    model.receive('frame', stray);
    model.receive('frame', stray);
    model.receive('frame', new Uint8Array(3));
    expect(sent).toEqual([['resync', {}]]);
    expect(equalPlanes(model.planes!, base)).toBe(true);
    model.receive('frame', encodeKeyframe(base, 12, deflate));
    expect(model.tick).toBe(12);
    model.receive('frame', stray);
    expect(sent.filter(([name]) => name === 'resync')).toHaveLength(2);
  });

  test('a reconnected room keeps its last picture and ignores deltas until its keyframe', () => {
    const { model, sent } = room();
    const base = painted();
    model.receive('frame', encodeKeyframe(base, 5, deflate));
    model.setConnection('reconnecting');
    model.receive('welcome', welcome);
    sent.length = 0;
    model.receive('frame', encodeDelta(base, base, [], 6, 5, deflate));
    expect(sent).toEqual([]);
    expect(model.connection).toBe('reconnecting');
    expect(equalPlanes(model.planes!, base)).toBe(true);
    model.receive('frame', encodeKeyframe(base, 7, deflate));
    expect(model.connection).toBe('live');
  });

  test('follows the lives of organisms', () => {
    const { model } = room();
    const seen: string[] = [];
    model.on('life', ({ event, organism }) => seen.push(`${event.what} ${organism.phase}`));
    const live = (...events: unknown[]) => model.receive('life', { tick: 9, events });
    live({ what: 'born', organism: { ...fox, id: 8 } }, { what: 'divided', id: 7, stage: 4 });
    expect(model.organisms.get(7)).toMatchObject({ stage: 4, phase: 'growing' });
    live({ what: 'grown', id: 7 }, { what: 'wounded', id: 7, by: 1 }, { what: 'asleep', id: 7 });
    expect(model.organisms.get(7)).toMatchObject({ stage: 32, phase: 'asleep', wounds: 1 });
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
