/** Tests that an engine survives the loss of what holds its states. */
import type { Engine, NewPatch, Readout } from '../../../server/engine/engine.ts';
import type { Genomes } from '../../../server/vnca/chimera.ts';
import { createRandom } from '../../../shared/random.ts';
import { LABELS } from './contract.ts';
import { bitsOf, CHANNELS, CONTRACT_MODELS, expectError, seed, seedOf, still } from './support.ts';

const GENOME = CONTRACT_MODELS.find(({ card }) => card.name === 'genome')!;

/** An engine whose states can be lost with what holds them: a thread, a GPU. */
export interface Mortal {
  readonly engine: Engine;
  lose(): void;
  /** Reported losses. */
  readonly heard: readonly string[];
}

const NAMES = ['tiny', 'chance', 'genome', 'calm'];
export const LOSS_MODELS = CONTRACT_MODELS.filter(({ card }) => NAMES.includes(card.name));

/**
 * @param create one that has loaded LOSS_MODELS
 * @param names of the models that are planted; of each, a driver that emulates a GPU compiles kernels for seconds
 */
export function describeLosses(
  name: string,
  create: () => Promise<Mortal>,
  names: readonly string[] = NAMES,
): void {
  const ids = [1, 2, 3, 4, 5, 6, 7];
  const latentOf = (patch: number): Float32Array => seedOf(GENOME, patch).latent;
  const sown: NewPatch[] = [
    ...ids.slice(0, 5).map((patch, i) => {
      return seedOf(LOSS_MODELS.find(({ card }) => card.name === names[i % names.length])!, patch);
    }),
    // A chimera from the beginning.
    {
      ...seedOf(GENOME, 7),
      genomes: { latents: [7, 8, 9, 10].map(latentOf), labels: LABELS.quarters },
    },
  ];

  /**
   * A hundred steps with wounds, divisions and sleepers.
   *
   * @param lose called when states are lost
   */
  const live = async (engine: Engine, lose: () => void): Promise<unknown> => {
    await engine.plant(sown);
    const told: Readout[][] = [];
    for (let k = 0; k < 100; k++) {
      if (k === 20) lose();
      const divide = k === 5 || k === 60;
      const keep = Uint8Array.from({ length: 16 }, (_, i) => i % 3);
      const closed = k > 10 && k < 55 ? { closed: keep.map((bit) => (bit === 1 ? 1 : 0)) } : {};
      const wounded = { patch: 1, divide, ...(k === 40 && { keep }), ...closed };
      // Grafted before the first loss, and given back long after states were copied.
      const express: Genomes | undefined =
        k === 15
          ? { latents: [3, 9].map(latentOf), labels: LABELS.halves }
          : k === 90
            ? { latents: [latentOf(3)] }
            : undefined;
      const expressing = { ...still(3), ...(express && { express }) };
      const chimera = { patch: 7, divide: k % 30 === 25 };
      const sleeper = k > 10 && k < 70 ? [] : [still(4)];
      told.push(await engine.step([wounded, still(2), expressing, chimera, ...sleeper]));
    }
    // Two calls are always pending, also when states are copied.
    let last = engine.step([still(1), still(2)]);
    for (let k = 0; k < 70; k++) {
      const next = engine.step([still(1), still(2)]);
      told.push(await last);
      last = next;
    }
    told.push(await last);
    // Calls made before the loss is noticed.
    lose();
    const waiting = [
      engine.step([still(1), still(2), still(3)]),
      engine.step([still(1), still(3)]),
    ];
    const others = [
      engine.dispose([3]),
      engine.importStates([{ patch: 5, state: createRandom(8).latent(16 * CHANNELS) }]),
      engine.plant([seed(6)]),
    ];
    told.push(...(await Promise.all(waiting)));
    await Promise.all(others);
    const living = [1, 2, 4, 5, 6, 7];
    told.push(await engine.step(living.map(still)));
    // A loss while no call is pending.
    lose();
    await expectError(engine.step([still(3)]), 'unknown-patch');
    told.push(await engine.step(living.map(still)));
    const states = (await engine.exportStates(living)).map(bitsOf);
    await engine.dispose(ids);
    return { told, states };
  };

  test(`${name}: after a loss, states and read-outs are the same bit for bit`, async () => {
    const { engine, lose, heard } = await create();
    try {
      const wanted = await live(engine, () => {});
      expect(heard).toEqual([]);
      expect(await live(engine, lose)).toEqual(wanted);
      expect(heard).toHaveLength(3);
    } finally {
      await engine.close();
    }
  });
}
