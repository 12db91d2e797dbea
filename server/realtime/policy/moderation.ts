/**
 * Manages visitors' reports of organisms in a room. Defines the stored records of mutes, drawings
 * and reports.
 */
import * as v from 'valibot';
import { count, finite, id } from '../../../shared/common-schemas.ts';
import { REASONS, Refusal } from '../../../shared/protocol/reasons.ts';
import {
  type LifeEvent,
  type OrganismId,
  type OrganismView,
  origin,
  type ParticipantId,
  part,
  participantView,
  planter,
} from '../../../shared/vocabulary.ts';
import type { Room } from '../../world/room.ts';

const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
/** A time by the wall clock, in ms since the epoch. */
const at = finite;

/** Schemas of the items in a room's moderation lists. */
export const MODERATION = {
  mutes: v.strictObject({ id }),
  /**
   * Drawings that await the host's decision, or whose decision has not been sent to the visitor
   * yet.
   */
  drawings: v.strictObject({
    id,
    by: participantView,
    /** Pixels of the drawing: [side, side] ink or [side, side, 4] premultiplied RGBA. */
    pixels: bytes,
    /** The drawing's latent, [latentSize]. */
    latent: v.custom<Float32Array>((value) => value instanceof Float32Array),
    /** When the drawing was sent. */
    at,
    /** `approved`, or the reason for refusing the drawing; absent until there is a decision. */
    decision: v.optional(v.picklist(['approved', ...REASONS])),
  }),
  /** Organisms that visitors have reported. */
  reports: v.strictObject({
    id,
    /**
     * Tick at which the organism was planted. Tells organisms with the same id apart: a room that
     * is restored from an earlier snapshot may use an id again.
     */
    born: count,
    kind: v.string(),
    origin,
    planter,
    parts: v.optional(v.array(part)),
    side: count,
    /** RGBA picture of the organism on a black background, [side, side, 4]; one pixel per cell. */
    rgba: bytes,
    /** Tick at which `rgba` was captured. */
    pictured: count,
    /** Participants who have reported the organism, each listed once. */
    reporters: v.array(id),
    /**
     * Number of reports that the host has dismissed. The first entries of `reporters` made these
     * reports.
     */
    dismissed: count,
    /** When the first report arrived that has not been dismissed. */
    since: at,
  }),
} as const;

/** The stored moderation lists of a room. */
export type Moderation = {
  readonly [List in keyof typeof MODERATION]: readonly v.InferOutput<(typeof MODERATION)[List]>[];
};

/**
 * Stores an item in a moderation list. If no item is given, removes the item with this id.
 *
 * @throws Refusal `elsewhere` if another server may be running the room
 */
export type KeepItem = <List extends keyof Moderation>(
  list: List,
  id: number,
  item?: Moderation[List][number],
) => Promise<void>;

/** Ignores that an item could not be stored. The error has already been logged. */
export const unkept = (): void => {};

/**
 * Maximum number of muted participants. If there are more, the oldest mute of an absent participant
 * is lifted.
 */
export const MAX_MUTED = 1_000;
/** Maximum number of reporters stored per organism. */
const MAX_REPORTERS = 1_000;
const MAX_REPORTED = 256;

/** All reports of one organism. */
export type Report = Moderation['reports'][number];

/** Returns the number of reports that the host has not dismissed. */
export const openOf = ({ reporters, dismissed }: Report): number => reporters.length - dismissed;

/** Visitors' reports of organisms in one room. A participant can report each organism only once. */
export class Reports {
  private readonly cases = new Map(this.options.kept.map((one) => [one.id, one]));

  constructor(
    private readonly options: {
      readonly room: Pick<Room, 'viewOf' | 'grid' | 'tick'>;
      readonly kept: readonly Report[];
      readonly keep: KeepItem;
      /** Returns the wall clock, in ms since the epoch. */
      readonly date: () => number;
    },
  ) {
    const isOver = (one: Report): boolean => openOf(one) === 0 && !this.lives(one);
    for (const { id } of options.kept.filter(isOver)) this.forget(id).catch(unkept);
  }

  /** Number of reported organisms that the host has not decided on. */
  get size(): number {
    return this.list.length;
  }

  /** Reported organisms that await the host's decision, most undismissed reports first. */
  get list(): Report[] {
    return [...this.cases.values()]
      .filter((one) => openOf(one) > 0)
      .sort((a, b) => openOf(b) - openOf(a) || a.since - b.since);
  }

  /** Finds the reports of an organism. @returns undefined if no report needs a decision */
  find(organism: OrganismId): Report | undefined {
    const one = this.cases.get(organism);
    return one && openOf(one) > 0 ? one : undefined;
  }

  /** Returns whether a reported organism is still in the room. */
  lives({ id, born }: Report): boolean {
    return this.options.room.viewOf(id)?.born === born;
  }

  /**
   * Stores a participant's report of an organism. Repeated reports by the same participant do not
   * count.
   *
   * @throws Refusal `no-such-organism`; `room-busy` if the list of reported organisms is full;
   *   `elsewhere` if the report cannot be stored
   */
  async add(organism: OrganismId, by: ParticipantId): Promise<void> {
    const { room, date } = this.options;
    const view = room.viewOf(organism);
    if (!view) throw new Refusal('no-such-organism', `organism ${organism}`);
    const found = this.cases.get(organism);
    const known = found?.born === view.born ? found : undefined;
    if (!found && this.cases.size >= MAX_REPORTED) this.makeRoom();
    const { reporters = [] as number[], dismissed = 0 } = known ?? {};
    // Until the host decides, keep the picture from the first report, even if the organism has
    // since been transformed into another creature.
    const isOpen = known && openOf(known) > 0;
    const one = isOpen ? known : { ...this.portrait(view), reporters, dismissed, since: date() };
    const counts = !reporters.includes(by) && reporters.length < MAX_REPORTERS;
    await this.put(counts ? { ...one, reporters: [...reporters, by] } : one);
  }

  /** Updates the reports after a tick. */
  follow(life: readonly LifeEvent[]): void {
    for (const event of life) {
      const one = event.what === 'born' ? undefined : this.cases.get(event.id);
      if (!one) continue;
      const view = this.options.room.viewOf(one.id);
      // The organism is fully grown now, so replace the picture of the seedling.
      if (event.what === 'grown' && view)
        this.put({ ...one, ...this.portrait(view) }).catch(unkept);
      if (event.what !== 'died') continue;
      if (event.cause === 'removed' || openOf(one) === 0) this.forget(one.id).catch(unkept);
    }
  }

  /**
   * Dismisses all reports of an organism. Later reports by the same participants do not count.
   *
   * @returns whether any report awaited a decision
   * @throws Refusal `elsewhere` if the decision cannot be stored
   */
  async dismiss(organism: OrganismId): Promise<boolean> {
    const one = this.find(organism);
    if (!one) return false;
    const looked = { ...one, dismissed: one.reporters.length };
    await (this.lives(one) ? this.put(looked) : this.forget(organism));
    return true;
  }

  /**
   * Returns the part of a report that describes the organism, with a picture of its present cells.
   */
  private portrait({ id, born, kind, origin, planter, parts, side, x, y }: OrganismView) {
    const { grid, tick } = this.options.room;
    const { rgba, owner, width } = grid.planes;
    const cells = new Uint8Array(4 * side * side);
    for (let i = 0; i < side * side; i++) {
      const place = (y - side / 2 + Math.floor(i / side)) * width + x - side / 2 + (i % side);
      if (owner[place] === id) cells.set(rgba.subarray(4 * place, 4 * place + 4), 4 * i);
    }
    const chimera = parts && { parts: [...parts] };
    return { id, born, kind, origin, planter, ...chimera, side, rgba: cells, pictured: tick };
  }

  /**
   * Forgets the reports of one organism that is no longer in the room, so that another organism can
   * be reported.
   *
   * @throws Refusal `room-busy` if all reported organisms are still in the room
   */
  private makeRoom(): void {
    const gone = [...this.cases.values()].find((one) => !this.lives(one));
    if (!gone) throw new Refusal('room-busy', 'reports');
    this.forget(gone.id).catch(unkept);
  }

  private put(one: Report): Promise<void> {
    this.cases.set(one.id, one);
    return this.options.keep('reports', one.id, one);
  }

  private forget(organism: OrganismId): Promise<void> {
    this.cases.delete(organism);
    return this.options.keep('reports', organism);
  }
}
