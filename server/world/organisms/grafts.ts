/**
 * Chimeras: organisms with grafts, which are places whose cells read the genome of another creature
 * (rules GRA-1 … GRA-8). Each place has a label. Label 0 is the organism's own genome; each other
 * label names a grafted genome and who painted it.
 */
import type { Part, ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { defined } from '../../platform/collections.ts';
import { type Genomes, MAX_GENOMES } from '../../vnca/chimera.ts';
import type { GridPlanes } from '../grid-planes.ts';
import type { OrganismState } from '../room-state.ts';

type Grafts = NonNullable<OrganismState['grafts']>;
type Genome = Grafts['genomes'][number];

/** Maximum number of labels of an organism, besides its own. */
const MAX_LABELS = 8;
/** Maximum number of painters whose last stroke an organism remembers. */
const MAX_STROKES = 8;

/** The properties of an organism that decide which genomes its cells read. */
type Chimera = Pick<
  OrganismState,
  'id' | 'latent' | 'kind' | 'origin' | 'parents' | 'planter' | 'window' | 'closed' | 'grafts'
>;

/** Returns whether cells of an organism read different genomes. */
export const isChimera = ({ grafts }: Pick<Chimera, 'grafts'>): boolean =>
  grafts?.places.some((label) => label !== 0) ?? false;

/** Returns the genomes that an organism's cells read when it does not change, its own first. */
export function genomesOf({ latent, grafts }: Pick<Chimera, 'latent' | 'grafts'>): Genomes {
  if (!grafts || !isChimera({ grafts })) return { latents: [latent] };
  const { genomes, labels, places } = grafts;
  return {
    latents: [latent, ...genomes.map((genome) => genome.latent)],
    labels: places.map((label) => (label === 0 ? 0 : 1 + labels[label - 1].genome)),
  };
}

/**
 * Returns the parts of a chimera, its own genome first, then by size; undefined if all cells read
 * the same genome. Shares count the places that had a cell when the organism last rested.
 */
export function partsOf(organism: Chimera): Part[] | undefined {
  const { kind, origin, grafts } = organism;
  if (!grafts || !isChimera(organism)) return undefined;
  const { genomes, labels, places } = grafts;
  const counts = countLabels(grafts);
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  const painted = labels
    .map(({ genome, by }, i) => ({
      ...defined({ kind: genomes[genome].kind, origin: genomes[genome].origin, by }),
      share: counts[i + 1] / total,
      isUsed: places.includes(i + 1),
    }))
    .filter(({ isUsed }) => isUsed)
    .sort((a, b) => b.share - a.share)
    .map(({ isUsed: _, ...part }) => part);
  return [{ kind, origin, share: counts[0] / total }, ...painted];
}

/** Returns the genome with the most cells, [Z]. */
export function largestGenome({
  grafts,
  latent,
}: Pick<Chimera, 'grafts' | 'latent'>): Float32Array {
  if (!grafts || !isChimera({ grafts })) return latent;
  return [latent, ...grafts.genomes.map((one) => one.latent)][indexOfMost(countGenomes(grafts))];
}

/** Records which places of a resting organism have a cell. Closed places count, too. */
export function rememberBody({ id, window, grafts, closed }: Chimera, grid: GridPlanes): void {
  if (!grafts) return;
  grid.each(window, (place, cell) => {
    grafts.body[cell] = Number(grid.ownerAt(place) === id || (closed?.[cell] ?? 0) > 0);
  });
}

/** A stroke of the graft tool over one organism. */
export interface GraftStroke {
  /** [S, S] 1 for places that get the label. */
  readonly cover: Uint8Array;
  readonly genome: Pick<OrganismState, 'latent' | 'kind' | 'origin'>;
  readonly by: ParticipantView;
  /** Whether earlier messages of the same stroke have not hit the organism. */
  readonly isNew: boolean;
}

/**
 * Paints places of an organism with a genome. Its own genome removes grafts.
 *
 * @returns false if no place has changed
 */
export function paint(organism: Chimera, stroke: GraftStroke, grid: GridPlanes): boolean {
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
 * Restores the places that a painter's last stroke has replaced and nobody has painted since.
 *
 * @returns false if there is nothing to restore. Nothing has then changed
 */
export function takeBack(organism: Chimera, painter: ParticipantId): boolean {
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
 * Removes the grafts of some painters. Their places read the organism's own genome again.
 *
 * @returns false if there are none. Nothing has then changed
 */
export function removeGrafts(
  organism: Chimera,
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

/** Creates the grafts of a seed. Nobody counts as their painter. @param places [S, S] labels */
export const graftsOfSeed = (genomes: readonly Genome[], places: Uint8Array): Grafts => ({
  ...noGrafts(places.length),
  genomes: [...genomes],
  labels: genomes.map((_, genome) => ({ genome })),
  places,
  body: new Uint8Array(places.length).fill(1),
});

/** Whether two latents are equal, number by number. */
export const isSameLatent = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** Returns whether others than the planter have painted places that still have their label. */
function hasForeign({ grafts, planter }: Chimera): boolean {
  return (
    grafts?.places.some((label) => {
      const { by } = grafts.labels[label - 1] ?? {};
      return by !== undefined && by.id !== planter.id;
    }) ?? false
  );
}

/** Counts for each label the places that had a cell when the organism last rested. */
function countLabels({ labels, places, body }: Grafts): number[] {
  const counts = new Array<number>(labels.length + 1).fill(0);
  for (let cell = 0; cell < places.length; cell++) if (body[cell] === 1) counts[places[cell]]++;
  return counts;
}

/** Counts places for each genome, its own first. */
function countGenomes(grafts: Grafts): number[] {
  const [own, ...painted] = countLabels(grafts);
  const counts = [own, ...grafts.genomes.map(() => 0)];
  for (const [i, { genome }] of grafts.labels.entries()) counts[genome + 1] += painted[i];
  return counts;
}

/** Returns the index of the smallest or largest count; if equal, the first. */
const indexOfLeast = (counts: readonly number[]): number => counts.indexOf(Math.min(...counts));
const indexOfMost = (counts: readonly number[]): number => counts.indexOf(Math.max(...counts));

/** Changes labels, also in remembered strokes. */
function relabel(grafts: Grafts, change: (label: number) => number): void {
  grafts.places = grafts.places.map(change);
  for (const one of grafts.strokes) {
    one.replaced = one.replaced.map((before) => (before === 0 ? 0 : 1 + change(before - 1)));
  }
}

/**
 * Finds or adds the label of a genome and its painter. If there is no room for another genome or
 * label, that with the fewest cells gives way, and its places read the organism's own genome.
 */
function labelFor(
  organism: Chimera,
  grafts: Grafts,
  { latent, kind, origin }: GraftStroke['genome'],
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

/** Removes the genome with the fewest cells. The organism's own is kept unless its planter paints. */
function dropSmallest(organism: Chimera, grafts: Grafts, by: ParticipantId): void {
  const [own, ...counts] = countGenomes(grafts);
  const least = indexOfLeast(counts);
  if (by === organism.planter.id && !hasForeign(organism) && own < counts[least]) {
    makeLargestOwn(organism, grafts);
  } else removeGenome(organism, grafts, least);
}

/** Makes the grafted genome with the most cells the organism's own. The former own one is lost. */
function makeLargestOwn(organism: Chimera, grafts: Grafts): void {
  const largest = indexOfMost(countGenomes(grafts).slice(1));
  Object.assign(organism, { ...grafts.genomes[largest], parents: [] });
  removeGenome(organism, grafts, largest);
}

/** Removes a grafted genome. Its places read the organism's own. */
function removeGenome(organism: Chimera, grafts: Grafts, genome: number): void {
  relabel(grafts, (label) => (grafts.labels[label - 1]?.genome === genome ? 0 : label));
  compact(organism);
}

/** Forgets labels and genomes that no place and no remembered stroke uses. */
function compact(organism: Chimera): void {
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
