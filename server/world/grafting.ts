/** Strokes of the graft tool, and taking grafts back (rules GRA-1 … GRA-8). */
import { coverage, type Stroke } from '../../shared/geometry.ts';
import { BUILT_IN_NAMES } from '../../shared/names.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { HOUSE, type ParticipantView } from '../../shared/vocabulary.ts';
import { defined } from '../platform/collections.ts';
import type { Answer, Outcome, RoomCommand } from './commands.ts';
import { createLatent } from './create-latent.ts';
import type { RoomTime } from './departures.ts';
import { paint, removeGrafts, takeBack } from './organisms/grafts.ts';
import type { Organism } from './organisms/organism.ts';
import type { RoomContents } from './room-contents.ts';
import { requireStandingInput } from './species.ts';
import { checkStroke, ownersNear } from './strokes.ts';

/**
 * Grafts the genome of a seed onto the organisms under a stroke, and charges the sender.
 *
 * @throws Refusal not-here, bad-point, stroke-too-long, no-energy, errors of `createLatent`; and if
 *   the stroke hits organisms, but none that can be grafted: not-yours, protected, not-grown,
 *   no-such-organism. Nothing has then changed
 */
export function graft(
  { by, points, radius, seed, others }: RoomCommand<'graft'>,
  room: RoomContents,
  time: RoomTime,
): Pick<Answer, 'spared' | 'continued'> {
  const { species, grid, energy, wounding, lifecycle, graftStrokes } = room;
  requireStandingInput(species);
  const stroke = { points, radius };
  checkStroke(stroke, grid);
  const begun = graftStrokes.beginOf(by.id, stroke);
  const isContinued = begun !== undefined;
  energy.requireStroke(by.id, stroke, time.tick, isContinued);
  // A throw without a number would give each message of a stroke another genome.
  if (seed.from === 'prior') throw new Refusal('no-such-seed', 'not thrown yet');
  const genome = createLatent(seed, by.id, room);
  const maker = isContinued ? by.id : undefined;
  const isOthers = ({ planter }: Organism): boolean => planter.id !== by.id && !isBuiltIn(planter);
  const hits = hitsOf(stroke, room);
  const refusals = hits.map(({ organism }) => {
    if (organism.phase === 'departing') return 'no-such-organism';
    if (organism.phase === 'growing') return 'not-grown';
    if (!isOthers(organism)) return undefined;
    if (!others) return 'not-yours';
    return wounding.protects(organism, maker, time) ? 'protected' : undefined;
  });
  const allowed = hits.filter((_, i) => !refusals[i]);
  if (allowed.length === 0 && hits.length > 0) {
    const [reason] = ORDER.filter((one) => refusals.includes(one));
    throw new Refusal(reason);
  }
  const woken = wounding.wokenBy(allowed.map(({ organism }) => organism));
  energy.spendStroke(by.id, stroke, time.tick, { woken, isContinued });
  const began = begun ?? time.tick;
  graftStrokes.remember(by.id, stroke, began);
  for (const { organism, cover } of allowed) {
    const change = (): boolean => paint(organism, { cover, genome, by, began }, grid);
    const { kind } = genome;
    const isNew = lifecycle.graft(organism, change, { id: by.id, kind, tick: time.tick });
    if (isNew && isOthers(organism)) wounding.touch(organism, by.id, time);
  }
  const spared = refusals.filter((one) => one === 'protected').length;
  return defined({ spared: spared || undefined, continued: isContinued || undefined });
}

/** Returns whether a planter is the host, the gardener or OSC. */
const isBuiltIn = ({ id, name }: ParticipantView): boolean =>
  id === HOUSE.id || BUILT_IN_NAMES.includes(name);

/** Reasons for refusing a stroke, most important first. */
const ORDER = ['not-yours', 'protected', 'not-grown', 'no-such-organism'] as const;

/**
 * Finds the organisms that own a place under a stroke, each with all places of its window that are
 * under the stroke and that no other organism owns.
 */
function hitsOf(stroke: Stroke, { grid, lifecycle }: RoomContents) {
  return ownersNear(stroke, grid).flatMap((id) => {
    const organism = lifecycle.find(id)!;
    const cover = coverage(stroke, organism.window);
    if (!cover) return [];
    let isHit = false;
    grid.each(organism.window, (place, cell) => {
      if (cover[cell] === 0) return;
      const owner = grid.ownerAt(place);
      if (owner === id) isHit = true;
      else if (owner !== 0) cover[cell] = 0;
    });
    return isHit ? [{ organism, cover }] : [];
  });
}

/**
 * Takes back the sender's last stroke on an organism, or all grafts of others on the sender's own
 * organism.
 *
 * @throws Refusal no-such-organism, not-yours, no-graft
 */
export function ungraft(
  { by, organism: id, foreign }: RoomCommand<'ungraft'>,
  { lifecycle }: RoomContents,
  { tick }: RoomTime,
): Outcome {
  const organism = lifecycle.require(id);
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

/** Removes all grafts of a participant. @returns the number of organisms that had any */
export function removeGraftsOf(
  { by, painter }: RoomCommand<'removeGrafts'>,
  { lifecycle }: RoomContents,
  { tick }: RoomTime,
): Pick<Answer, 'removed'> {
  let removed = 0;
  for (const organism of [...lifecycle.all]) {
    if (organism.phase === 'departing') continue;
    const change = (): boolean => removeGrafts(organism, (one) => one === painter);
    if (lifecycle.graft(organism, change, { id: by.id, tick })) removed++;
  }
  return { removed };
}
