/**
 * The host's bans: of participants by number, and of addresses by fingerprint, never in clear
 * text.
 */
import { createHmac } from 'node:crypto';
import type { ParticipantId } from '../../../shared/vocabulary.ts';

/** One ban. */
export interface Ban {
  readonly id: number;
  readonly room: string;
  readonly participant: ParticipantId;
  /** The participant's name at that time, for the host's list. */
  readonly name: string;
  /** Fingerprint of the address; null: the ban is for the participant alone. */
  readonly address: string | null;
  /** Wall clock, ms since the epoch. */
  readonly since: number;
  /** Wall clock, ms since the epoch; null: until the ban is lifted. */
  readonly until: number | null;
}

/** The list of bans, which the caller stores. */
export class Bans {
  private bans: readonly Ban[];

  /**
   * @param secret key of the address fingerprints, the same after a restart
   * @param date wall clock, ms since the epoch
   * @param bans the stored bans
   * @param onChange called with the new list after each change
   */
  constructor(
    private readonly secret: Uint8Array,
    private readonly date: () => number,
    bans: readonly Ban[] = [],
    private readonly onChange: (bans: readonly Ban[]) => void = () => {},
  ) {
    this.bans = bans;
  }

  /** The bans that are in force. */
  get all(): readonly Ban[] {
    const now = this.date();
    return this.bans.filter(({ until }) => until === null || until > now);
  }

  /**
   * Bans a participant and, if given, an address key.
   *
   * @returns the ban
   */
  add(
    request: Pick<Ban, 'room' | 'participant' | 'name'> & {
      readonly address?: string | undefined;
      /** ms; absent: until the ban is lifted */
      readonly duration?: number | undefined;
    },
  ): Ban {
    const { room, participant, name, address, duration } = request;
    const since = this.date();
    const ban = {
      id: 1 + Math.max(0, ...this.bans.map(({ id }) => id)),
      room,
      participant,
      name,
      address: address ? this.fingerprintOf(address) : null,
      since,
      until: duration === undefined ? null : since + duration,
    };
    this.change([...this.all, ban]);
    return ban;
  }

  /** Lifts a ban. @returns whether it existed */
  lift(id: number): boolean {
    const found = this.all.some((ban) => ban.id === id);
    if (found) this.change(this.all.filter((ban) => ban.id !== id));
    return found;
  }

  /**
   * Whether a client is banned: a participant from one room, an address from all rooms.
   *
   * @param participant owner of the client's resume token, if it has one
   * @param address address key; '' if unknown
   */
  isBanned(room: string, participant: ParticipantId | undefined, address: string): boolean {
    const { all } = this;
    if (all.length === 0) return false;
    const fingerprint = address ? this.fingerprintOf(address) : undefined;
    return all.some(
      (ban) =>
        (ban.room === room && ban.participant === participant) ||
        (ban.address !== null && ban.address === fingerprint),
    );
  }

  private change(bans: readonly Ban[]): void {
    this.bans = bans;
    this.onChange(bans);
  }

  private fingerprintOf(address: string): string {
    return createHmac('sha256', this.secret).update(`address ${address}`).digest('base64url');
  }
}
