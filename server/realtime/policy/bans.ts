/** Whom the host has sent away: sessions by their number, addresses by a fingerprint, so that none is kept in clear. */
import { createHmac } from 'node:crypto';
import type { ParticipantId } from '../../../shared/vocabulary.ts';

export interface Ban {
  readonly id: number;
  readonly room: string;
  readonly participant: ParticipantId;
  /** The name that she had, for the host to know her by. */
  readonly name: string;
  /** Fingerprint of her address; null: her session alone is kept out. */
  readonly address: string | null;
  /** Wall clock, ms. */
  readonly since: number;
  /** null: until it is lifted. */
  readonly until: number | null;
}

export class Bans {
  private bans: readonly Ban[];

  /**
   * @param secret of this server, the same after a restart
   * @param date wall clock, ms
   * @param bans of before
   * @param onChange they are others now
   */
  constructor(
    private readonly secret: Uint8Array,
    private readonly date: () => number,
    bans: readonly Ban[] = [],
    private readonly onChange: (bans: readonly Ban[]) => void = () => {},
  ) {
    this.bans = bans;
  }

  /** Those that are not over. */
  get all(): readonly Ban[] {
    const now = this.date();
    return this.bans.filter(({ until }) => until === null || until > now);
  }

  /** @param address of `addressKey`; absent: her session alone is kept out */
  add(
    wish: Pick<Ban, 'room' | 'participant' | 'name'> & {
      readonly address?: string | undefined;
      /** ms; absent: until it is lifted */
      readonly duration?: number | undefined;
    },
  ): Ban {
    const { room, participant, name, address, duration } = wish;
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

  /** @returns whether there was such a ban */
  lift(id: number): boolean {
    const found = this.all.some((ban) => ban.id === id);
    if (found) this.change(this.all.filter((ban) => ban.id !== id));
    return found;
  }

  /**
   * Whether one is kept out: her session of this room, her address of all rooms.
   *
   * @param participant whose pass she shows; undefined: none
   */
  isBanned(room: string, participant: ParticipantId | undefined, address: string): boolean {
    const { all } = this;
    if (all.length === 0) return false;
    const print = address ? this.fingerprintOf(address) : undefined;
    return all.some(
      (ban) =>
        (ban.room === room && ban.participant === participant) ||
        (ban.address !== null && ban.address === print),
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
