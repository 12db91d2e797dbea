/** A room's state and its journal hold all that a room is, whatever happens in it. */
import * as v from 'valibot';
import type { Readout } from '../../../server/engine/engine.ts';
import type { SystemCommand } from '../../../server/realtime/commands/command-dispatcher.ts';
import type { Genomes } from '../../../server/vnca/chimera.ts';
import { type RoomEvent, roomEvent } from '../../../server/world/commands.ts';
import { coloursOf, GridPlanes } from '../../../server/world/grid-planes.ts';
import { genomesNow } from '../../../server/world/organisms/transformation.ts';
import { Room } from '../../../server/world/room.ts';
import { type RoomState, roomState } from '../../../server/world/room-state.ts';
import { createPlanes } from '../../../shared/codec/chunks.ts';
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import { HOUSE, type OrganismView } from '../../../shared/vocabulary.ts';
import { isFull } from '../../support/needs.ts';
import fc from '../../support/property.ts';
import { ANNA, BERT, HandRoom, RELATED } from '../../support/rooms.ts';

const species = { ...RELATED, hasStandingInput: true, closing: 1, sampler: 2 as const };
const GARDENER = { id: 3, name: 'The gardener', hue: 90 };
const energy = { capacity: 30, newcomer: 20, refillPerSecond: 2, plant: 4, damagePerCell: 0.01 };

/** A room whose engine shows what a hash says, in turns at rest and restless. */
class HashedRoom {
  readonly room: Room;
  private patches = 0;
  /** By patch: what its cells read, and what they showed last. */
  private readonly genomes = new Map<number, Genomes>();
  private readonly seen = new Map<number, Uint8Array>();

  constructor(tickRate: number, from?: RoomState) {
    this.room = new Room({
      ...{ name: 'test', width: 32, height: 24, maxOrganisms: 6, seed: 5, species, tickRate },
      ...{ energy: { ...energy, wake: 1 }, life: { birth: 2, healing: 1, expressing: 2 } },
      nextPatch: () => ++this.patches,
      from,
    });
    for (const organism of from?.organisms ?? []) {
      this.genomes.set(this.room.patchOf(organism.id)!, genomesNow(organism));
    }
  }

  tick() {
    const { room } = this;
    const { tick } = room;
    const { plant, step, events } = room.beginTick();
    for (const { patch, genomes } of plant) this.genomes.set(patch, genomes!);
    const organisms = new Map(room.organisms.map((one) => [room.patchOf(one.id)!, one]));
    const readouts = step.map(({ patch, divide, keep, closed, express }): Readout => {
      if (express) this.genomes.set(patch, express);
      const { id, stage: before } = organisms.get(patch)!;
      const stage = divide ? 2 * before : before;
      const moment = tick % 80 < 50 ? 0 : tick;
      const { latents, labels } = this.genomes.get(patch)!;
      const looks = hashText(`${id} ${moment} ${latents} ${labels}`);
      const presence = Uint8Array.from({ length: stage * stage }, (_, cell) => {
        if (closed?.[cell] || keep?.[cell] === 0) return 0;
        return hashText(`${looks} ${cell}`) % 8 === 0 ? 0 : 255;
      });
      const rgba = Uint8Array.from({ length: 4 * presence.length }, (_, i) => presence[i >> 2]);
      const last = this.seen.get(patch);
      const isSame = last?.length === rgba.length && rgba.every((value, i) => value === last[i]);
      this.seen.set(patch, rgba);
      return { patch, stage, rgba, presence, change: isSame ? 0 : 255 };
    });
    const { refused } = room;
    const stepped = step.map(({ patch }) => organisms.get(patch)!.id);
    return { events, refused, stepped, result: room.endTick(readouts) };
  }
}

/** What holds after each tick, whatever has happened. @param before its organisms before the tick */
function expectSound(
  room: Room,
  before: readonly OrganismView[],
  { stepped, result }: ReturnType<HashedRoom['tick']>,
): void {
  const may = before.filter(({ phase }) => phase !== 'asleep' && phase !== 'departing');
  const woken = result.life.filter(({ what }) => what === 'awake' || what === 'renewed');
  const born = result.life.flatMap((event) => (event.what === 'born' ? [event.organism] : []));
  const all = [...may, ...(woken as { id: number }[]), ...born, ...(result.expressing ?? [])];
  const mayStep = new Set(all.map(({ id }) => id));
  // The oldest first.
  expect(stepped).toEqual(stepped.toSorted((a, b) => a - b));
  expect(stepped.filter((id) => !mayStep.has(id))).toEqual([]);
  const organisms = new Map(room.organisms.map((one) => [one.id, one]));
  expect(room.size).toBe([...organisms.values()].filter((one) => one.phase !== 'departing').length);
  const { width, owner } = room.grid.planes;
  const astray = [...owner].filter((id, place) => {
    const [x, y] = [(place % width) + 0.5, Math.floor(place / width) + 0.5];
    const one = organisms.get(id);
    return id !== 0 && !(one && Math.abs(x - one.x) < 4 && Math.abs(y - one.y) < 4);
  });
  expect(astray).toEqual([]);
  for (const { id } of [ANNA, BERT]) {
    expect(room.energyOf(id)).toBeGreaterThanOrEqual(0);
    expect(room.energyOf(id)).toBeLessThanOrEqual(room.energySettings.capacity);
  }
}

/** Something that can happen to a room, by chance. */
function happening(random: Random): (room: Room, id: number) => void {
  const pick = <T>(...some: readonly T[]): T => some[random.integer(some.length)];
  const number = (most: number) => random.integer(most + 1);
  const [organism, index] = [1 + number(12), number(1)];
  const seed = pick({ from: 'gallery', index } as const, { from: 'prior' } as const);
  const [x, y] = [4 + number(24), 4 + number(16)];
  const points = [x, y, 4 + number(24), 4 + number(16)];
  const by = pick(ANNA, BERT);
  const commands: readonly SystemCommand[] = [
    ...[1, 2, 3].map(() => ({ what: 'plant' as const, x, y, seed })),
    ...[1, 2].map(() => ({ what: 'damage' as const, points, radius: 1 + number(2) })),
    { what: 'cross', a: organism, b: 1 + number(8), mix: 0.4, mutation: 0.1 * number(2) },
    { what: 'plant', x, y, seed: { from: 'hand', seed: 1 + number(5) } },
    { what: 'transform', organism, seed, at: pick(undefined, { x, y }) },
    ...[1, 2].map(() => ({
      ...{ what: 'graft' as const, points, radius: 1 + number(2), others: pick(undefined, true) },
      seed: { from: 'latent' as const, latent: [1, number(4)] },
    })),
    { what: 'ungraft', organism, foreign: pick(undefined, true) },
    { what: 'hold', latent: [1, number(2)], origin: 'drawing' },
  ];
  const own: readonly SystemCommand[] = [
    { what: 'remove', organism },
    { what: 'clear', area: { x: 0, y: 0, width: 2, height: 2 } },
    { what: 'depart', organism, seconds: 3 },
    { what: 'thin' },
    { what: 'sense', x, y, radius: 2 + number(8) },
    { what: 'removeGrafts', painter: pick(ANNA, BERT).id },
  ];
  const [few, two] = [number(2), number(1)];
  const settings: readonly ((room: Room) => void)[] = [
    (room) => room.enter(by.id, undefined, few + 1),
    (room) => room.leave(by.id),
    (room) => room.change({ what: 'liveliness', share: few / 2 }),
    (room) => room.change({ what: 'protect', seconds: 2 * two }),
    (room) =>
      room.change({
        what: 'life',
        settings: { birth: 1 + two, healing: 2, expressing: 1, lifetime: 30 },
      }),
    (room) => room.change({ what: 'flashes', limit: two === 0 ? 2 : 3 }),
    (room) => room.change({ what: 'limit', maxOrganisms: 4 + few }),
    (room) => room.setEnergy({ ...energy, wake: 1, capacity: 10 * (1 + few) }),
    (room) => room.setTickRate(room.export().energy.tickRate + (two === 0 ? 1 : -1) || 1),
  ];
  if (number(9) === 0) return pick(...settings);
  if (number(9) === 0) {
    return (room, id) => {
      const [renewable] = room.renewable(by.id);
      room.enqueue(id, { what: 'renew', by, organism: renewable?.id ?? organism });
    };
  }
  const isOwn = number(9) === 0;
  const sent = { ...pick(...(isOwn ? own : commands)), by: isOwn ? pick(HOUSE, GARDENER) : by };
  const session = pick(undefined, 7);
  return (room, id) => {
    try {
      room.enqueue(id, sent as never, session);
    } catch {
      // Refused at once, in each of the rooms.
    }
  };
}

test('TIM-3, TIM-6, LIF-2, OWN-1, OWN-4, OWN-6, ENE-2: restored at any tick or replayed from its journal, a room goes on as it would have, and is sound', () => {
  const seen = new Set<string>();
  let [runs, commands] = [0, 0];
  const property = fc.property(fc.integer(), (seed) => {
    const random = createRandom(seed);
    // Departures need many seconds, and flashes many ticks a second.
    const rate = runs % 2 === 0 ? 1 : 12;
    const isCrowded = runs++ % 3 === 2;
    const room = new HashedRoom(rate);
    let restored = room;
    const journal: (readonly RoomEvent[])[] = [];
    for (const { id } of [ANNA, BERT]) room.room.enter(id, undefined, id);
    for (let tick = 0; tick < 400; tick++) {
      const times = isCrowded ? random.integer(9) : Number(random.uniform() < 0.4);
      for (let i = 0; i < times; i++) {
        const happen = happening(random);
        for (const one of new Set([room, restored])) happen(one.room, 10 * tick + i);
      }
      const before = room.room.organisms;
      const ticked = room.tick();
      const { events, refused, result } = ticked;
      if (restored !== room) expect(restored.tick().result).toEqual(result);
      // The room that is looked at is the same as the one that is not.
      expectSound(room.room, before, ticked);
      const accepted = result.answers.filter((answer) => !answer.refused);
      commands += result.answers.length;
      const what = [...result.life, ...(result.expressing ?? []), ...accepted];
      for (const one of what) seen.add(one.what);
      let command = 0;
      journal.push(
        events
          .filter(({ what }) => what !== 'command' || !refused.includes(command++))
          .map((event) => v.parse(roomEvent, structuredClone(event))),
      );
      if (tick % 10 !== 0) continue;
      const state = room.room.export();
      expect(restored.room.export()).toEqual(state);
      if (state.organisms.some(({ pause }) => pause !== undefined)) seen.add('pause');
      if (random.uniform() < 0.3) {
        restored = new HashedRoom(rate, v.parse(roomState, structuredClone(state)));
      }
    }
    const replayed = new HashedRoom(rate);
    for (const events of journal) {
      replayed.room.redo(events);
      replayed.tick();
    }
    // A refused command of the gardener makes its number known.
    const lastParticipant = expect.any(Number);
    expect(replayed.room.export()).toEqual({ ...room.room.export(), lastParticipant });
  });
  fc.assert(property, { numRuns: isFull ? 210 : 5 });
  expect(commands).toBeGreaterThan(isFull ? 100_000 : 1_500);
  // Whatever this test compares has happened.
  expect([...seen]).toEqual(
    expect.arrayContaining([
      ...['healed', 'expressing', 'cross', 'hold', 'plant', 'damage', 'transform'],
      ...['graft', 'grafted', 'ungraft', 'removeGrafts'],
      ...['pause', 'departing', 'renewed', 'died', 'clear', 'remove', 'depart'],
    ]),
  );
});

test('TIM-3: a seed refused for lack of engine memory is refused again in a replay', () => {
  const [first, second] = [new HandRoom(), new HandRoom()];
  for (const { room } of [first, second]) room.enter(1);
  first.plant(16, 12);
  const { events } = first.room.beginTick();
  expect(first.room.refusePending()).toBe(true);
  const result = first.room.endTick([]);
  expect(result.answers[0].refused?.reason).toBe('garden-full');
  second.room.redo([...events.slice(1), { what: 'no-memory' }]);
  const { plant, step } = second.room.beginTick();
  expect([plant, step]).toEqual([[], []]);
  expect(second.room.endTick([])).toEqual(result);
  expect(second.room.export()).toEqual(first.room.export());
});

test('a restored grid also takes planes that are not aligned in memory', () => {
  const planes = createPlanes(32, 24);
  const askew = new Uint8Array(planes.rgba.length + 1).subarray(1);
  askew.fill(9);
  const grid = new GridPlanes(32, 24, { ...planes, rgba: askew });
  expect(grid.planes.rgba[4]).toBe(9);
  grid.paint(1, coloursOf(new Uint8Array([1, 2, 3, 4]))[0]);
  expect([...grid.planes.rgba.subarray(4, 8)]).toEqual([1, 2, 3, 4]);
  grid.release(1);
  expect([...grid.planes.rgba.subarray(4, 9)]).toEqual([0, 0, 0, 0, 9]);
});

test('events that a restored state contains are not applied again', () => {
  const first = new HandRoom();
  first.ticks(3);
  first.room.enter(5);
  const state = first.room.export();
  expect(state.acted).toBe(1);
  first.plant(8, 8, { id: 5, name: 'Eve', hue: 1 });
  const again = new HandRoom({ from: state });
  const { events } = first.room.beginTick();
  again.room.redo(events);
  expect(again.room.beginTick().events).toEqual(events.slice(1));
  expect(again.room.energyOf(5)).toBe(first.room.energyOf(5));
});
