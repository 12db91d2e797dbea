/**
 * Creates latents to plant, for example from the gallery, a random draw, the latent map or a token.
 */
import type { PreviewSource } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Random } from '../../shared/random.ts';
import { encodeSeed, type TokenGenome } from '../../shared/seed-token.ts';
import type { Origin, ParticipantId } from '../../shared/vocabulary.ts';
import { distance } from '../vnca/gallery.ts';
import { bounded, isWithin, type LatentBounds } from '../vnca/genome.ts';
import type { PlantedSeed, RoomCommand } from './commands.ts';
import { sampleLatent, thrownLatent } from './dice.ts';
import {
  type Genotype,
  genomesOf,
  graftsOfSeed,
  largestGenome,
  type Seed,
} from './organisms/grafts.ts';
import type { RoomContents } from './room-contents.ts';
import { latentOnMap, type Species, seedOfToken } from './species.ts';

type Sources = Pick<RoomContents, 'species' | 'inventory' | 'rules' | 'random'>;

/**
 * Finds or creates the latent of a seed, with its origin, kind and parents.
 *
 * @param participant participant who holds the seed, if the source is a held seed
 * @param sources.random draws the latent of a random seed (`prior`). A random seed with a dice
 *   number (`throw`) already determines its latent, so the caller must first convert this seed with
 *   `resolvedSeed`
 * @throws Refusal 'no-such-seed', 'bad-latent', 'bad-token'
 */
export function createLatent(
  seed: PlantedSeed,
  participant: ParticipantId,
  { species, inventory, rules, random }: Sources,
): Seed {
  switch (seed.from) {
    case 'gallery': {
      const entry = species.gallery[seed.index];
      if (!entry) throw new Refusal('no-such-seed', `gallery index ${seed.index}`);
      return { latent: entry.latent, origin: 'gallery', kind: entry.name, parents: [] };
    }
    case 'prior': {
      const normals = random.latent(species.latentSize);
      return nameless(sampleLatent(species, rules.sampler, normals), 'prior');
    }
    case 'map': {
      const latent = latentOnMap(species, seed);
      if (!latent) throw new Refusal('no-such-seed', 'the checkpoint has no map');
      return nameless(latent, 'map');
    }
    case 'latent':
    case 'spot':
    case 'thrown':
      return nameless(checkedLatent(seed.latent, species), ORIGINS[seed.from]);
    case 'heir': {
      const { origin, kind, parents } = seed;
      return { latent: checkedLatent(seed.latent, species), origin, kind, parents };
    }
    case 'token': {
      const decoded = seedOfToken(seed.token, species);
      const genomeOf = ({ kind, latent, origin = 'keepsake' }: TokenGenome) => {
        if (!isInRange(latent)) throw new Refusal('bad-token');
        return { latent, origin, kind: species.gallery[kind ?? -1]?.name ?? '' };
      };
      const { grafts } = decoded;
      return {
        ...{ ...genomeOf(decoded), parents: [] },
        ...(grafts && { grafts: graftsOfSeed(grafts.genomes.map(genomeOf), grafts.places) }),
      };
    }
    case 'hand': {
      const held = inventory.find(participant, seed.seed);
      if (!held) throw new Refusal('no-such-seed', `seed ${seed.seed}`);
      return { latent: held.latent, origin: held.origin, kind: '', parents: held.parents };
    }
  }
}

/**
 * Maximum absolute value of each number of a latent, also in a replay. New commands have narrower
 * limits: see `requireWithin`.
 */
const MAX_VALUE = 4_096;

function nameless(latent: Float32Array, origin: Origin): Seed {
  return { latent, origin, kind: '', parents: [] };
}

const ORIGINS = { latent: 'latent', spot: 'map', thrown: 'prior' } as const;

const isInRange = (latent: Float32Array): boolean =>
  latent.every((value) => Math.abs(value) <= MAX_VALUE);

/**
 * Converts numbers to a latent, [Z].
 *
 * @throws Refusal 'bad-latent' if there are not Z numbers or one of them is out of range
 */
export function checkedLatent(
  numbers: readonly number[],
  { latentSize }: Pick<Species, 'latentSize'>,
): Float32Array {
  const latent = Float32Array.from(numbers);
  if (latent.length !== latentSize || !isInRange(latent)) {
    throw new Refusal('bad-latent', `length ${latent.length}`);
  }
  return latent;
}

/**
 * Checks that a latent is within bounds. Not called when commands are replayed, because a replay
 * must plant the same organisms as before.
 *
 * @throws Refusal 'bad-latent'; its message contains the latent's Euclidean length and the limits
 */
export function requireWithin(latent: Float32Array, bounds: LatentBounds): void {
  if (isWithin(latent, bounds)) return;
  const length = Math.hypot(...latent).toFixed(1);
  const { norm, value } = bounds;
  const text = `the numbers of the seed (its latent) are too large: allowed are a Euclidean length of at most ${norm.toFixed(1)} (it is ${length}) and absolute values of at most ${value.toFixed(1)}`;
  throw new Refusal('bad-latent', text);
}

/**
 * Crosses two latents: interpolates their directions spherically and their lengths linearly
 * (Shoemake 1985; for latent spaces White 2016, arXiv 1609.04468). A plain average would be shorter
 * than both parents.
 *
 * @param a [Z]
 * @param b [Z]
 * @param mix share of b, 0…1
 * @returns [Z]; equals a if `mix` is 0, and b if it is 1
 */
export function crossLatents(a: Float32Array, b: Float32Array, mix: number): Float32Array {
  const lengthA = Math.hypot(...a);
  const lengthB = Math.hypot(...b);
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += a[i] * b[i];
  const cosine = dot / (lengthA * lengthB);
  const angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
  // The formula for the arc divides by almost zero if the latents are nearly parallel, opposite or
  // of zero length. Interpolate such latents linearly.
  if (!(Math.sin(angle) > 1e-4)) return a.map((value, i) => (1 - mix) * value + mix * b[i]);
  const shareA = Math.sin((1 - mix) * angle) / Math.sin(angle) / lengthA;
  const shareB = Math.sin(mix * angle) / Math.sin(angle) / lengthB;
  const length = (1 - mix) * lengthA + mix * lengthB;
  return a.map((value, i) => length * (shareA * value + shareB * b[i]));
}

/**
 * Turns a latent towards a random direction without changing its length.
 *
 * @param latent [Z]
 * @param strength 0…1: 0 changes nothing, and 1 turns the latent half-way to the random direction
 * @returns [Z]
 */
export function mutate(latent: Float32Array, strength: number, random: Random): Float32Array {
  const noise = random.latent(latent.length);
  const scale = Math.hypot(...latent) / Math.hypot(...noise);
  return crossLatents(
    latent,
    noise.map((value) => value * scale),
    strength / 2,
  );
}

/**
 * Returns the genotype that planting a seed now would give. Changes nothing and draws no random
 * numbers.
 *
 * @param participant participant who holds the seed, if the source is a held seed
 * @throws Refusal 'no-such-seed' (including for a random seed without a dice number, `throw`, whose
 *   latent is not determined yet), 'no-such-organism', 'bad-latent', 'bad-token'
 */
export function previewSeed(
  seed: PreviewSource,
  participant: ParticipantId,
  room: RoomContents,
): Genotype {
  const found = genotypeOf(seed, participant, room);
  requireWithin(found.latent, room.species.latentBounds);
  return found;
}

/**
 * A seed counts as a gallery creature if their latents are closer than this share of the length of
 * the creature's latent.
 */
const SAMENESS = 0.2;

/**
 * Returns the gallery indices of the creatures that a seed grows into: one, several for a chimera,
 * or none. Returns none for a seed whose source is not `gallery`, `token`, `hand` or `latent`.
 *
 * @throws Refusal 'no-such-seed', 'bad-latent', 'bad-token'
 */
export function galleryCreatures(
  seed: PreviewSource | PlantedSeed,
  participant: ParticipantId,
  room: RoomContents,
): number[] {
  if (seed.from === 'gallery') return [seed.index];
  if (seed.from !== 'token' && seed.from !== 'hand' && seed.from !== 'latent') return [];
  const { gallery } = room.species;
  const { latents } = genomesOf(createLatent(seed, participant, room));
  return latents.flatMap((latent) => {
    const distances = gallery.map((entry) => distance(entry.latent, latent));
    const nearest = distances.indexOf(Math.min(...distances));
    if (nearest < 0) return [];
    const least = SAMENESS * Math.hypot(...gallery[nearest].latent);
    return distances[nearest] < least ? [nearest] : [];
  });
}

function genotypeOf(seed: PreviewSource, participant: ParticipantId, room: RoomContents): Genotype {
  if (seed.from === 'organism') return room.population.require(seed.organism);
  if (seed.from === 'cross') return { latent: crossOf(seed, room) };
  if (seed.from === 'prior') {
    if (seed.throw === undefined) throw new Refusal('no-such-seed', 'not thrown yet');
    return { latent: thrownLatent(room.species, seed.throw) };
  }
  return createLatent(resolvedSeed(seed, participant, room), participant, room);
}

/**
 * Returns the cross of two living organisms, without mutation. For a chimera, uses the genome that
 * the most cells read.
 *
 * @throws Refusal 'no-such-organism'
 */
export function crossOf(
  { a, b, mix }: Pick<RoomCommand<'cross'>, 'a' | 'b' | 'mix'>,
  { population }: Pick<RoomContents, 'population'>,
): Float32Array {
  const [one, other] = [a, b].map((id) => largestGenome(population.require(id)));
  return crossLatents(one, other, mix);
}

/**
 * Converts a seed to the form that the journal stores. Points of the latent map, and random seeds
 * with a dice number (`throw`), become latents, because the map or the sampler may change later.
 * Latents of tokens are scaled down to the checkpoint's bounds; all other latents outside the
 * bounds are refused.
 *
 * @throws Refusal 'no-such-seed' if there is no map; 'bad-latent', 'bad-token'
 */
export function resolvedSeed(
  seed: PlantedSeed,
  planter: ParticipantId,
  sources: Sources,
): PlantedSeed {
  const { species, inventory } = sources;
  const { latentBounds } = species;
  switch (seed.from) {
    case 'map':
      return { from: 'spot', latent: [...createLatent(seed, planter, sources).latent] };
    case 'prior':
      if (seed.throw === undefined) return seed;
      return { from: 'thrown', latent: [...thrownLatent(species, seed.throw)] };
    case 'latent':
      requireWithin(checkedLatent(seed.latent, species), latentBounds);
      return seed;
    case 'hand': {
      const held = inventory.find(planter, seed.seed);
      if (held) requireWithin(held.latent, latentBounds);
      return seed;
    }
    case 'token': {
      const planted = seedOfToken(seed.token, species);
      const { grafts } = planted;
      const all = [planted, ...(grafts?.genomes ?? [])];
      if (!all.every(({ latent }) => isInRange(latent))) return seed;
      const shortened = all.map((one) => ({ ...one, latent: bounded(one.latent, latentBounds) }));
      if (shortened.every(({ latent }, i) => latent === all[i].latent)) return seed;
      const [own, ...genomes] = shortened;
      const within = { ...own, grafts: grafts && { ...grafts, genomes } };
      return { from: 'token', token: encodeSeed(within, species) };
    }
    default:
      return seed;
  }
}
