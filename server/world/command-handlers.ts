/**
 * Defines how each command is prepared for the journal, executed, and skipped during an undo.
 * `room.ts` queues and answers commands.
 */
import { BUILT_IN_NAMES } from '../../shared/names.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom } from '../../shared/random.ts';
import { HOUSE, type OrganismId } from '../../shared/vocabulary.ts';
import { defined } from '../platform/collections.ts';
import { bounded } from '../vnca/genome.ts';
import type {
  CommandTurn,
  CommandType,
  ImmediateEvent,
  Outcome,
  RoomCommand,
  RoomTime,
} from './commands.ts';
import {
  checkedLatent,
  createLatent,
  crossOf,
  mutate,
  requireWithin,
  resolvedSeed,
} from './create-latent.ts';
import { paint, removeGrafts, takeBack } from './organisms/grafts.ts';
import type { Organism } from './organisms/organism.ts';
import { requireBare, viewOfSeed, windowAt } from './planting.ts';
import type { RoomContents } from './room-contents.ts';
import { chance } from './room-rules.ts';
import { requireStandingInput } from './species.ts';
import { ownersIn } from './strokes.ts';

interface Handler<W extends CommandType> {
  /**
   * Executes a command.
   *
   * @throws Refusal if the command cannot be executed; nothing has changed then
   */
  run(command: RoomCommand<W>, room: RoomContents, turn: CommandTurn): Outcome | undefined;
  /**
   * Returns a command in the form that the journal stores. Without `resolve`, the journal stores
   * the command unchanged.
   *
   * @throws Refusal if the command is invalid; it is then neither stored nor executed
   */
  resolve?(command: RoomCommand<W>, room: RoomContents): RoomCommand<W>;
  /**
   * Uses up the ids and random numbers that the command would use. Organisms created later then
   * keep their ids and latents. Called while an undo replays the journal, in two cases: the command
   * is undone, or `run` refuses it although it was accepted originally.
   */
  skip?(command: RoomCommand<W>, room: RoomContents): void;
}

const withResolvedSeed = <C extends RoomCommand<'plant' | 'transform' | 'graft'>>(
  command: C,
  room: RoomContents,
): C => ({ ...command, seed: resolvedSeed(command.seed, command.by.id, room) });

const HANDLERS: { readonly [W in CommandType]: Handler<W> } = {
  plant: {
    resolve: withResolvedSeed,
    run({ by, x, y, seed }, room, { answer, ...time }) {
      const window = windowAt(room.grid, x, y, room.species.side);
      const departing = room.departures.departing(by.id, time);
      requireBare(window, room.grid);
      const made = room.energy.buy(by.id, time.tick, () => createLatent(seed, by.id, room));
      if (departing) room.departures.begin(departing, time);
      room.planting.plant({ seed: made, window, by, answer }, time.tick);
      return {};
    },
    skip({ seed }, { planting, random, species }) {
      planting.nextOrganism++;
      if (seed.from === 'prior') random.latent(species.latentSize);
    },
  },
  damage: {
    run: (command, { strokes, energy }, time) => strokes.wound(command, energy, time),
  },
  graft: { resolve: withResolvedSeed, run: graft },
  ungraft: { run: ungraft },
  removeGrafts: { run: removeGraftsOf },
  cross: {
    resolve(command, room) {
      const { a, b } = command;
      const areAlive = room.population.find(a) && room.population.find(b);
      // Check the child's latent, because a parent's latent may exceed the checkpoint's bounds.
      // Heirs (organisms with which a room's day begins) and organisms planted by a replay are
      // planted without a check of the bounds. If a parent is dead, `run` refuses the command.
      if (areAlive) requireWithin(crossOf(command, room), room.species.latentBounds);
      return command;
    },
    run(command, room) {
      const { by, a, b, mutation = 0 } = command;
      const mixed = crossOf(command, room);
      // Values that are not finite would stop the engine. Refuse them before random numbers are
      // drawn, because a refused command must change nothing.
      if (!mixed.every(Number.isFinite)) throw new Refusal('bad-latent');
      const latent = mutation > 0 ? mutate(mixed, mutation, room.random) : mixed;
      const seed = room.inventory.add(by.id, { latent, origin: 'cross', parents: [a, b] });
      return { seed: viewOfSeed(seed) };
    },
    skip({ mutation = 0 }, { species, random, inventory }) {
      if (mutation > 0) mutate(new Float32Array(species.latentSize), mutation, random);
      inventory.skipId();
    },
  },
  /** server/realtime checks whether the sender may transform the organism (rule TRF-2). */
  transform: {
    resolve: withResolvedSeed,
    run({ by, organism: id, seed, at }, room, { tick }) {
      const { species, lifecycle, energy, rules } = room;
      requireStandingInput(species);
      const organism = room.population.require(id);
      const { phase } = organism;
      if (phase === 'growing') throw new Refusal('not-grown', `organism ${id}`);
      if (phase === 'departing') throw new Refusal('no-such-organism', `organism ${id} departs`);
      // Do not use the room's random number generator, because undoing this command would then
      // change the numbers that later commands draw.
      const random = createRandom(Math.floor(2 ** 32 * chance(rules.seed, id, tick)));
      const sources = { species, inventory: room.inventory, rules, random };
      const into = energy.buy(by.id, tick, () => createLatent(seed, by.id, sources));
      lifecycle.transform(organism, into, by.id, tick, at);
      return {};
    },
  },
  hold: {
    resolve(command, { species }) {
      const latent = bounded(Float32Array.from(command.latent), species.latentBounds);
      return { ...command, latent: [...latent] };
    },
    run({ by, latent, origin, approved }, { inventory, species }) {
      const drawn = { latent: checkedLatent(latent, species), origin, parents: [], approved };
      return { seed: viewOfSeed(inventory.add(by.id, defined(drawn))) };
    },
    skip: (_, { inventory }) => inventory.skipId(),
  },
  remove: { run: ({ organism }, room) => removeAll([organism], room) },
  clear: { run: ({ area }, room) => removeAll(ownersIn(area, room.grid), room) },
  sense: { run: (place, { lifecycle }) => void lifecycle.sense(place) },
  depart: { run: (command, { departures }, time) => void departures.dismiss(command, time) },
  thin: { run: (command, { departures }, time) => departures.thin(command, time) },
  renew: {
    run: (command, { departures }, turn) => void departures.renew(command, turn),
    skip(_, { planting }) {
      planting.nextOrganism++;
    },
  },
};

/**
 * Grafts the genome of a seed onto the organisms under a stroke, and charges the sender. Changes
 * nothing if it throws.
 *
 * @throws Refusal 'not-here' if organisms of this checkpoint cannot be grafted, and the errors of
 *   `createLatent` and of `Strokes.apply`
 */
function graft(command: RoomCommand<'graft'>, room: RoomContents, time: RoomTime): Outcome {
  const { by, seed, others } = command;
  const { species, grid, energy, strokes, lifecycle } = room;
  requireStandingInput(species);
  // Refuse a random seed if its dice have not been thrown yet. Each message of the stroke would
  // draw another random genome, so one stroke would graft several genomes.
  if (seed.from === 'prior') throw new Refusal('no-such-seed', 'not thrown yet');
  const genome = createLatent(seed, by.id, room);
  // Anybody may graft onto organisms planted by the host, the gardener or OSC messages, so
  // `isOthers` is false for these organisms.
  const isOthers = ({ planter: { id, name } }: Organism): boolean =>
    id !== by.id && id !== HOUSE.id && !BUILT_IN_NAMES.includes(name);
  return strokes.apply(command, energy, time, {
    refusalOf(organism, isProtected) {
      if (organism.phase === 'departing') return 'no-such-organism';
      if (organism.phase === 'growing') return 'not-grown';
      if (!isOthers(organism)) return undefined;
      if (!others) return 'not-yours';
      return isProtected ? 'protected' : undefined;
    },
    apply({ organism, cover }, isNew) {
      grid.each(organism.window, (place, cell) => {
        if (![0, organism.id].includes(grid.ownerAt(place))) cover[cell] = 0;
      });
      const change = (): boolean => paint(organism, { cover, genome, by, isNew }, grid);
      const cause = { id: by.id, kind: genome.kind, tick: time.tick };
      const hasChanged = lifecycle.graft(organism, change, cause);
      if (hasChanged && isOthers(organism)) strokes.touch(organism, by.id, time);
    },
  });
}

/**
 * If `foreign` is true, removes all grafts of other participants from the sender's own organism.
 * Otherwise, takes back the sender's last graft stroke on an organism.
 *
 * @throws Refusal 'no-such-organism', 'not-yours', 'no-graft'
 */
function ungraft(
  { by, organism: id, foreign }: RoomCommand<'ungraft'>,
  { lifecycle, population }: RoomContents,
  { tick }: RoomTime,
): Outcome {
  const organism = population.require(id);
  const { phase, planter } = organism;
  if (phase === 'departing') throw new Refusal('no-such-organism', `organism ${id} departs`);
  if (foreign && planter.id !== by.id) throw new Refusal('not-yours', `organism ${id}`);
  const change = (): boolean =>
    foreign ? removeGrafts(organism, (painter) => painter !== by.id) : takeBack(organism, by.id);
  if (!lifecycle.graft(organism, change, { id: by.id, tick })) {
    throw new Refusal('no-graft', `organism ${id}`);
  }
  return {};
}

/** Removes all grafts of a participant, and counts the organisms from which grafts were removed. */
function removeGraftsOf(
  { by, painter }: RoomCommand<'removeGrafts'>,
  { lifecycle, population }: RoomContents,
  { tick }: RoomTime,
): Outcome {
  let removed = 0;
  for (const organism of population.staying) {
    const change = (): boolean => removeGrafts(organism, (one) => one === painter);
    if (lifecycle.graft(organism, change, { id: by.id, tick })) removed++;
  }
  return { removed };
}

/** Removes organisms. @throws Refusal 'no-such-organism' */
function removeAll(ids: readonly OrganismId[], { lifecycle, population }: RoomContents): Outcome {
  for (const organism of ids.map((id) => population.require(id))) {
    lifecycle.die(organism, 'removed');
  }
  return { removed: ids.length };
}

export const handlerOf = ({ what }: RoomCommand): Handler<CommandType> => HANDLERS[what] as never;

export function applyEvent(event: ImmediateEvent, room: RoomContents): void {
  const { energy, departures, rules } = room;
  switch (event.what) {
    case 'enter':
      room.lastParticipant = Math.max(room.lastParticipant, event.participant);
      energy.enter(event.participant, event.at, event.granted);
      departures.enter(event.participant, event.source);
      break;
    case 'leave':
      room.inventory.clear(event.participant);
      energy.leave(event.participant);
      room.strokes.leave(event.participant);
      departures.leave(event.participant, event.at);
      break;
    case 'limit':
      departures.maxOrganisms = event.maxOrganisms;
      break;
    case 'flashes':
      room.flashLimit = event.limit;
      break;
    case 'protect':
      room.strokes.protect = event.seconds;
      break;
    case 'rules':
      rules.apply(event);
      break;
    case 'life':
      rules.life = event.settings;
      break;
    case 'liveliness':
      rules.liveliness = event.share;
      break;
    case 'energy':
      energy.change(event.settings, event.tickRate, event.at);
  }
}
