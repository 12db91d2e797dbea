/**
 * Measures chimeras of random creatures of the gallery: whether they rest, stay, heal, grow from a
 * seed as the same picture, and do not flash. They are stepped by an engine, as in a room. Start
 * reading at `measureChimeras`.
 */
import type { Random } from '../../../shared/random.ts';
import type { Engine, PatchStep, Readout } from '../../engine/engine.ts';
import { growthSchedule } from '../../vnca/architecture.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { LIFE } from '../../world/organisms/organism.ts';
import { shuffled } from '../data/dataset.ts';
import { meanSquare } from '../pictures/sheet.ts';
import { growToRest, type Resting, thresholdOf } from '../relatives/find-relatives.ts';
import { watchFlashes } from '../rollout/watch-flashes.ts';
import { STRICTLY_SAME } from './compare-pictures.ts';
import { MOVES, REST } from './organisms.ts';
import { loseHalf } from './wound-recovery.ts';

/** Number of steps after grafting, growing or losing half after which a chimera must rest. */
const RESTS_AFTER = 64;
/** Number of steps after grafting at which a chimera must look as when it came to rest. */
const SAME_AFTER = 1000;
/** The highest tick rate of a room, at which most steps count for one second's flashes. */
const TICK_RATE = 60;
/** Smallest and largest radius of a disc, as shares of the patch's side: 3 and 8 cells of 32. */
const RADII = [3 / 32, 8 / 32] as const;

/** The shape of a graft. */
type Shape = 'half' | 'disc';
/** The shapes of the grafts of each chimera, in turn. */
const SHAPES: readonly (readonly Shape[])[] = [['half'], ['disc'], ['half', 'disc']];

/** A creature onto which others are grafted. */
interface Chimera {
  /** Gallery indices: the grown creature, then the grafted ones. */
  readonly creatures: readonly number[];
  readonly shapes: readonly Shape[];
}

/**
 * Draws the labels of a chimera. Each graft is a disc around a random living cell, or all cells on
 * one side of a cut through such a cell, at any angle.
 *
 * @param alive [S, S], 1 = a living cell
 * @returns [S, S], 0 = no graft, 1… = index of the graft's shape, plus 1
 */
export function drawLabels(
  random: Random,
  alive: Uint8Array,
  shapes: readonly Shape[],
): Uint8Array {
  const side = Math.sqrt(alive.length);
  const living = [...alive.keys()].filter((cell) => alive[cell] === 1);
  const labels = new Uint8Array(alive.length);
  shapes.forEach((shape, i) => {
    const middle = living[random.integer(living.length)] ?? 0;
    const angle = 2 * Math.PI * random.uniform();
    const radius = side * (RADII[0] + (RADII[1] - RADII[0]) * random.uniform());
    labels.forEach((_, cell) => {
      const dx = (cell % side) - (middle % side);
      const dy = Math.floor(cell / side) - Math.floor(middle / side);
      const isIn =
        shape === 'disc'
          ? Math.hypot(dx, dy) <= radius
          : dx * Math.cos(angle) + dy * Math.sin(angle) > 0;
      if (isIn) labels[cell] = i + 1;
    });
  });
  return labels;
}

/** Draws chimeras such that all creatures take part about equally often. */
function drawChimeras(random: Random, creatures: number, count: number): Chimera[] {
  const order = shuffled(Array.from({ length: creatures }, (_, i) => i), random);
  let next = 0;
  return Array.from({ length: count }, (_, i) => {
    const shapes = SHAPES[i % SHAPES.length];
    return { shapes, creatures: [0, ...shapes].map(() => order[next++ % creatures]) };
  });
}

/**
 * Tries chimeras.
 *
 * @param stepped called after each step with the number of chimeras stepped
 * @returns for each chimera, whether it passes each test
 */
export async function tryChimeras(
  engine: Engine,
  model: Model,
  chimeras: readonly Chimera[],
  random: Random,
  stepped: (count: number) => void,
) {
  const { card } = model;
  const { side, name: checkpoint } = card;
  const bases = [...new Set(chimeras.map(({ creatures }) => creatures[0]))];
  const resting = await growToRest(engine, model, bases);
  const base = chimeras.map(({ creatures }): Resting => resting.get(creatures[0])!);
  const genomes = chimeras.map(({ creatures, shapes }, i) => ({
    latents: creatures.map((creature) => galleryLatent(model, creature)),
    labels: drawLabels(random, base[i].alive, shapes),
  }));
  const patches = chimeras.map((_, i) => i + 1);
  const plant = (isChimera: boolean): Promise<void> =>
    engine.plant(
      patches.map((patch, i) => ({
        ...{ patch, checkpoint, latent: genomes[i].latents[0] },
        ...(isChimera && { genomes: genomes[i] }),
      })),
    );
  /** Steps all patches several times. @returns the last pictures */
  const run = async (
    steps: number,
    stepOf: (i: number, step: number) => Partial<PatchStep> = () => ({}),
    see: (seen: Readout, i: number) => void = () => {},
  ): Promise<Uint8Array[]> => {
    let last: readonly Readout[] = [];
    for (let step = 0; step < steps; step++) {
      last = await engine.step(
        patches.map((patch, i) => ({ patch, divide: false, ...stepOf(i, step) })),
      );
      last.forEach(see);
      stepped(patches.length);
    }
    return last.map(({ rgba }) => rgba);
  };
  const import_ = (states: readonly Float32Array[]): Promise<void> =>
    engine.importStates(states.map((state, i) => ({ patch: patches[i], state })));

  await plant(false);
  await import_(base.map(({ state }) => state));
  const watches = base.map((one) => watchFlashes(one, thresholdOf(model), TICK_RATE));
  const flashes = watches.map(() => false);
  const restSteps = watches.map(() => 0);
  const graft = (i: number, step: number) => (step === 0 ? { express: genomes[i] } : {});
  const rested = await run(RESTS_AFTER, graft, (seen, i) => {
    flashes[i] = watches[i](seen);
    restSteps[i] = seen.change <= LIFE.restLevel ? restSteps[i] + 1 : 0;
  });
  const states = await engine.exportStates(patches);
  await run(REST[0] - RESTS_AFTER);
  const lowest = base.map(() => new Uint8Array(4 * side * side).fill(255));
  const highest = base.map(() => new Uint8Array(4 * side * side));
  await run(REST[1] - REST[0], undefined, ({ rgba }, i) => {
    rgba.forEach((value, at) => {
      if (value < lowest[i][at]) lowest[i][at] = value;
      if (value > highest[i][at]) highest[i][at] = value;
    });
  });
  const stayed = await run(SAME_AFTER - REST[1]);
  const closed = states.map((state) => loseHalf(state, card, random));
  await import_(states);
  const healed = await run(RESTS_AFTER, (i, step) => {
    return { closed: closed[i].map((steps) => Math.max(0, steps - step)) };
  });
  await engine.dispose(patches);
  await plant(true);
  const growth = growthSchedule(card);
  const grown = await run(growth.length + RESTS_AFTER, (_, step) => ({
    divide: growth[step]?.divide ?? false,
  }));
  await engine.dispose(patches);
  const isSame = (pictures: readonly Uint8Array[], i: number): boolean =>
    meanSquare(pictures[i], rested[i]) < STRICTLY_SAME;
  return chimeras.map((_, i) => ({
    rests: restSteps[i] >= LIFE.restSteps,
    still: highest[i].every((value, at) => value - lowest[i][at] < MOVES),
    same: isSame(stayed, i),
    heals: isSame(healed, i),
    grows: isSame(grown, i),
    calm: !flashes[i],
    movement: highest[i].reduce((most, value, at) => Math.max(most, value - lowest[i][at]), 0),
    errors: [stayed, healed, grown].map((p) => meanSquare(p[i], rested[i])),
  }));
}
