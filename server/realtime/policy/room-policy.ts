/** What the host has set for a room, as far as it meets those who come: who may act, how wide, how often, and who is named. */
import type { RoomSettings } from '../../../shared/host/settings.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { OrganismView, ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import type { RoomCommand } from '../../world/commands.ts';

/** Participants whose last seed is remembered before those of long ago are forgotten. */
const MOST_SEEDS = 10_000;

export class RoomPolicy {
  /** May watch, but do nothing. */
  readonly muted = new Set<ParticipantId>();
  /** Outside the open hours; and then, whether visitors have to go. */
  isDimmed = false;
  isClosed = false;
  /** When each has last planted, ms; in that order. */
  private readonly lastPlantedAt = new Map<ParticipantId, number>();

  constructor(public settings: RoomSettings) {}

  /** What pages are told. */
  get publicSettings(): Event<'settings'> {
    const { names, paused, maxRadius, cooldown, captions, languages, attract } = this.settings;
    const { isDimmed: dim } = this;
    return { names, paused, maxRadius, cooldown, captions, languages, attract, dim };
  }

  /** Whether what she does, short of commands, may be shown to others. */
  mayShow(participant: ParticipantId): boolean {
    return !this.muted.has(participant);
  }

  /** @throws Refusal muted, paused */
  requireMayAct(participant: ParticipantId): void {
    if (this.muted.has(participant)) throw new Refusal('muted');
    if (this.settings.paused) throw new Refusal('paused');
  }

  /**
   * What becomes of a wish: strokes are no wider than the room allows.
   *
   * @param now ms
   * @throws Refusal muted, paused, cooling-down
   */
  admit(command: RoomCommand, now: number): RoomCommand {
    const { maxRadius, cooldown } = this.settings;
    const { id } = command.by;
    this.requireMayAct(id);
    if (command.what === 'damage') {
      return { ...command, radius: Math.min(command.radius, maxRadius) };
    }
    if (command.what === 'plant' && cooldown > 0) {
      if (now - (this.lastPlantedAt.get(id) ?? -Infinity) < 1000 * cooldown) {
        throw new Refusal('cooling-down');
      }
      this.rememberPlanting(id, now);
    }
    return command;
  }

  /** Her seed was refused after all: nothing grows for which she would have to wait. */
  resetCooldown(participant: ParticipantId): void {
    this.lastPlantedAt.delete(participant);
  }

  /** Whose names are not shown, as a text that is another when that is. */
  get hiddenNamesKey(): string {
    return [this.settings.names, ...this.muted].join();
  }

  /** Whether she has a name that others are not shown. */
  isNameHidden(participant: ParticipantView): boolean {
    return participant.name !== this.redactParticipant(participant).name;
  }

  /** A message as it may be shown: without the names of those who are muted, or of anybody. */
  redactNames<N extends EventName>(event: N, message: Event<N>): Event<N> {
    if (this.settings.names && this.muted.size === 0) return message;
    switch (event as EventName) {
      case 'welcome':
      case 'wall': {
        const welcome = message as Event<'wall'>;
        const participants = welcome.participants.map(this.redactParticipant);
        return {
          ...welcome,
          participants,
          organisms: welcome.organisms.map(this.redactPlanter),
        } as never;
      }
      case 'people': {
        const people = message as Event<'people'>;
        return { ...people, joined: people.joined.map(this.redactParticipant) } as never;
      }
      case 'life': {
        const life = message as Event<'life'>;
        const events = life.events.map((one) =>
          one.what === 'born' ? { ...one, organism: this.redactPlanter(one.organism) } : one,
        );
        return { ...life, events } as never;
      }
      default:
        return message;
    }
  }

  private readonly redactParticipant = (participant: ParticipantView): ParticipantView =>
    this.settings.names && !this.muted.has(participant.id)
      ? participant
      : { ...participant, name: '' };

  private readonly redactPlanter = <O extends Pick<OrganismView, 'planter'>>(organism: O): O => ({
    ...organism,
    planter: this.redactParticipant(organism.planter),
  });

  private rememberPlanting(participant: ParticipantId, now: number): void {
    this.lastPlantedAt.delete(participant);
    this.lastPlantedAt.set(participant, now);
    if (this.lastPlantedAt.size <= MOST_SEEDS) return;
    const [oldest] = this.lastPlantedAt.keys();
    this.lastPlantedAt.delete(oldest);
  }
}
