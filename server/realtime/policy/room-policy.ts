/**
 * Applies the host's rules to the participants of a room: who may act, how often and within which
 * limits, and whose name is shown. Start reading at `admit`.
 */

import type { RoomSettings } from '../../../shared/host/room-settings.ts';
import { BUILT_IN_NAMES } from '../../../shared/names.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { OrganismView, ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { isStroke, type RoomCommand } from '../../world/commands.ts';

/** Maximum number of participants whose cooldown is remembered. */
const MAX_REMEMBERED = 10_000;

/** Settings that clients receive unchanged. Empty settings are not sent. */
const PUBLIC = [
  ...(['names', 'paused', 'maxRadius', 'cooldown', 'captions', 'languages', 'attract'] as const),
  ...(['drawings', 'tokens', 'latents', 'wholeGallery', 'water', 'closeUps'] as const),
  ...(['transformOthers', 'graftOthers', 'exhibition', 'credits', 'message', 'logo'] as const),
];

/** Applies a room's settings, mutes and opening hours to commands and messages. */
export class RoomPolicy {
  /** Participants who may only watch. */
  readonly muted = new Set<ParticipantId>();
  /** Whether the room is dimmed because the exhibition is closed. */
  isDimmed = false;
  /** Whether the room's day is ending, so that nobody may act. */
  isFarewell = false;
  /** Whether walls show the family tree of the day that is ending. */
  showsTree = false;
  /** Whether visitors may not join because the exhibition is closed. */
  isClosed = false;
  /** When each participant last used a seed, in ms; longest ago first. */
  private readonly lastPlantedAt = new Map<ParticipantId, number>();

  constructor(public settings: RoomSettings) {}

  /**
   * The settings that clients receive, including whether the room is dimmed or its day is ending.
   */
  get publicSettings(): Event<'settings'> {
    const { hidden, first } = this.settings.curation;
    const entries = PUBLIC.map((name) => [name, this.settings[name]] as const);
    const shown = Object.fromEntries(entries.filter(([, value]) => value !== ''));
    const tree = this.showsTree && { tree: true };
    const farewell = this.isFarewell && { paused: true, farewell: true, ...tree };
    return {
      ...(shown as Pick<RoomSettings, (typeof PUBLIC)[number]>),
      ...{ hidden, first, dim: this.isDimmed, ...farewell },
    };
  }

  /** Returns whether others may see a participant's cursor and beacons. */
  mayShow(participant: ParticipantId): boolean {
    return !this.muted.has(participant);
  }

  /**
   * Checks that a participant may change the room now.
   *
   * @param what type of the participant's command; undefined if the change is not a command
   * @throws Refusal `muted`, `paused`
   */
  requireMayAct(participant: ParticipantId, what?: RoomCommand['what']): void {
    if (this.muted.has(participant)) throw new Refusal('muted');
    // A full room makes organisms depart (dissolve) even while the room is paused. So planters may
    // renew (save) their organisms even while the room is paused.
    const isPaused = this.settings.paused && what !== 'renew';
    if (isPaused || this.isFarewell) throw new Refusal('paused');
  }

  /**
   * Checks that a command is allowed. Limits the radius of a visitor's stroke to the room's
   * maximum. Sets whether a graft may change organisms that others have planted.
   *
   * @param isSystem whether a system actor, rather than a visitor, sent the command
   * @returns the command to execute
   * @throws Refusal `muted`, `paused`
   */
  admit(command: RoomCommand, isSystem = false): RoomCommand {
    this.requireMayAct(command.by.id, command.what);
    if (!isStroke(command)) return command;
    const { maxRadius, graftOthers } = this.settings;
    const radius = isSystem ? command.radius : Math.min(command.radius, maxRadius);
    if (command.what === 'damage') return { ...command, radius };
    return { ...command, radius, others: graftOthers };
  }

  /**
   * Starts the cooldown, during which a participant cannot use another seed.
   *
   * @param now current time, in ms
   * @throws Refusal `cooling-down` if the participant's previous cooldown has not ended
   */
  startCooldown(participant: ParticipantId, now: number): void {
    const { cooldown } = this.settings;
    if (cooldown === 0) return;
    if (now - (this.lastPlantedAt.get(participant) ?? -Infinity) < 1000 * cooldown) {
      throw new Refusal('cooling-down');
    }
    this.lastPlantedAt.delete(participant);
    this.lastPlantedAt.set(participant, now);
    if (this.lastPlantedAt.size <= MAX_REMEMBERED) return;
    const [oldest] = this.lastPlantedAt.keys();
    this.lastPlantedAt.delete(oldest);
  }

  /**
   * Checks that a participant may transform an organism.
   *
   * @param planter participant who planted the organism; undefined if the organism does not exist
   * @throws Refusal `not-yours`
   */
  requireMayTransform(by: ParticipantId, planter: ParticipantId | undefined): void {
    // Accept an organism that does not exist: the room itself refuses the command.
    if (planter === undefined || planter === by || this.settings.transformOthers) return;
    throw new Refusal('not-yours');
  }

  /**
   * Ends a participant's cooldown. Call when the command that started the cooldown has been
   * rejected.
   */
  resetCooldown(participant: ParticipantId): void {
    this.lastPlantedAt.delete(participant);
  }

  /** A key that changes whenever the set of hidden names changes. */
  get hiddenNamesKey(): string {
    return [this.settings.names, ...this.muted].join();
  }

  /** Returns whether a participant's name is hidden from others. */
  isNameHidden(participant: ParticipantView): boolean {
    return participant.name !== this.redactParticipant(participant).name;
  }

  /**
   * Removes all names from a message if the host hides names. Otherwise, removes the names of muted
   * participants.
   */
  redactNames<N extends EventName>(event: N, message: Event<N>): Event<N> {
    if (this.settings.names && this.muted.size === 0) return message;
    return this.redactions[event]?.(message) ?? message;
  }

  private readonly redactions: { readonly [N in EventName]?: (message: Event<N>) => Event<N> } = {
    wall: (wall) => ({
      ...wall,
      participants: wall.participants.map(this.redactParticipant),
      organisms: wall.organisms.map(this.redactOrganism),
    }),
    people: (people) => ({ ...people, joined: people.joined.map(this.redactParticipant) }),
    life: ({ tick, events }) => ({
      tick,
      events: events.map((item) => {
        if (item.what === 'born') return { ...item, organism: this.redactOrganism(item.organism) };
        return 'parts' in item ? { ...item, ...this.redactParts(item) } : item;
      }),
    }),
    affected: ({ organisms }) => ({
      organisms: organisms.map((one) => ({ ...one, by: this.redactParticipant(one.by) })),
    }),
  };

  private readonly redactParticipant = (participant: ParticipantView): ParticipantView =>
    (this.settings.names && !this.muted.has(participant.id)) ||
    BUILT_IN_NAMES.includes(participant.name)
      ? participant
      : { ...participant, name: '' };

  private readonly redactParts = ({ parts }: Pick<OrganismView, 'parts'>) =>
    parts && {
      parts: parts.map((one) => (one.by ? { ...one, by: this.redactParticipant(one.by) } : one)),
    };

  /**
   * Removes the hidden names of an organism's planter and of participants who grafted onto the
   * organism.
   */
  readonly redactOrganism = <O extends Pick<OrganismView, 'planter' | 'parts'>>(
    organism: O,
  ): O => ({
    ...organism,
    planter: this.redactParticipant(organism.planter),
    ...this.redactParts(organism),
  });
}
