/** Strokes of the graft tool, and taking grafts back (rules GRA-1 … GRA-8). */
import { BUILT_IN_NAMES } from '../../shared/names.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { HOUSE, type ParticipantView } from '../../shared/vocabulary.ts';
import type { Answer, Outcome, RoomCommand } from './commands.ts';
import { createLatent } from './create-latent.ts';
import type { RoomTime } from './departures.ts';
import { paint, removeGrafts, takeBack } from './organisms/grafts.ts';
import type { Organism } from './organisms/organism.ts';
import type { RoomContents } from './room-contents.ts';
import { requireStandingInput } from './species.ts';

/**
 * Grafts the genome of a seed onto the organisms under a stroke, and charges the sender.
 *
 * @throws Refusal not-here, errors of `createLatent`, errors of `Strokes.apply`. Nothing has then
 *   changed
 */
export function graft(
  command: RoomCommand<'graft'>,
  room: RoomContents,
  time: RoomTime,
): Pick<Answer, 'spared' | 'continued'> {
  const { by, seed, others } = command;
  const { species, grid, energy, strokes, lifecycle } = room;
  requireStandingInput(species);
  // A throw without a number would give each message of a stroke another genome.
  if (seed.from === 'prior') throw new Refusal('no-such-seed', 'not thrown yet');
  const genome = createLatent(seed, by.id, room);
  const isOthers = ({ planter }: Organism): boolean => planter.id !== by.id && !isBuiltIn(planter);
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

/** Returns whether a planter is the host, the gardener or OSC. */
const isBuiltIn = ({ id, name }: ParticipantView): boolean =>
  id === HOUSE.id || BUILT_IN_NAMES.includes(name);

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
