/**
 * Tells each planter what others have done to the planter's organisms. Changes are collected and
 * sent together, at limited rates. The departure of an organism is sent sooner than other changes.
 * Changes are kept while the planter is away or has hidden the page.
 */
import type { Event } from '../../../shared/protocol/events.ts';
import {
  type Cause,
  HOUSE,
  type How,
  type LifeEvent,
  type OrganismId,
  type OrganismView,
  type ParticipantId,
  type ParticipantView,
} from '../../../shared/vocabulary.ts';
import { getOrAdd } from '../../platform/collections.ts';
import type { Room, TickResult } from '../../world/room.ts';
import type { Visits } from './visits.ts';

/** Limits for messages about what others have done to a planter's organisms. Times are in ms. */
export const AFFECTED = {
  /** How long changes are collected before they are sent in one message. */
  gather: 2_000,
  /** Minimum time between two messages to one planter. */
  interval: 10_000,
  /** Maximum number of changes stored per planter, and of people stored per change. */
  maxChanges: 32,
  maxPeople: 20,
  /** Maximum number of wounded organisms that are tracked per room. */
  maxWounded: 1_024,
} as const;

/** Causes of death that may follow from a wound. */
const DEADLY: readonly Cause[] = ['killed', 'no-cell-left'];

/** All changes of one type that others have made to one organism. */
interface Change {
  readonly organism: Pick<OrganismView, 'id' | 'kind'>;
  readonly how: How;
  /**
   * After a transformation, the name of the new creature. After grafts, the name of the creature
   * that was grafted last.
   */
  into?: string | undefined;
  readonly people: Map<ParticipantId, OrganismView['planter']>;
}

/** Changes to organisms. A key contains the organism and the type of the change (see `keyOf`). */
type Changes = Map<string, Change>;

interface Gathered {
  /** When the first of the collected changes was made, in ms. */
  readonly since: number;
  readonly changes: Changes;
}

/** An organism that has been wounded and has not healed yet. */
interface Wounded {
  /** Participant who wounded the organism last. */
  readonly by: ParticipantId;
  /**
   * For each neighbouring organism: how many positions the neighbour owned although the wounded
   * organism had a live cell there, too. Counted at the first unhealed wound.
   */
  readonly blockers: ReadonlyMap<OrganismId, number>;
}

/**
 * Collects what others have done to each planter's organisms in a room. Changes are kept only in
 * memory.
 */
export class AffectedOrganisms {
  private readonly gathered = new Map<ParticipantId, Gathered>();
  /** When the last message to each participant was sent, in ms. */
  private readonly sentAt = new Map<ParticipantId, number>();
  private readonly wounded = new Map<OrganismId, Wounded>();

  /**
   * @param send sends a message to a participant; returns false if the participant is away or their
   *   page is hidden
   */
  constructor(
    private readonly room: Pick<Room, 'viewOf' | 'blockersOf' | 'renewable'>,
    private readonly visits: Pick<Visits, 'isKnown'>,
    private readonly seats: { readonly participants: readonly ParticipantView[] },
    private readonly send: (participant: ParticipantId, message: Event<'affected'>) => boolean,
  ) {}

  /** Collects the changes of a tick. @param now in ms */
  follow({ life, died }: Pick<TickResult, 'life' | 'died'>, now: number): void {
    const { room } = this;
    const find = (id: OrganismId): OrganismView | undefined =>
      room.viewOf(id) ?? died.find((one) => one.id === id);
    for (const event of life) {
      if (event.what === 'born') {
        for (const parent of event.organism.parents) {
          this.add(find(parent), 'crossed', event.organism.planter, now);
        }
        continue;
      }
      if (event.what === 'transformed') this.transformed(find(event.id), event, now);
      if (event.what === 'grafted' && event.kind !== undefined) {
        const change = this.add(find(event.id), 'grafted', this.personOf(event.by), now);
        if (change) change.into = event.kind;
      }
      if (event.what === 'departing') this.add(find(event.id), 'departing', HOUSE, now);
      const wound = this.wounded.get(event.id);
      if (event.what === 'wounded') {
        const organism = find(event.id);
        this.add(organism, 'wounded', this.personOf(event.by), now);
        if (organism) this.remember(organism, event.by);
      } else if (wound && (event.what === 'died' || event.what === 'healed')) {
        this.wounded.delete(event.id);
        // If the organism has died of the wound, report the wound again: any earlier report was
        // sent while the organism was still alive.
        const isGone = event.what === 'died' && DEADLY.includes(event.cause);
        if (isGone) this.add(find(event.id), 'wounded', this.personOf(wound.by), now);
      } else if (wound && event.what === 'asleep') {
        this.wounded.delete(event.id);
        this.outgrown(event.id, wound, now);
      }
    }
  }

  /** Sends collected changes to each planter for whom a message is due. @param now in ms */
  sendDue(now: number): void {
    for (const [participant, { since, changes }] of this.gathered) {
      const passed = now - (this.sentAt.get(participant) ?? -Infinity);
      const isUrgent = passed >= AFFECTED.gather && [...changes.values()].some(isDeparting);
      const isDue = now - since >= AFFECTED.gather && passed >= AFFECTED.interval;
      if (!isDue && !isUrgent) continue;
      const message = this.messageOf(participant, changes);
      const isNews = message.organisms.length > 0;
      if (isNews && !this.send(participant, message)) continue;
      this.gathered.delete(participant);
      if (isNews) this.sentAt.set(participant, now);
    }
  }

  /**
   * Schedules a message to a participant who has returned. It lists all changes during the absence,
   * and the participant's dissolving or dissolved organisms that can still be renewed (saved).
   */
  returned(participant: ParticipantId): void {
    this.sentAt.delete(participant);
    const { changes } = this.gathered.get(participant) ?? { changes: [] };
    const departing = this.room.renewable(participant).map((organism) => {
      const change: Change = { organism, how: 'departing', people: new Map([[HOUSE.id, HOUSE]]) };
      return [keyOf(change), change] as const;
    });
    const all = new Map([...changes, ...departing]);
    if (all.size > 0) this.gathered.set(participant, { since: -Infinity, changes: all });
  }

  /** Forgets participants who will not return. */
  forget(participants: readonly ParticipantId[]): void {
    for (const participant of participants) {
      this.gathered.delete(participant);
      this.sentAt.delete(participant);
    }
  }

  private add(
    organism: OrganismView | undefined,
    how: How,
    by: OrganismView['planter'],
    now: number,
  ): Change | undefined {
    const planter = organism?.planter.id;
    if (!organism || planter === undefined || planter === by.id) return undefined;
    if (!this.visits.isKnown(planter)) return undefined;
    const empty = (): Gathered => ({ since: now, changes: new Map() });
    const { changes } = getOrAdd(this.gathered, planter, empty);
    const key = keyOf({ organism, how });
    const change = changes.get(key) ?? { organism, how, people: new Map() };
    if (!changes.has(key) && changes.size >= AFFECTED.maxChanges) {
      const others = [...changes].filter(([, other]) => !isDeparting(other));
      if (how !== 'departing' || others.length === 0) return undefined;
      changes.delete(others[0][0]);
    }
    changes.set(key, change);
    if (change.people.size < AFFECTED.maxPeople) change.people.set(by.id, by);
    return change;
  }

  /**
   * Records that an organism has been transformed into another creature. After several
   * transformations, the message names only the first and the last form.
   */
  private transformed(
    organism: OrganismView | undefined,
    { by, kind }: Extract<LifeEvent, { what: 'transformed' }>,
    now: number,
  ): void {
    if (!organism) return;
    const before = { ...organism, kind: organism.was?.at(-1) ?? '' };
    const change = this.add(before, 'transformed', this.personOf(by), now);
    if (change) change.into = kind;
  }

  private remember({ id, planter }: OrganismView, by: ParticipantId): void {
    if (!this.visits.isKnown(planter.id)) return;
    const blockers = this.wounded.get(id)?.blockers ?? this.room.blockersOf(id);
    this.wounded.set(id, { by, blockers });
    // If an undo removes a wounded organism, no event deletes its entry. So limit the number of
    // entries.
    if (this.wounded.size > AFFECTED.maxWounded) this.wounded.delete([...this.wounded.keys()][0]);
  }

  /**
   * Handles a wounded organism that has come to rest before healing. If neighbours have taken
   * positions from the organism since the wound, reports the neighbour that has taken the most.
   */
  private outgrown(id: OrganismId, { blockers }: Wounded, now: number): void {
    const { room } = this;
    const taken = [...room.blockersOf(id)]
      .map(([neighbour, cells]) => ({ neighbour, cells: cells - (blockers.get(neighbour) ?? 0) }))
      .filter(({ cells }) => cells > 0)
      .sort((a, b) => b.cells - a.cells);
    const planter = taken.length > 0 && room.viewOf(taken[0].neighbour)?.planter;
    if (planter) this.add(room.viewOf(id), 'outgrown', planter, now);
  }

  private messageOf(participant: ParticipantId, changes: Changes): Event<'affected'> {
    const { room } = this;
    const renewable = new Map(room.renewable(participant).map((one) => [one.id, one.secondsLeft]));
    return {
      organisms: [...changes.values()].flatMap(({ organism: { id, kind }, how, into, people }) => {
        const [by] = people.values();
        const named = into !== undefined && { into };
        const change = { id, kind, how, ...named, by, others: people.size - 1 };
        if (how !== 'departing') return [change];
        const secondsLeft = renewable.get(id);
        if (secondsLeft !== undefined) return [{ ...change, secondsLeft }];
        // If the organism is alive, its planter has renewed (saved) it, or an undo has restored it.
        // So report no departure.
        return room.viewOf(id) ? [] : [{ ...change, how: 'departed' as const }];
      }),
    };
  }

  /** Returns a participant, with an empty name if the participant is not present. */
  private personOf(id: ParticipantId): OrganismView['planter'] {
    return this.seats.participants.find((one) => one.id === id) ?? { id, name: '', hue: 0 };
  }
}

const isDeparting = ({ how }: Change): boolean => how === 'departing';

const keyOf = ({ organism, how }: Pick<Change, 'organism' | 'how'>): string =>
  `${how} ${organism.id}`;
