/** Figures of grown organisms: how they stay, rest and heal, and whom they look like. */
import { createRandom } from '../../../shared/random.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { evenly, rowsOf } from '../run-state.ts';
import type { Images } from './bounds.ts';
import { workOf } from './evaluation-batch.ts';
import { areRetrieved, type Tools } from './image-figures.ts';
import type { Options } from './options.ts';
import {
  allButADisc,
  everything,
  type Grown,
  HEALING_STEPS,
  half,
  measureCycles,
  measureRecovery,
  measureRobustness,
  measureStay,
  ofShare,
  RADII,
  REST,
  type Recovery,
  type RecoveryOptions,
  type Robustness,
  type Stay,
} from './persistence.ts';
import { differences, mean, picturesOf } from './picture.ts';

const ROBUST_EACH = 16;
const ROBUST_STEPS = 100;

/** Figures of organisms, and the organisms. */
export interface OrganismFigures {
  readonly grown: Grown;
  readonly figures: {
    readonly stay: Stay;
    /** By share of the patch. */
    readonly heal: Record<string, Recovery>;
    readonly closing: Recovery;
    readonly healFromRim: Record<string, Recovery>;
    readonly discLeft: Recovery;
    readonly erased: Recovery;
    readonly retrieval: {
      readonly organisms: number;
      readonly grown: number | null;
      /** Of `heal` by share of the patch; of `closing` and `erased`. */
      readonly healed: Record<string, number | null>;
    };
    readonly cycles: number | null;
    /** Mean squared difference of grown organisms and their own images. */
    readonly mse: number | null;
    readonly robustness: Robustness;
  };
}

/**
 * Grows organisms of the gallery, ages and damages them.
 *
 * @param images of the gallery's entries; undefined: none are known
 */
export async function measureOrganisms(
  model: Model,
  images: Images | undefined,
  { organisms, steps, wounds }: Pick<Options, 'organisms' | 'steps' | 'wounds'>,
  { batch, measure, random, notes }: Tools,
): Promise<OrganismFigures> {
  const { card } = model;
  const cells = card.side ** 2;
  const { latents, chosen } = chooseLatents(model, organisms, notes);
  const count = latents.length / card.latentSize;
  const states = await measure('growing', workOf(count, batch.growthWork), () =>
    batch.grow(latents),
  );
  const grown: Grown = { latents, states, count };
  const last = steps[steps.length - 1];
  const stay = await measure('staying', workOf(count, cells * last), () =>
    measureStay(batch, grown, steps),
  );
  const cycles = await measure('resting', workOf(count, cells * REST[1]), () =>
    measureCycles(batch, grown),
  );

  const size = batch.patchSize;
  /** Share of organisms that look most like their own image; null: not known. */
  const retrieved = (found: readonly boolean[]): number | null =>
    images && chosen ? found.filter(Boolean).length / count : null;
  const retrieve = (of: Float32Array, first: number): boolean[] => {
    if (!images || !chosen) return [];
    const own = chosen.slice(first, first + of.length / size);
    return areRetrieved(picturesOf(card, of), own, images.pixels, images.count);
  };
  const ownImages =
    images && chosen && rowsOf(images.pixels, chosen, images.pixels.length / images.count);
  const healed: Record<string, number | null> = {};
  const recover = async (
    what: string,
    { seed, ...options }: Omit<RecoveryOptions, 'random' | 'onHealed'> & { readonly seed: string },
    key?: string,
  ): Promise<Recovery> => {
    const found: boolean[] = [];
    const onHealed = (seen: Float32Array, first: number): void => {
      if (key !== undefined) found.push(...retrieve(seen, first));
    };
    const work = workOf(count, cells * HEALING_STEPS[HEALING_STEPS.length - 1]);
    const recovery = await measure(what, work, () =>
      measureRecovery(batch, grown, { ...options, random: random(`wound ${seed}`), onHealed }),
    );
    if (key !== undefined) healed[key] = retrieved(found);
    return recovery;
  };
  if (chosen && !images) {
    notes.push('no retrieval and no error of the gallery: the images are not those of the gallery');
  }
  const heal: Record<string, Recovery> = {};
  const healFromRim: Record<string, Recovery> = {};
  for (const share of wounds) {
    // Both ways to heal are measured on the same wounds.
    const same = { wound: ofShare(share), seed: `${share}` };
    heal[share] = await recover(`healing ${share}`, same, `${share}`);
    healFromRim[share] = await recover(`closing ${share}`, {
      ...same,
      closing: card.closing ?? 1,
    });
  }
  const halves = { wound: half, seed: 'half', closing: 1 };
  const closing = await recover('closing halves', halves, 'closing');
  const disc = { wound: allButADisc, seed: 'disc', closing: 1 };
  const discLeft = await recover('a disc left', disc);
  const all = { wound: everything, seed: 'everything' };
  const erased = await recover('nothing left', all, 'erased');

  const far = workOf(ROBUST_EACH, RADII.length * (batch.growthWork + cells * ROBUST_STEPS));
  const robustness = await measure('far latents', far, () =>
    measureRobustness(batch, random('far'), ROBUST_EACH, ROBUST_STEPS),
  );
  return {
    grown,
    figures: {
      stay,
      heal,
      closing,
      healFromRim,
      discLeft,
      erased,
      retrieval: { organisms: count, grown: retrieved(retrieve(states, 0)), healed },
      cycles,
      mse: ownImages ? mean(differences(picturesOf(card, states), ownImages, count)) : null,
      robustness,
    },
  };
}

/** Of a model that has none. */
export const NO_ORGANISMS: OrganismFigures = {
  grown: { latents: new Float32Array(0), states: new Float32Array(0), count: 0 },
  figures: {
    ...{ stay: {}, heal: {}, closing: {}, healFromRim: {}, discLeft: {}, erased: {} },
    ...{
      retrieval: { organisms: 0, grown: null, healed: {} },
      cycles: null,
      mse: null,
      robustness: {},
    },
  },
};

/** Evenly chosen latents of the gallery; without a gallery, samples of the prior. */
function chooseLatents(
  { card, tensors }: Model,
  wanted: number,
  notes: string[],
): { readonly latents: Float32Array; readonly chosen?: readonly number[] } {
  const z = card.latentSize;
  const { data } = tensors.get('gallery.latents')!;
  const all = card.gallery.length;
  if (all === 0) {
    notes.push(
      'the gallery is empty: organisms are samples of the prior, without images of their own',
    );
    return { latents: createRandom(1).latent((wanted || 64) * z) };
  }
  const count = wanted === 0 ? all : Math.min(wanted, all);
  if (count < all) notes.push(`staying and healing of ${count} of ${all} organisms of the gallery`);
  const chosen = evenly(all, count);
  return { latents: rowsOf(data, chosen, z), chosen };
}
