/**
 * Tests chimeras (organisms whose cells read different genomes) made of random gallery creatures.
 * Measures whether a chimera comes to rest, keeps its picture, heals, grows from a seed into the
 * same picture, and flashes. Start reading at `measureChimeras`.
 */
import type { Random } from '../../../shared/random.ts';
import type { Engine, PatchId, PatchStep, Readout } from '../../engine/engine.ts';
import { growthSchedule } from '../../vnca/architecture.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { LIFE } from '../../world/organisms/organism.ts';
import { shuffled } from '../data/dataset.ts';
import { meanSquare } from '../pictures/sheet.ts';
import { growToRest, watch } from '../relatives/find-relatives.ts';
import { STRICTLY_SAME } from './compare-pictures.ts';
import { loseHalf } from './recovery.ts';

/**
 * Maximum number of steps for a chimera to come to rest after grafting, to heal after a wound, or
 * to reach its final picture after growth.
 */
const SETTLES = 64;
/** Numbers of steps after grafting at which to measure the share of chimeras at rest. */
const RESTS_AFTER = [32, SETTLES, 128, 256];
/**
 * After this number of steps, a chimera must still have the picture that it had `SETTLES` steps
 * after grafting.
 */
const SAME_AFTER = 1000;
/** Tick rate for the test for flashes, in Hz: the maximum tick rate of rooms. */
const TICK_RATE = 60;
/** Minimum and maximum radius of a disc-shaped graft, as shares of the patch's side. */
const [SMALLEST, LARGEST] = [3 / 32, 8 / 32];

/** Shape of the area that a graft covers. */
type Shape = 'half' | 'disc';
/** Shapes of each chimera's grafts. Chimeras use the lists in turn. */
const GRAFTS: readonly (readonly Shape[])[] = [['half'], ['disc'], ['half', 'disc']];

/**
 * Chooses at random which cells of a chimera each graft covers: a disc around a random living cell,
 * or all cells on one side of a straight cut through a random living cell.
 *
 * @param alive [S, S] 1 for living cells, else 0
 * @returns [S, S] label of each cell: 0 if no graft covers the cell, else 1 plus the index of the
 *   last graft that covers it
 */
export function drawLabels(
  random: Random,
  alive: Uint8Array,
  grafts: readonly Shape[],
): Uint8Array {
  const side = Math.sqrt(alive.length);
  const living = [...alive.keys()].filter((cell) => alive[cell] === 1);
  const labels = new Uint8Array(alive.length);
  grafts.forEach((shape, i) => {
    const middle = living[random.integer(living.length)] ?? 0;
    const angle = 2 * Math.PI * random.uniform();
    const radius = side * (SMALLEST + (LARGEST - SMALLEST) * random.uniform());
    labels.forEach((_, cell) => {
      const x = (cell % side) - (middle % side);
      const y = Math.floor(cell / side) - Math.floor(middle / side);
      const isCovered =
        shape === 'disc'
          ? Math.hypot(x, y) <= radius
          : x * Math.cos(angle) + y * Math.sin(angle) > 0;
      if (isCovered) labels[cell] = i + 1;
    });
  });
  return labels;
}

/**
 * Makes random chimeras and tests them. All gallery creatures are used about equally often.
 *
 * @returns the shares of chimeras that pass each test (explained in TRAINING.md), and, for each
 *   chimera that fails a test, the names of its creatures
 */
export async function measureChimeras(
  { engine, count }: { readonly engine: Engine; readonly count: number },
  model: Model,
  random: Random,
) {
  const { card } = model;
  const order = shuffled([...card.gallery.keys()], random);
  let drawn = 0;
  const creatures = Array.from({ length: count }, (_, i) =>
    [0, ...GRAFTS[i % GRAFTS.length]].map(() => order[drawn++ % order.length]),
  );
  const own = creatures.map(([first]) => first);
  const resting = await growToRest(engine, model, [...new Set(own)]);
  const bodies = own.map((creature) => resting.get(creature)!);
  const genomes = creatures.map((some, i) => ({
    latents: some.map((creature) => galleryLatent(model, creature)),
    labels: drawLabels(random, bodies[i].alive, GRAFTS[i % GRAFTS.length]),
  }));
  const planted = genomes.map(({ latents }, i) => {
    return { patch: i, checkpoint: card.name, latent: latents[0] };
  });
  const patches = [...genomes.keys()];
  const load = (states: readonly Float32Array[]): Promise<void> =>
    engine.importStates(states.map((state, patch) => ({ patch, state })));
  /** Steps all chimeras. @returns their pictures after the last step */
  const run = async (
    steps: number,
    how: (patch: PatchId, step: number) => Partial<PatchStep> = () => ({}),
    see: (readout: Readout) => void = () => {},
  ): Promise<Uint8Array[]> => {
    let last: readonly Readout[] = [];
    for (let step = 0; step < steps; step++) {
      last = await engine.step(
        patches.map((patch) => ({ patch, divide: false, ...how(patch, step) })),
      );
      last.forEach(see);
    }
    return last.map(({ rgba }) => rgba);
  };

  await engine.plant(planted);
  await load(bodies.map(({ state }) => state));
  const watched = bodies.map((body) => watch(body, model, TICK_RATE));
  const [ages, quiet] = [patches.map(() => 0), patches.map(() => 0)];
  const restsFrom = patches.map(() => Infinity);
  const watchRest = ({ patch, change }: Readout): void => {
    ages[patch]++;
    quiet[patch] = change <= LIFE.restLevel ? quiet[patch] + 1 : 0;
    if (quiet[patch] < LIFE.restSteps) return;
    restsFrom[patch] = Math.min(restsFrom[patch], ages[patch] - LIFE.restSteps);
  };
  const rested = await run(
    SETTLES,
    (patch, step) => (step === 0 ? { express: genomes[patch] } : {}),
    (readout) => {
      watched[readout.patch].see(readout);
      watchRest(readout);
    },
  );
  const states = await engine.exportStates(patches);
  const aged = await run(SAME_AFTER - SETTLES, undefined, watchRest);
  const closed = states.map((state) => loseHalf(state, card, random));
  await load(states);
  const healed = await run(SETTLES, (patch, step) => {
    return { closed: closed[patch].map((steps) => Math.max(0, steps - step)) };
  });
  await engine.dispose(patches);
  await engine.plant(planted.map((one, i) => ({ ...one, genomes: genomes[i] })));
  const growth = growthSchedule(card);
  const grown = await run(growth.length + SETTLES, (_, step) => {
    return { divide: growth[step]?.divide ?? false };
  });
  await engine.dispose(patches);

  const areSame = (pictures: readonly Uint8Array[]): boolean[] =>
    pictures.map((picture, i) => meanSquare(picture, rested[i]) < STRICTLY_SAME);
  const [same, heals, grows] = [aged, healed, grown].map(areSame);
  const flashes = watched.map((one) => one.result().flashes);
  const share = (found: readonly boolean[]): number => found.filter(Boolean).length / count;
  const restsBy = (steps: number): boolean[] => restsFrom.map((from) => from <= steps);
  const tests = [restsBy(SETTLES), same, heals, grows];
  const failed = creatures.filter((_, i) => flashes[i] || !tests.every((test) => test[i]));
  return {
    chimeras: count,
    rests: Object.fromEntries(RESTS_AFTER.map((steps) => [steps, share(restsBy(steps))])),
    ...{ same: share(same), heals: share(heals), grows: share(grows), flashes: share(flashes) },
    failed: failed.map((some) => some.map((creature) => card.gallery[creature].name).join(' + ')),
  };
}
