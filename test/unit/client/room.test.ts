/** What a page knows of its room, and what its visitor is told of refusals. */
import { kinOf, RoomModel } from '../../../client/room/room-model.ts';
import { RoomSession } from '../../../client/visitor/room-session.ts';
import { offlineText, reasonText } from '../../../client/visitor/text.ts';
import type { Reason } from '../../../shared/protocol/reasons.ts';
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

/** A visit whose connection is never opened, and what its page shows. */
function open() {
  Object.assign(globalThis, {
    window: Object.assign(new EventTarget(), { history: { state: null } }),
    document: { documentElement: { dataset: {} } },
    matchMedia: () => ({ matches: false, addEventListener: () => undefined }),
    location: { pathname: '/r/garden', search: '', hostname: 'example.org', protocol: 'https:' },
  });
  const told: string[] = [];
  const refused: string[] = [];
  const page = {
    requestUpdate: () => undefined,
    tell: (text: string) => told.push(text),
    refuse: (text: string) => refused.push(text),
  };
  const session = new RoomSession(page as never);
  const { model, requests, state } = session;
  const reject = (reason: Reason, id?: number) =>
    model.receive('rejected', id === undefined ? { reason } : { reason, id });
  return { session, model, requests, state, told, refused, reject };
}

test('who is in a room that moves to another server is told nothing, but that a server ends', () => {
  const { model, told, refused, reject } = open();
  model.setConnection('live');
  reject('elsewhere');
  reject('not-joined');
  expect(told).toEqual([]);
  reject('shutting-down');
  expect(told).toEqual([reasonText('shutting-down')]);
  // A command did not get through meanwhile: nobody has forbidden it.
  reject('elsewhere', 7);
  expect(told[1]).not.toBe(reasonText('not-here'));
  expect(refused).toEqual([]);
});

test('who comes is told why they are not let in, but not what passes by itself', () => {
  const { told, refused, reject } = open();
  for (const reason of ['elsewhere', 'shutting-down', 'not-joined'] as const) reject(reason);
  expect(refused).toEqual([]);
  reject('sent-away');
  expect(refused).toEqual([reasonText('sent-away')]);
  expect(told).toEqual([]);
});

test('who loses the line with something unanswered is told; back in the room, that is sent again, but not after another welcome', () => {
  const { model, requests, told } = open();
  const resumed: number[] = [];
  const resume = requests.resume.bind(requests);
  requests.resume = (you) => {
    resumed.push(you);
    resume(you);
  };
  Object.assign(globalThis, { location: { ...location, reload: () => undefined } });
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  model.setConnection('reconnecting');
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  expect(told).toEqual([]);
  const answered: string[] = [];
  requests.ask('beacon', { organism: 1 }, { rejected: (reason) => answered.push(reason) });
  model.receive('welcome', WELCOME);
  expect(answered).toEqual([]);
  model.setConnection('reconnecting');
  expect(told).toEqual([offlineText()]);
  model.receive('welcome', WELCOME);
  expect(answered).toEqual(['elsewhere']);
  const { id } = WELCOME.you;
  expect(resumed).toEqual([id, id, id]);
});

test('TRF-1: a creature is transformed from where it was touched, or else from its middle', () => {
  const { session, model, requests, state } = open();
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  const sent: unknown[] = [];
  Object.assign(requests, { ask: (_: string, command: object) => sent.push(command) });
  const seed = state.state.held;
  for (const at of [{ x: 3.5, y: 4 }, undefined]) {
    state.select(7, at);
    session.transform(organismView(7));
  }
  expect(sent).toEqual([
    { organism: 7, seed, at: { x: 3.5, y: 4 } },
    { organism: 7, seed },
  ]);
});

test('TRF-1: an organism is what its visitor has planted or transformed it with, until somebody else does', () => {
  const { session, model, requests, state } = open();
  const one = organismView(7, { x: 40, y: 90, kind: 'One of a kind' });
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  Object.assign(requests, {
    ask: (_: string, __: object, { accepted }: { accepted(): void }) => accepted(),
  });
  const [spot, other] = [0.4, 0.5].map((x) => ({ from: 'map', x, y: 0.6 }) as const);
  const isHeld = () =>
    [spot, other].map((seed) => {
      state.hold(seed);
      return session.isHeld(one);
    });
  session.sown(one, spot);
  expect(isHeld()).toEqual([true, false]);
  session.transform(one);
  expect(isHeld()).toEqual([false, true]);
  const event = { what: 'transformed', id: 7, by: 1 };
  Reflect.get(model, 'listeners').emit('life', { event, organism: one });
  expect(isHeld()).toEqual([false, false]);
});

test('the answer to a cross that comes twice puts one seed into the hand', () => {
  const { model, requests, told, state } = open();
  model.receive('welcome', WELCOME);
  model.setConnection('live');
  const seed = { id: 4, origin: 'cross', parents: [1, 2] };
  const accepted = (): unknown => state.hold({ from: 'hand', seed: 4 });
  requests.ask('cross', { a: 1, b: 2, mix: 0.5 }, { accepted });
  model.setConnection('reconnecting');
  model.receive('welcome', { ...WELCOME, hand: [seed] });
  for (let i = 0; i < 2; i++) model.receive('accepted', { id: 1, seed });
  expect(model.seeds).toEqual([seed]);
  expect(state.state.held).toEqual({ from: 'hand', seed: 4 });
  expect(told).toEqual([offlineText()]);
});
