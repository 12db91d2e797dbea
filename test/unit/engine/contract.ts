/** Tests of the contract in server/engine/engine.ts, which every engine must keep. */
import type {
  Engine,
  EngineReason,
  NewPatch,
  PatchStep,
  Readout,
} from '../../../server/engine/engine.ts';
import { divide, seedState } from '../../../server/vnca/architecture.ts';
import type { Model } from '../../../server/vnca/checkpoint.ts';
import { type Genomes, genomeWeights, mixSteps } from '../../../server/vnca/chimera.ts';
import { createReadout, toByte } from '../../../server/vnca/readout.ts';
import { createRandom } from '../../../shared/random.ts';
import { isFull } from '../../support/needs.ts';
import {
  bitsOf,
  CHANNELS,
  CONTRACT_MODELS,
  expectError,
  latentOf,
  plain,
  seed,
  seedOf,
  still,
} from './support.ts';

/** @param create an engine that has loaded CONTRACT_MODELS */
export function describeEngineContract(name: string, create: () => Promise<Engine>): void {
  describe(`${name} keeps the engine contract`, () => {
    let engine: Engine;
    const stateOf = async (patch: number): Promise<Float32Array> =>
      (await engine.exportStates([patch]))[0];
    const stepOne = async (step: PatchStep): Promise<Readout> => (await engine.step([step]))[0];
    beforeAll(async () => {
      engine = await create();
    });
    afterAll(() => engine.close());
    // The last test closes the engine.
    afterEach(() => engine.dispose(Array.from({ length: 200 }, (_, i) => i)).catch(() => {}));

    test('states can be exported and imported, also at another stage', async () => {
      await engine.plant([seed(1), seed(2)]);
      const state = createRandom(9).latent(8 * 8 * CHANNELS);
      await engine.importStates([{ patch: 1, state }]);
      expect(await stateOf(1)).toEqual(state);
      expect((await stepOne(still(1))).stage).toBe(8);
      expect(await stateOf(2)).toEqual(seedState(latentOf(2), 2, CHANNELS));
    });

    test('inputs stay the caller’s, and results are copies', async () => {
      const pool = createRandom(3).latent(3 * CHANNELS);
      const latent = pool.subarray(CHANNELS, 2 * CHANNELS);
      const state = createRandom(4).latent(4 * CHANNELS);
      const keep = new Uint8Array(4).fill(1);
      await engine.plant([seed(1, 'tiny', latent)]);
      expect(await stateOf(1)).toEqual(seedState(latent, 2, CHANNELS));
      await engine.importStates([{ patch: 1, state }]);
      state.fill(0);
      const exported = await stateOf(1);
      expect(exported).toEqual(createRandom(4).latent(4 * CHANNELS));
      exported.fill(0);
      expect(await stateOf(1)).toEqual(createRandom(4).latent(4 * CHANNELS));
      const readout = await stepOne({ patch: 1, divide: false, keep });
      readout.rgba.fill(0);
      expect([pool.length, state.length, keep.length]).toEqual([3 * CHANNELS, 4 * CHANNELS, 4]);
      const again = await stepOne({ patch: 1, divide: false, keep });
      expect(again.change).toBeLessThan(255);
    });

    test('calls take effect in the order they are made', async () => {
      const planted = engine.plant([seed(1)]);
      const first = engine.step([still(1)]);
      const gone = engine.dispose([1]);
      const late = engine.step([still(1)]);
      await Promise.all([planted, gone]);
      expect((await first)[0].patch).toBe(1);
      await expectError(late, 'unknown-patch');
    });

    test('a patch whose state is no longer finite is broken, and the others go on', async () => {
      await engine.plant([seed(1), seed(2, 'runaway'), seed(3, 'tiny', latentOf(1))]);
      const company: Readout[][] = [];
      for (let k = 0; k < 12; k++) company.push(await engine.step([still(1), still(2)]));
      for (const [well] of company) expect(well.broken).toBeUndefined();
      const [, gone] = company[11];
      expect(gone).toEqual({
        ...{ patch: 2, stage: 2, change: 255, broken: true },
        ...{ rgba: new Uint8Array(16), presence: new Uint8Array(4) },
      });
      for (let k = 0; k < 12; k++) await engine.step([still(3)]);
      expect(await stateOf(1)).toEqual(await stateOf(3));
      await engine.importStates([{ patch: 2, state: new Float32Array(4 * CHANNELS) }]);
      expect((await stepOne(still(2))).broken).toBeUndefined();
    });

    test('disposed patches are forgotten, unknown ones ignored', async () => {
      expect(await engine.step([])).toEqual([]);
      await engine.plant([seed(1), seed(2)]);
      await engine.dispose([1, 150]);
      await expectError(engine.exportStates([1]), 'unknown-patch');
      expect(await stateOf(2)).toEqual(seedState(latentOf(2), 2, CHANNELS));
      await engine.plant([seed(1, 'tiny', latentOf(5))]);
      expect(await stateOf(1)).toEqual(seedState(latentOf(5), 2, CHANNELS));
    });

    test('cells divide before the step', async () => {
      await engine.plant([seed(1), seed(2)]);
      const state = createRandom(9).latent(4 * CHANNELS);
      await engine.importStates([
        { patch: 1, state },
        { patch: 2, state: divide(state, CHANNELS) },
      ]);
      const [divided, direct] = await engine.step([{ patch: 1, divide: true }, still(2)]);
      expect(divided.stage).toBe(4);
      expect(await stateOf(1)).toEqual(await stateOf(2));
      expect(divided.rgba).toEqual(direct.rgba);
    });

    test('the mask falls on divided cells, before the step', async () => {
      await engine.plant([seed(1), seed(2), seed(3)]);
      const state = createRandom(9).latent(4 * CHANNELS);
      const keep = Uint8Array.from({ length: 16 }, (_, i) => (i % 3 === 0 ? 0 : 1));
      const masked = divide(state, CHANNELS).map((x, i) => x * keep[Math.floor(i / CHANNELS)]);
      await engine.importStates([
        { patch: 1, state },
        { patch: 2, state: masked },
        { patch: 3, state },
      ]);
      await engine.step([{ patch: 1, divide: true, keep }, still(2), { patch: 3, divide: true }]);
      expect(await stateOf(1)).toEqual(await stateOf(2));
      expect(await stateOf(1)).not.toEqual(await stateOf(3));
    });

    test('closed cells are zero before and after the step, and show nothing', async () => {
      const names = ['tiny', 'chance', 'genome', 'uniform'];
      await engine.plant(
        names.flatMap((name, i) =>
          [2 * i, 2 * i + 1].map((patch) => seed(patch, name, latentOf(i))),
        ),
      );
      const closed = Uint8Array.from({ length: 256 }, (_, i) => (i % 3 === 0 || i < 32 ? 1 : 0));
      const keep = closed.map((bit) => 1 - bit);
      const cleared = (state: Float32Array): Float32Array =>
        state.map((x, i) => (closed[Math.floor(i / CHANNELS)] ? 0 : x));
      for (const [i] of names.entries()) {
        const [patch, twin] = [2 * i, 2 * i + 1];
        const state = createRandom(9).latent(256 * CHANNELS);
        await engine.importStates([patch, twin].map((one) => ({ patch: one, state })));
        for (let k = 0; k < 3; k++) {
          const [shown] = await engine.step([
            { ...still(patch), closed },
            { ...still(twin), keep },
          ]);
          // The twin was open after its step, and is cleared by hand.
          const expected = cleared(await stateOf(twin));
          await engine.importStates([{ patch: twin, state: expected }]);
          expect(bitsOf(await stateOf(patch))).toBe(bitsOf(expected));
          expect(closed.filter((bit, cell) => bit && shown.rgba[4 * cell + 3]).length).toBe(0);
          expect(shown.presence.some((alive) => alive > 0)).toBe(true);
        }
        const [open] = await engine.step([still(patch)]);
        expect(open.stage).toBe(16);
      }
    });

    test('a step changes states, and the read-out shows them after it', async () => {
      await engine.plant([seed(1)]);
      const before = await stateOf(1);
      const { patch, stage, rgba, presence } = await stepOne({ patch: 1, divide: true });
      const after = await stateOf(1);
      expect(after.slice(0, before.length)).not.toEqual(before);
      expect({ patch, stage }).toEqual({ patch: 1, stage: 4 });
      const wanted = { rgba: new Uint8Array(64), presence: new Uint8Array(16) };
      createReadout(plain.card)(after, 0, wanted.rgba, wanted.presence);
      expect({ rgba, presence }).toEqual(wanted);
      expect(rgba[7]).toBe(toByte(after[CHANNELS + 3]));
    });

    test('change is the largest between two steps, and 255 when there is nothing to compare', async () => {
      await engine.plant([seed(1)]);
      const first = await stepOne(still(1));
      const second = await stepOne(still(1));
      const differences = second.rgba.map((x, i) => Math.abs(x - first.rgba[i]));
      expect([first.change, second.change]).toEqual([255, Math.max(...differences)]);
      expect(second.change).toBeGreaterThan(0);
      expect(second.change).toBeLessThan(255);
      expect((await stepOne({ patch: 1, divide: true })).change).toBe(255);
      expect((await stepOne(still(1))).change).toBeLessThan(255);
      await engine.importStates([{ patch: 1, state: await stateOf(1) }]);
      expect((await stepOne(still(1))).change).toBe(255);
    });

    test('read-outs come in the order asked, whatever the stage or checkpoint', async () => {
      const names = ['tiny', 'uniform', 'genome', 'chance'];
      await engine.plant(Array.from({ length: 8 }, (_, i) => seed(i, names[i % 4])));
      await engine.step([{ patch: 4, divide: true }]);
      const order = [5, 0, 7, 4, 2, 6, 1, 3];
      const readouts = await engine.step(order.map(still));
      expect(readouts.map(({ patch }) => patch)).toEqual(order);
      expect(readouts.map(({ stage }) => stage)).toEqual([16, 2, 2, 4, 2, 2, 16, 2]);
      expect(readouts.map(({ rgba }) => rgba.length)).toEqual(
        readouts.map(({ stage }) => 4 * stage * stage),
      );
    });

    test("a patch's result does not depend on the batch, bit for bit", async () => {
      const names = ['tiny', 'genome', 'chance', 'uniform'];
      const ids = Array.from({ length: 68 }, (_, i) => i);
      const random = createRandom(11);
      const states = new Map(ids.map((id) => [id, random.latent(16 * 16 * CHANNELS)]));
      await engine.plant(ids.map((id) => seed(id, names[id % 4])));
      const run = async (batches: number[][]): Promise<string[]> => {
        await engine.importStates(ids.map((patch) => ({ patch, state: states.get(patch)! })));
        for (let k = 0; k < 2; k++) {
          for (const batch of batches) await engine.step(batch.map(still));
        }
        return (await engine.exportStates(ids)).map(bitsOf);
      };
      const cut = (list: number[], size: number): number[][] =>
        Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
          list.slice(i * size, (i + 1) * size),
        );
      const shuffled = ids.toSorted((a, b) => ((a * 29) % 68) - ((b * 29) % 68));
      const alone = await run(cut(ids, 1));
      expect(await run(cut(ids, 3))).toEqual(alone);
      expect(await run(cut(shuffled, 17))).toEqual(alone);
      expect(await run([ids.toReversed()])).toEqual(alone);
    });

    test.each(readingOn(name).map(({ card }) => card.name))(
      'a step with another latent reads it from then on, bit for bit, and so do later ones: %s',
      async (name) => {
        const model = CONTRACT_MODELS.find(({ card }) => card.name === name)!;
        const latents = [1, 2].map((patch) => seedOf(model, patch).latent);
        const planted = [0, 1, 0, 1, 0].map((latent, patch) => ({
          ...{ patch, checkpoint: name, latent: latents[latent] },
        }));
        await engine.plant(planted);
        const state = createRandom(9).latent(16 * model.card.channels);
        await engine.importStates(planted.map(({ patch }) => ({ patch, state })));
        const [own, other, lent, home, witness] = [0, 1, 2, 3, 4].map(still);
        const expected = async (): Promise<string[]> =>
          (await engine.exportStates([0, 1, 2, 3, 4])).map(bitsOf);
        await engine.step([
          own,
          other,
          { ...lent, express: { latents: [latents[1]] } },
          home,
          witness,
        ]);
        await engine.step([own, other, lent, home, witness]);
        const [first, second, ...others] = await expected();
        expect(first).not.toBe(second);
        expect(others).toEqual([second, second, first]);
        // A state taken out and put in again stays with the latent that is read.
        const [taken] = await engine.exportStates([2]);
        await engine.importStates([{ patch: 2, state: taken }]);
        await engine.step([other, lent]);
        expect((await engine.exportStates([1, 2])).map(bitsOf)[1]).toBe(bitsOf(await stateOf(1)));
        // And home again: both now go on from one state with one latent.
        const [from] = await engine.exportStates([2]);
        await engine.importStates([{ patch: 0, state: from }]);
        await engine.step([own, { ...lent, express: { latents: [latents[0]] } }]);
        expect(bitsOf(await stateOf(2))).toBe(bitsOf(await stateOf(0)));
      },
    );

    test('rules that do not read the latent step as without another one', async () => {
      await engine.plant([seed(1), seed(2, 'tiny', latentOf(1))]);
      await engine.step([{ ...still(1), express: { latents: [latentOf(3)] } }, still(2)]);
      expect(await stateOf(1)).toEqual(await stateOf(2));
    });

    describeChimeras(name, () => engine);

    describe('a call that fails changes nothing', () => {
      const latents = [latentOf(1), latentOf(2)];
      /** Of patches with 16×16 cells. */
      const labels = (label: number, size = 256) => new Uint8Array(size).fill(label);
      const nan = Float32Array.from({ length: CHANNELS }, () => Number.NaN);
      const short = new Float32Array(1);
      const expressing = (latents: Float32Array[], labels?: Uint8Array): PatchStep => ({
        ...{ ...still(2), express: { latents, labels } },
      });
      const zeros = (length: number, patch = 2) => ({ patch, state: new Float32Array(length) });

      test.each<[EngineReason, string, NewPatch]>([
        ['unknown-checkpoint', 'an unknown checkpoint', seed(2, 'nobody')],
        ['duplicate-patch', 'a patch that lives', seed(0)],
        ['duplicate-patch', 'a patch twice in one call', seed(1)],
        ['bad-latent', 'a short latent', seed(2, 'tiny', new Float32Array(CHANNELS - 1))],
        ['bad-latent', 'a long latent', seed(2, 'tiny', new Float32Array(CHANNELS + 1))],
        ['bad-latent', 'a latent with NaN', seed(2, 'tiny', nan)],
        ['bad-latent', 'no genome', { ...seed(2), genomes: { latents: [] } }],
        ['bad-latent', 'a genome with NaN', { ...seed(2), genomes: { latents: [nan] } }],
        ['bad-labels', 'genomes without labels', { ...seed(2), genomes: { latents } }],
        [
          'bad-labels',
          'labels of the first stage',
          { ...seed(2), genomes: { latents, labels: labels(0, 4) } },
        ],
      ])('plant: %s for %s', async (reason, _, bad) => {
        await engine.plant([seed(0)]);
        await expectError(engine.plant([seed(1), bad]), reason);
        await expectError(engine.exportStates([1]), 'unknown-patch');
        expect(await stateOf(0)).toEqual(seedState(latentOf(0), 2, CHANNELS));
      });

      test.each<[EngineReason, string, PatchStep]>([
        ['unknown-patch', 'an unknown patch', still(9)],
        ['duplicate-patch', 'a patch twice in one call', still(1)],
        ['bad-mask', 'a mask of another stage', { ...still(2), keep: new Uint8Array(16) }],
        [
          'bad-mask',
          'a mask from before division',
          { patch: 2, divide: true, keep: new Uint8Array(4) },
        ],
        ['bad-mask', 'closed cells of another stage', { ...still(2), closed: new Uint8Array(16) }],
        ['bad-state', 'a division of the grown', { patch: 3, divide: true }],
        ['bad-latent', 'a short latent', expressing([short])],
        ['bad-latent', 'a latent with NaN', expressing([nan])],
        ['bad-latent', 'no genome', expressing([])],
        [
          'bad-latent',
          'five genomes',
          expressing([...latents, ...latents, latentOf(3)], labels(0)),
        ],
        ['bad-latent', 'a short second latent', expressing([latents[0], short], labels(0))],
        ['bad-labels', 'genomes without labels', expressing(latents)],
        ['bad-labels', 'too few labels', expressing(latents, labels(0, 255))],
        ['bad-labels', 'a label without a genome', expressing(latents, labels(2))],
        ['bad-labels', 'a label of no second genome', expressing([latents[0]], labels(1))],
      ])('step: %s for %s', async (reason, _, bad) => {
        await engine.plant([seed(1), seed(2), seed(3, 'uniform')]);
        const before = await engine.exportStates([1, 2, 3]);
        await expectError(engine.step([still(1), bad]), reason);
        expect(await engine.exportStates([1, 2, 3])).toEqual(before);
      });

      test.each<[EngineReason, string, { patch: number; state: Float32Array }]>([
        ['unknown-patch', 'an unknown patch', zeros(4 * CHANNELS, 9)],
        ['bad-state', 'a state that is not square', zeros(3 * CHANNELS)],
        ['bad-state', 'a side that is not a stage', zeros(9 * CHANNELS)],
        ['bad-state', 'a state that is too large', zeros(32 * 32 * CHANNELS)],
        ['bad-state', 'an empty state', zeros(0)],
        ['bad-state', 'an incomplete cell', zeros(4 * CHANNELS + 1)],
        [
          'bad-state',
          'infinite numbers',
          { patch: 2, state: new Float32Array(4 * CHANNELS).fill(Infinity) },
        ],
      ])('importStates: %s for %s', async (reason, _, bad) => {
        await engine.plant([seed(1), seed(2)]);
        const good = { patch: 1, state: new Float32Array(4 * CHANNELS) };
        await expectError(engine.importStates([good, bad]), reason);
        expect(await engine.exportStates([1, 2])).toEqual([
          seedState(latentOf(1), 2, CHANNELS),
          seedState(latentOf(2), 2, CHANNELS),
        ]);
      });
    });
    test('a closed engine answers earlier calls and rejects later ones', async () => {
      await engine.plant([seed(1)]);
      const before = engine.step([still(1)]);
      const closed = engine.close();
      await expectError(engine.step([still(1)]), 'closed');
      await closed;
      expect((await before)[0].patch).toBe(1);
      await engine.close();
      await expectError(engine.plant([seed(2)]), 'closed');
      for (const method of ['importStates', 'exportStates', 'dispose'] as const) {
        await expectError(engine[method]([]), 'closed');
      }
    });
  });
}

/** Of the models below. */
const SIDE = 16;
const CELLS = SIDE * SIDE;

/** Left and right; quarters, of which one has a spot of another; all by one genome. */
export const LABELS = {
  halves: Uint8Array.from({ length: CELLS }, (_, i) => (i % SIDE < SIDE / 2 ? 0 : 1)),
  quarters: Uint8Array.from({ length: CELLS }, (_, i) =>
    i === 3 * SIDE + 3 ? 2 : 2 * Math.floor(i / (CELLS / 2)) + Math.floor((i % SIDE) / (SIDE / 2)),
  ),
  second: new Uint8Array(CELLS).fill(1),
};

/** Models whose rule reads the latent in every step; the cells of the first update by chance. */
const READING = CONTRACT_MODELS.filter(({ card }) => card.update.standingInput);

/** In short, a driver that emulates a GPU compiles the kernels of one of them. */
const readingOn = (engine: string): readonly Model[] =>
  engine === 'webgpu' && !isFull ? READING.filter(({ card }) => card.name === 'genome') : READING;

/** @param engine one that has loaded CONTRACT_MODELS and holds no patches */
function describeChimeras(name: string, engine: () => Engine): void {
  // A GPU may fuse the multiplication and the addition.
  const tolerance = name === 'webgpu' ? 1e-5 : 0;
  const states = (patches: readonly number[]) => engine().exportStates(patches);

  describe.each(readingOn(name))('chimeras of $card.name', ({ card }) => {
    const latents = [1, 2, 3, 4].map((one) => createRandom(one).latent(card.latentSize));
    const [first, second] = latents;
    const checkpoint = card.name;
    const two: Genomes = { latents: [first, second], labels: LABELS.halves };
    const four: Genomes = { latents, labels: LABELS.quarters };
    const seedOf = (patch: number, genomes?: Genomes, latent = first): NewPatch => ({
      ...{ patch, checkpoint, latent, genomes },
    });
    const stateOf = (stage: number) => createRandom(9).latent(stage * stage * card.channels);
    const given = (patches: readonly number[], stage: number) =>
      engine().importStates(patches.map((patch) => ({ patch, state: stateOf(stage) })));

    test.each([
      ['two, grown', two, { stage: 16, divide: false }],
      ['four, grown', four, { stage: 16, divide: false }],
      ['four, growing', four, { stage: 8, divide: true }],
      ['two, while it has four cells', two, { stage: 2, divide: false }],
    ])('a step is the mean of the steps by each genome: %s', async (_, genomes, when) => {
      const { stage, divide } = when;
      const after = divide ? 2 * stage : stage;
      const masks = {
        keep: Uint8Array.from({ length: after * after }, (_, i) => (i % 7 === 0 ? 0 : 1)),
        closed: Uint8Array.from({ length: after * after }, (_, i) => (i % 5 === 1 ? 1 : 0)),
      };
      const { labels, latents: all } = genomes;
      const alone = all.map((_, i) => 1 + i);
      await engine().plant([
        seedOf(0, genomes),
        ...alone.map((i) => seedOf(i, undefined, all[i - 1])),
      ]);
      for (const masked of [{}, masks]) {
        await given([0, ...alone], stage);
        await engine().step([0, ...alone].map((patch) => ({ patch, divide, ...masked })));
        const [mixed, ...steps] = await states([0, ...alone]);
        const wanted = mixed.slice();
        const weights = genomeWeights(labels!, all.length, after);
        mixSteps(steps, weights, { cells: card.channels, channels: 1 }, wanted);
        const far = mixed.filter((x, i) => !(Math.abs(x - wanted[i]) <= tolerance));
        expect(far).toHaveLength(0);
        // Each genome counts.
        for (const step of steps) expect(bitsOf(step)).not.toBe(bitsOf(mixed));
      }
    });

    test('where all labels are equal, it is that genome alone, bit for bit', async () => {
      const uniform = { latents: [first, second], labels: LABELS.second };
      await engine().plant([seedOf(1, uniform), seedOf(2, { latents: [second] }), seedOf(3, two)]);
      const step = { divide: false, express: uniform };
      for (const divide of [false, true, true, true, false]) {
        await engine().step([1, 2, 3].map((patch) => ({ patch, divide })));
      }
      const [own, alone, other] = (await states([1, 2, 3])).map(bitsOf);
      expect(own).toBe(alone);
      expect(other).not.toBe(alone);
      // A chimera becomes that genome too.
      await given([2, 3], 16);
      await engine().step([still(2), { patch: 3, ...step }]);
      await engine().step([2, 3].map(still));
      const [wanted, become] = (await states([2, 3])).map(bitsOf);
      expect(become).toBe(wanted);
    });

    test('its result does not depend on the batch, bit for bit', async () => {
      const ids = [0, 1, 2, 3, 4, 5, 6, 7];
      await engine().plant(
        ids.map((i) => seedOf(i, [two, four, undefined][i % 3], latents[i % 4])),
      );
      const run = async (batches: readonly number[][]) => {
        await given(ids, 16);
        for (const batch of [...batches, ...batches]) await engine().step(batch.map(still));
        return (await states(ids)).map(bitsOf);
      };
      const alone = await run(ids.map((id) => [id]));
      expect(await run([ids.toReversed()])).toEqual(alone);
      expect(
        await run([
          [2, 0, 4],
          [1, 3, 7, 6, 5],
        ]),
      ).toEqual(alone);
      expect(new Set([0, 1, 2, 5].map((i) => alone[i])).size).toBe(4);
    });

    test('it reads the genomes and labels of its last change, whatever it read before', async () => {
      const turned = LABELS.halves.map((label) => 1 - label);
      const own = [first, second].map((latent) => latent.slice());
      const labels = turned.slice();
      await engine().plant([
        seedOf(1, { latents: [first, second], labels: turned }),
        ...[seedOf(2, two), seedOf(3, four), seedOf(4)],
      ]);
      await given([1, 2, 3, 4], 16);
      const steps: PatchStep[] = [
        still(1),
        { ...still(2), express: { latents: own, labels } },
        // Genomes known and unknown, in another order, and one that no cell reads.
        ...[3, 4].map((patch) => ({
          ...still(patch),
          express: {
            latents: [second, latents[3], first],
            labels: turned.map((label) => (label === 0 ? 2 : 0)),
          },
        })),
      ];
      await engine().step(steps);
      // Inputs stay the caller's.
      for (const numbers of [...own, labels]) numbers.fill(0);
      await engine().step([1, 2, 3, 4].map(still));
      const [wanted, swapped, fewer, grafted] = (await states([1, 2, 3, 4])).map(bitsOf);
      expect([swapped, fewer, grafted]).toEqual([wanted, wanted, wanted]);
    });
  });
}
