/**
 * Tells planters what others have done to their organisms: gathered, and at most so often. What
 * happens while a planter is away, or their page is hidden, waits for their return. That an organism
 * departs is told at once, or within seconds of another message, and again after each return as long
 * as its planter can renew it.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
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

const { gather, interval, maxChanges, maxPeople, maxWounded } = DEFAULTS.affected;

/** Causes of death of an organism killed by strokes, immediately or later. */
const DEADLY: readonly Cause[] = ['killed', 'no-cell-left'];

export interface AffectedOrganismsOptions {
  readonly room: Pick<Room, 'viewOf' | 'blockersOf' | 'renewable'>;
  /** Whether a participant is present, or their seat is still reserved. */
  readonly isExpected: (participant: ParticipantId) => boolean;
  /** How others see a participant who is present; undefined if they are not. */
  readonly personOf: (participant: ParticipantId) => ParticipantView | undefined;
  /** Sends a message. @returns false if the participant is away, or does not see their page */
  readonly send: (participant: ParticipantId, message: Event<'affected'>) => boolean;
}

/** Everything of one kind that was done to one organism. */
interface Change {
  readonly organism: Pick<OrganismView, 'id' | 'kind'>;
  readonly how: How;
  /** The kind that it has turned into. */
  into?: string | undefined;
  readonly people: Map<ParticipantId, OrganismView['planter']>;
}

/** By organism and way. */
type Changes = Map<string, Change>;

interface Gathered {
  /** ms */
  readonly since: number;
  readonly changes: Changes;
}

interface Sent {
  /** ms */
  readonly at: number;
  readonly tick: number;
  /** Until the client has confirmed a frame that was sent later. */
  changes?: Changes | undefined;
}

/** An organism that has not healed since somebody wounded it. */
interface Wounded {
  /** Who wounded it last. */
  readonly by: ParticipantId;
  /** How many of its live cells each neighbour blocked at that time. */
  readonly blockers: ReadonlyMap<OrganismId, number>;
}

/** Gathers a room's events by planter. In memory only; everything in it is bounded. */
export class AffectedOrganisms {
  private readonly gathered = new Map<ParticipantId, Gathered>();
  private readonly sent = new Map<ParticipantId, Sent>();
  private readonly wounded = new Map<OrganismId, Wounded>();

  constructor(private readonly options: AffectedOrganismsOptions) {}

  /** Gathers the events of a tick. @param now ms */
  follow({ life, died }: Pick<TickResult, 'life' | 'died'>, now: number): void {
    const { room } = this.options;
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
      if (event.what === 'departing') this.add(find(event.id), 'departing', HOUSE, now);
      const wound = this.wounded.get(event.id);
      if (event.what === 'wounded') {
        const organism = find(event.id);
        this.add(organism, 'wounded', this.personOf(event.by), now);
        if (organism) this.remember(organism, event.by);
      } else if (wound && (event.what === 'died' || event.what === 'healed')) {
        this.wounded.delete(event.id);
        // They may have been told that it is healing.
        const isGone = event.what === 'died' && DEADLY.includes(event.cause);
        if (isGone) this.add(find(event.id), 'wounded', this.personOf(wound.by), now);
      } else if (wound && event.what === 'asleep') {
        this.wounded.delete(event.id);
        this.outgrown(event.id, wound, now);
      }
    }
  }

  /** Sends what is due. @param tick of the events that were followed last @param now ms */
  send(tick: number, now: number): void {
    for (const [participant, { since, changes }] of this.gathered) {
      const last = this.sent.get(participant);
      const passed = now - (last?.at ?? -Infinity);
      const isUrgent = passed >= gather && [...changes.values()].some(isDeparting);
      const isDue = now - since >= gather && passed >= interval;
      if (!isDue && !isUrgent) continue;
      const message = this.messageOf(participant, changes);
      const isNews = message.organisms.length > 0;
      if (isNews && !this.options.send(participant, message)) continue;
      this.gathered.delete(participant);
      if (!isNews) continue;
      // Those that depart are last, and so kept longest.
      const unconfirmed = [...(last?.changes ?? []), ...changes].sort(
        ([, a], [, b]) => Number(isDeparting(a)) - Number(isDeparting(b)),
      );
      this.sent.set(participant, {
        ...{ at: now, tick },
        changes: new Map(unconfirmed.slice(-maxChanges)),
      });
    }
  }

  /** A participant has drawn the frame of a tick, so they have received all earlier messages. */
  acknowledge(participant: ParticipantId, tick: number): void {
    const last = this.sent.get(participant);
    if (last && tick >= last.tick) last.changes = undefined;
  }

  /** A participant is back: they are told at once, also what may have been lost on the way. */
  returned(participant: ParticipantId): void {
    const lost = this.sent.get(participant)?.changes ?? [];
    this.sent.delete(participant);
    const { changes } = this.gathered.get(participant) ?? { changes: [] };
    const departing = this.options.room.renewable(participant).map((organism) => {
      const change: Change = { organism, how: 'departing', people: new Map([[HOUSE.id, HOUSE]]) };
      return [keyOf(change), change] as const;
    });
    const all = new Map([...lost, ...changes, ...departing]);
    if (all.size > 0) this.gathered.set(participant, { since: -Infinity, changes: all });
  }

  /** Forgets participants who do not come back. */
  forget(participants: readonly ParticipantId[]): void {
    for (const participant of participants) {
      this.gathered.delete(participant);
      this.sent.delete(participant);
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
    if (!this.options.isExpected(planter)) return undefined;
    const empty = (): Gathered => ({ since: now, changes: new Map() });
    const { changes } = getOrAdd(this.gathered, planter, empty);
    const key = keyOf({ organism, how });
    const change = changes.get(key) ?? { organism, how, people: new Map() };
    if (!changes.has(key) && changes.size >= maxChanges) {
      const others = [...changes].filter(([, other]) => !isDeparting(other));
      if (how !== 'departing' || others.length === 0) return undefined;
      changes.delete(others[0][0]);
    }
    changes.set(key, change);
    if (change.people.size < maxPeople) change.people.set(by.id, by);
    return change;
  }

  /** It may have turned several times since its planter was told. */
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
    if (!this.options.isExpected(planter.id)) return;
    const blockers = this.wounded.get(id)?.blockers ?? this.options.room.blockersOf(id);
    this.wounded.set(id, { by, blockers });
    // An undo may have removed organisms without an event.
    if (this.wounded.size > maxWounded) this.wounded.delete([...this.wounded.keys()][0]);
  }

  /** The organism rests with a scar: does the neighbour who took most now block its cells? */
  private outgrown(id: OrganismId, { blockers }: Wounded, now: number): void {
    const { room } = this.options;
    const taken = [...room.blockersOf(id)]
      .map(([neighbour, cells]) => ({ neighbour, cells: cells - (blockers.get(neighbour) ?? 0) }))
      .filter(({ cells }) => cells > 0)
      .sort((a, b) => b.cells - a.cells);
    const planter = taken.length > 0 && room.viewOf(taken[0].neighbour)?.planter;
    if (planter) this.add(room.viewOf(id), 'outgrown', planter, now);
  }

  private messageOf(participant: ParticipantId, changes: Changes): Event<'affected'> {
    const { room } = this.options;
    const renewable = new Map(room.renewable(participant).map((one) => [one.id, one.secondsLeft]));
    return {
      organisms: [...changes.values()].flatMap(({ organism: { id, kind }, how, into, people }) => {
        const [by] = people.values();
        const named = into !== undefined && { into };
        const change = { id, kind, how, ...named, by, others: people.size - 1 };
        if (how !== 'departing') return [change];
        const secondsLeft = renewable.get(id);
        if (secondsLeft !== undefined) return [{ ...change, secondsLeft }];
        // One that lives has been renewed, or an undo has brought it back.
        return room.viewOf(id) ? [] : [{ ...change, how: 'departed' as const }];
      }),
    };
  }

  /** A participant who has left, or was never present, has no name. */
  private personOf(id: ParticipantId): OrganismView['planter'] {
    return this.options.personOf(id) ?? { id, name: '', hue: 0 };
  }
}

const isDeparting = ({ how }: Change): boolean => how === 'departing';

const keyOf = ({ organism, how }: Pick<Change, 'organism' | 'how'>): string =>
  `${how} ${organism.id}`;
