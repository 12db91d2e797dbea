import { kinOf, RoomModel } from '../../../client/room/room-model.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { equalPlanes } from '../../support/compare.ts';
import { organismView, WELCOME } from '../../support/fake-server.ts';
import { WatchedStream } from '../../support/watched-stream.ts';

const fox = organismView(7, { x: 32, y: 32, stage: 2, phase: 'growing', kind: 'fox', born: 3 });
const welcome = { ...WELCOME, organisms: [fox] };

function room() {
  const sent: unknown[][] = [];
  const model = new RoomModel((name, payload) => sent.push([name, payload]));
  model.receive('welcome', welcome);
  return { model, sent };
}

/** The stream of a room, at full quality. */
function streamed() {
  const stage = new WatchedStream(64, 64);
  return {
    planes: stage.planes,
    keyframe(tick: number, chunks?: number[]) {
      stage.tick = tick;
      return stage.keyframe(chunks);
    },
    delta: () => stage.go(stage.all),
  };
}

test('a room is live once a first frame has been decoded, and follows', () => {
  const { model, sent } = room();
  const states: string[] = [];
  model.on('connection', (state) => states.push(state));
  expect(model.connection).toBe('connecting');
  const stream = streamed();
  const { planes } = stream;
  model.receive('frame', stream.keyframe(5));
  planes.owner[4000] = 9;
  model.receive('frame', stream.delta());
  expect(model.tick).toBe(6);
  expect(equalPlanes(model.planes!, planes)).toBe(true);
  expect(states).toEqual(['live']);
  expect(sent).toEqual([
    ['received', { tick: 5 }],
    ['received', { tick: 6 }],
  ]);
});

test('it requests an out-of-sync chunk once, and keeps its picture', () => {
  const { model, sent } = room();
  const stream = streamed();
  const { planes } = stream;
  model.receive('frame', stream.keyframe(5));
  planes.owner[0] = 3;
  stream.delta();
  const before = model.planes!.owner.slice();
  sent.length = 0;
  for (const tick of [7, 8]) {
    planes.owner[1] = tick;
    model.receive('frame', stream.delta());
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
  const stream = streamed();
  const { planes } = stream;
  model.receive('frame', stream.keyframe(5));
  model.setConnection('reconnecting');
  expect(model.holds()).toHaveLength(16);
  model.receive('welcome', welcome);
  expect(model.connection).toBe('reconnecting');
  expect(equalPlanes(model.planes!, planes)).toBe(true);
  sent.length = 0;
  model.receive('frame', stream.keyframe(7, []));
  expect(model.connection).toBe('live');
  expect(sent).toEqual([['received', { tick: 7 }]]);
});

test('it applies life events to organisms', () => {
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
  const healed = { stage: 32, phase: 'asleep', wounds: 1, healed: 1 };
  expect(model.organisms.get(7)).toMatchObject(healed);
  const into = { origin: 'cross', parents: [8, 9] } as const;
  live({ what: 'transformed', id: 7, by: 1, kind: '', ...into });
  live({ what: 'transformed', id: 7, by: 1, kind: 'cow', origin: 'gallery', parents: [] });
  expect(model.organisms.get(7)).toMatchObject({
    ...{ kind: 'cow', origin: 'gallery', parents: [], was: [fox.kind, ''] },
  });
  live(
    { what: 'awake', id: 7 },
    { what: 'departing', id: 7 },
    { what: 'renewed', id: 7, phase: 'awake' },
    { what: 'died', id: 7, cause: 'no-cell-left' },
    { what: 'died', id: 7, cause: 'no-cell-left' },
  );
  expect([...model.organisms.keys()]).toEqual([8]);
  expect(seen).toEqual([
    ...['born growing', 'divided growing', 'grown awake', 'wounded awake', 'healed awake'],
    ...['asleep asleep', 'transformed asleep', 'transformed asleep', 'awake awake'],
    ...['departing departing', 'renewed awake', 'died dead'],
  ]);
});

test('grafts set the parts of a creature until it turns into another, under current names', () => {
  const { model } = room();
  const bo = { id: 5, name: 'Bo', hue: 6 };
  const own = { kind: 'fox', origin: 'gallery', share: 0.7 };
  const parts = [own, { kind: 'owl', origin: 'gallery', by: bo, share: 0.3 }];
  const live = (event: object) =>
    model.receive('life', { tick: 9, events: [{ id: 7, by: 5, ...event }] });
  live({ what: 'grafted', kind: 'owl', parts });
  expect(model.organisms.get(7)?.parts).toEqual(parts);
  model.receive('people', { joined: [{ ...bo, name: '' }], left: [] });
  expect(model.organisms.get(7)?.parts?.map(({ by }) => by?.name)).toEqual([undefined, '']);
  live({ what: 'transformed', kind: 'cow', origin: 'gallery', parents: [] });
  expect(model.organisms.get(7)?.parts).toBeUndefined();
  live({ what: 'grafted', kind: 'owl', parts });
  live({ what: 'grafted' });
  expect(model.organisms.get(7)?.parts).toBeUndefined();
});

test('it applies no life event that the welcome contains already', () => {
  const { model } = room();
  const { tick } = welcome.room;
  const turned = { what: 'transformed', id: 7, by: 1, kind: 'cow', origin: 'gallery', parents: [] };
  model.receive('life', { tick, events: [turned] });
  expect(model.organisms.get(7)).toEqual(fox);
  model.receive('life', { tick: tick + 1, events: [turned] });
  expect(model.organisms.get(7)).toMatchObject({ kind: 'cow', was: [fox.kind] });
});

test('it keeps the list of participants, and ignores messages that match no schema', () => {
  const { model } = room();
  model.receive('people', { joined: [{ id: 5, name: 'Lin', hue: 1 }], left: [1] });
  expect([...model.participants.keys()]).toEqual([2, 5]);
  model.receive('people', { joined: 'everybody' });
  model.receive('pace', { tickRate: 'fast' });
  model.receive('no-such-event', {});
  expect(model.participants.size).toBe(2);
  expect(model.pace).toBeUndefined();
});

test('it updates energy after each answer, and costs when the host changes them', () => {
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

/** Organisms by number, each with its parents; some are dead. */
function family(parents: Record<number, readonly number[]>): Map<number, OrganismView> {
  const entries = Object.entries(parents).map(([id, of]) => {
    return [Number(id), { id: Number(id), parents: of } as OrganismView] as const;
  });
  return new Map(entries);
}

const ids = (organisms: readonly (OrganismView | undefined)[]) => organisms.map((one) => one?.id);

test('parents, children, siblings and all that come from one', () => {
  const all = family({
    2: [],
    3: [1, 2],
    4: [2, 1],
    5: [3, 9],
    6: [5, 4],
    7: [],
    8: [8, 9],
    9: [8],
  });
  const of = (id: number) => kinOf(all.get(id)!, all);
  // One that was turned into a child of its own child is no child of itself.
  expect(ids(of(8).children)).toEqual([9]);
  expect(ids(of(3).parents)).toEqual([undefined, 2]);
  expect(ids(of(2).children)).toEqual([3, 4]);
  expect(ids(of(3).siblings)).toEqual([4]);
  expect(of(2).descendants).toBe(4);
  expect(of(7)).toEqual({ parents: [], children: [], siblings: [], descendants: 0 });
});
