/**
 * Manages the genomes that an organism's cells read. A graft is a set of positions whose cells read
 * the genome of another creature (rules GRA-1 … GRA-8). Each position has a label. Label 0 stands
 * for the organism's own genome; any other label stands for a grafted genome and the participant
 * who painted it.
 */
import type { Part, ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { defined } from '../../platform/collections.ts';
import { type Genomes, MAX_GENOMES } from '../../vnca/chimera.ts';
import type { GridPlanes } from '../grid-planes.ts';
import type { OrganismState } from '../room-state.ts';

type Grafts = NonNullable<OrganismState['grafts']>;
type Genome = Grafts['genomes'][number];

/** Maximum number of labels of an organism, not counting label 0. */
const MAX_LABELS = 8;
/** Maximum number of participants whose last graft stroke an organism remembers. */
const MAX_STROKES = 8;

/** An organism whose genomes may change. */
export interface Changing extends Omit<OrganismState, 'phase'> {
  /** Whether the genomes must be sent to the engine with the next step. */
  mustExpress: boolean;
}

/** The properties that an organism gets from its seed. */
export type Seed = Pick<OrganismState, 'latent' | 'origin' | 'kind' | 'parents' | 'grafts'>;
/** The properties of a seed that determine how its organism looks. Do not modify them. */
export type Genotype = Pick<Seed, 'latent' | 'grafts'>;

/** Returns whether any cell of an organism reads a grafted genome. */
export const isChimera = ({ grafts }: Pick<Seed, 'grafts'>): boolean =>
  grafts?.places.some((label) => label !== 0) ?? false;

/** Returns the genomes that the cells of a resting organism read, its own genome first. */
export function genomesOf({ latent, grafts }: Genotype): Genomes {
  if (!grafts || !isChimera({ grafts })) return { latents: [latent] };
  const { genomes, labels, places } = grafts;
  return {
    latents: [latent, ...genomes.map((genome) => genome.latent)],
    labels: places.map((label) => (label === 0 ? 0 : 1 + labels[label - 1].genome)),
  };
}

/**
 * Returns the parts of a chimera: its own genome first, then the grafted genomes, largest first;
 * undefined if all cells read the organism's own genome. Shares count only positions that had a
 * cell when the organism last rested.
 */
export function partsOf(organism: Seed): Part[] | undefined {
  const { kind, origin, grafts } = organism;
  if (!grafts || !isChimera(organism)) return undefined;
  const { genomes, labels, places } = grafts;
  const counts = countLabels(grafts);
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  const painted = labels.flatMap(({ genome, by }, i) => {
    if (!places.includes(i + 1)) return [];
    const { kind, origin } = genomes[genome];
    return [defined({ kind, origin, by, share: counts[i + 1] / total })];
  });
  painted.sort((a, b) => b.share - a.share);
  return [{ kind, origin, share: counts[0] / total }, ...painted];
}

/** Returns the genome that the most cells read, [Z]. */
export function largestGenome({ grafts, latent }: Genotype): Float32Array {
  if (!grafts || !isChimera({ grafts })) return latent;
  return [latent, ...grafts.genomes.map((one) => one.latent)][indexOfMost(countGenomes(grafts))];
}

/** Records which positions of an organism have a cell or are closed by a wound. */
export function rememberBody({ id, window, grafts, closed }: Changing, grid: GridPlanes): void {
  if (!grafts) return;
  grid.each(window, (place, cell) => {
    grafts.body[cell] = Number(grid.ownerAt(place) === id || (closed?.[cell] ?? 0) > 0);
  });
}

/** A stroke of the graft tool over one organism. */
interface GraftStroke {
  /** [S, S] 1 for each position that the stroke paints, otherwise 0. */
  readonly cover: Uint8Array;
  readonly genome: Genome;
  readonly by: ParticipantView;
  /** Whether this is the stroke's first message that hits the organism. */
  readonly isNew: boolean;
}

/**
 * Paints positions of an organism with a genome. Painting with the organism's own genome removes
 * grafts.
 *
 * @returns false if no position has changed
 */
export function paint(organism: Changing, stroke: GraftStroke, grid: GridPlanes): boolean {
  const { genome, by, isNew, cover } = stroke;
  if (!organism.grafts) {
    organism.grafts = noGrafts(cover.length);
    rememberBody(organism, grid);
  }
  const { grafts } = organism;
  const label = labelFor(organism, grafts, genome, by);
  if (!cover.some((is, cell) => is === 1 && grafts.places[cell] !== label)) {
    compact(organism);
    return false;
  }
  let last = grafts.strokes.find(({ painter }) => painter === by.id);
  if (!last || isNew) {
    last = { painter: by.id, replaced: new Uint8Array(cover.length) };
    const others = grafts.strokes.filter(({ painter }) => painter !== by.id);
    grafts.strokes = [...others, last].slice(-MAX_STROKES);
  }
  for (let cell = 0; cell < cover.length; cell++) {
    const before = grafts.places[cell];
    if (cover[cell] === 0 || before === label) continue;
    for (const one of grafts.strokes) if (one !== last) one.replaced[cell] = 0;
    if (last.replaced[cell] === 0) last.replaced[cell] = before + 1;
    grafts.places[cell] = label;
  }
  const isTakenOver =
    by.id === organism.planter.id && !hasForeign(organism) && countLabels(grafts)[0] === 0;
  if (isTakenOver) makeLargestOwn(organism, grafts);
  compact(organism);
  return true;
}

/**
 * Takes back a painter's last stroke on an organism, except at positions that somebody has painted
 * since.
 *
 * @returns false, without any change, if there is nothing to take back
 */
export function takeBack(organism: Changing, painter: ParticipantId): boolean {
  const { grafts } = organism;
  const last = grafts?.strokes.find((stroke) => stroke.painter === painter);
  if (!grafts || !last?.replaced.some((before) => before > 0)) return false;
  grafts.strokes = grafts.strokes.filter((stroke) => stroke !== last);
  last.replaced.forEach((before, cell) => {
    if (before > 0) grafts.places[cell] = before - 1;
  });
  compact(organism);
  return true;
}

/**
 * Removes all grafts of some painters from an organism. The positions then read the organism's own
 * genome.
 *
 * @param isRemoved returns whether a painter's grafts are removed
 * @returns false, without any change, if these painters have no grafts on the organism
 */
export function removeGrafts(
  organism: Changing,
  isRemoved: (painter: ParticipantId) => boolean,
): boolean {
  const { grafts } = organism;
  if (!grafts) return false;
  const isGone = grafts.labels.map(({ by }) => by !== undefined && isRemoved(by.id));
  if (!grafts.places.some((label) => isGone[label - 1])) return false;
  relabel(grafts, (label) => (isGone[label - 1] ? 0 : label));
  grafts.strokes = grafts.strokes.filter(({ painter }) => !isRemoved(painter));
  compact(organism);
  return true;
}

const noGrafts = (size: number): Grafts => ({
  genomes: [],
  labels: [],
  places: new Uint8Array(size),
  body: new Uint8Array(size),
  strokes: [],
});

/**
 * Creates the grafts of an organism whose seed is a chimera. These grafts have no painter.
 *
 * @param places [S, S] label of each position
 */
export const graftsOfSeed = (genomes: readonly Genome[], places: Uint8Array): Grafts => ({
  ...noGrafts(places.length),
  genomes: [...genomes],
  labels: genomes.map((_, genome) => ({ genome })),
  places,
  body: new Uint8Array(places.length).fill(1),
});

export const isSameLatent = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** Returns whether any position is painted by somebody other than the planter. */
function hasForeign({ grafts, planter }: Changing): boolean {
  return (
    grafts?.places.some((label) => {
      const { by } = grafts.labels[label - 1] ?? {};
      return by !== undefined && by.id !== planter.id;
    }) ?? false
  );
}

/** Counts, for each label, the positions that had a cell when the organism last rested. */
function countLabels({ labels, places, body }: Grafts): number[] {
  const counts = new Array<number>(labels.length + 1).fill(0);
  for (let cell = 0; cell < places.length; cell++) if (body[cell] === 1) counts[places[cell]]++;
  return counts;
}

/**
 * Counts, for each genome, the positions that had a cell when the organism last rested. The
 * organism's own genome comes first.
 */
function countGenomes(grafts: Grafts): number[] {
  const [own, ...painted] = countLabels(grafts);
  const counts = [own, ...grafts.genomes.map(() => 0)];
  for (const [i, { genome }] of grafts.labels.entries()) counts[genome + 1] += painted[i];
  return counts;
}

const indexOfLeast = (counts: readonly number[]): number => counts.indexOf(Math.min(...counts));
const indexOfMost = (counts: readonly number[]): number => counts.indexOf(Math.max(...counts));

/**
 * Replaces labels at all positions and in all remembered strokes of an organism.
 *
 * @param change returns the new label for an old one
 */
function relabel(grafts: Grafts, change: (label: number) => number): void {
  grafts.places = grafts.places.map(change);
  for (const one of grafts.strokes) {
    one.replaced = one.replaced.map((before) => (before === 0 ? 0 : 1 + change(before - 1)));
  }
}

/**
 * Returns the label of a genome and its painter. Adds the genome and the label if they are new. If
 * there is no space for another genome or label, first removes the one with the fewest cells.
 */
function labelFor(
  organism: Changing,
  grafts: Grafts,
  { latent, kind, origin }: Genome,
  by: ParticipantView,
): number {
  if (isSameLatent(latent, organism.latent)) return 0;
  const isIt = (one: Genome): boolean => isSameLatent(one.latent, latent);
  if (!grafts.genomes.some(isIt)) {
    if (grafts.genomes.length === MAX_GENOMES - 1) dropSmallest(organism, grafts, by.id);
    grafts.genomes = [...grafts.genomes, { latent, kind, origin }];
  }
  const genome = grafts.genomes.findIndex(isIt);
  const known = grafts.labels.findIndex((one) => one.genome === genome && one.by?.id === by.id);
  if (known >= 0) return known + 1;
  const { id, name, hue } = by;
  const label = { genome, by: { id, name, hue } };
  if (grafts.labels.length < MAX_LABELS) return grafts.labels.push(label);
  const least = 1 + indexOfLeast(countLabels(grafts).slice(1));
  relabel(grafts, (one) => (one === least ? 0 : one));
  grafts.labels[least - 1] = label;
  return least;
}

/**
 * Removes the genome with the fewest cells. The organism's own genome can be removed only if `by`
 * is the planter and nobody else has painted the organism.
 */
function dropSmallest(organism: Changing, grafts: Grafts, by: ParticipantId): void {
  const [own, ...counts] = countGenomes(grafts);
  const least = indexOfLeast(counts);
  if (by === organism.planter.id && !hasForeign(organism) && own < counts[least]) {
    makeLargestOwn(organism, grafts);
  } else removeGenome(organism, grafts, least);
}

/**
 * Replaces the organism's own genome with the grafted genome that the most cells read. The former
 * own genome is lost.
 */
function makeLargestOwn(organism: Changing, grafts: Grafts): void {
  const largest = indexOfMost(countGenomes(grafts).slice(1));
  Object.assign(organism, { ...grafts.genomes[largest], parents: [] });
  removeGenome(organism, grafts, largest);
}

/** Removes a grafted genome. Its positions then read the organism's own genome. */
function removeGenome(organism: Changing, grafts: Grafts, genome: number): void {
  relabel(grafts, (label) => (grafts.labels[label - 1]?.genome === genome ? 0 : label));
  compact(organism);
}

/** Removes the labels and genomes that no position and no remembered stroke uses. */
function compact(organism: Changing): void {
  const { grafts } = organism;
  if (!grafts) return;
  const used = new Set(grafts.places);
  for (const { replaced } of grafts.strokes) for (const one of replaced) used.add(one - 1);
  const labels = grafts.labels.filter((_, i) => used.has(i + 1));
  const genomes = grafts.genomes.filter((_, i) => labels.some(({ genome }) => genome === i));
  const newLabel = grafts.labels.map((one) => labels.indexOf(one) + 1);
  relabel(grafts, (label) => (label === 0 ? 0 : newLabel[label - 1]));
  grafts.labels = labels.map(({ genome, by }) =>
    defined({ genome: genomes.indexOf(grafts.genomes[genome]), by }),
  );
  grafts.genomes = genomes;
  if (!isChimera(organism) && grafts.strokes.length === 0) organism.grafts = undefined;
}
