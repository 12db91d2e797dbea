/**
 * How much energy newcomers to a room begin with (rules ENE-4 and ENE-5), so that reconnecting
 * brings nothing. The disk has only what was granted, in the journal: after a restart, a device with
 * a mark counts as having spent everything just before.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { DeviceMarks } from './device-marks.ts';

const { renewedWithin, trustedAfter, remembered } = DEFAULTS.newcomers;

/** What is left of a newcomer's energy; it refills with time. */
interface Rest {
  level: number;
  /** ms */
  at: number;
}

interface Device extends Rest {
  /** When it was given its mark, or the latest that this can have been; ms. */
  readonly since: number;
  /** Who is here with it. */
  readonly participants: Set<ParticipantId>;
}

export interface Newcomer {
  /** The mark of their device, as it says. */
  readonly mark?: string | undefined;
  /** What their address is called. */
  readonly address: string;
}

export interface Granted {
  /** Energy that they begin with; undefined where they resume their place with what they have. */
  readonly energy: number | undefined;
  /** For a device that has none. */
  readonly mark: string | undefined;
}

export class NewcomerEnergy {
  private readonly devices = new Map<string, Device>();
  private readonly addresses = new Map<string, Rest>();
  /** With which device each of them came. */
  private readonly deviceOf = new Map<ParticipantId, string>();
  /** When devices of which nothing is known had nothing left, at the latest; ms. */
  private since: number;

  constructor(
    private readonly room: Pick<Room, 'energySettings' | 'energyOf'>,
    private readonly marks: DeviceMarks,
    private readonly clock: Pick<Clock, 'now'>,
  ) {
    this.since = clock.now();
  }

  /**
   * Somebody comes, and has a number already.
   *
   * @param isNew whether their energy begins now
   */
  arrive(participant: ParticipantId, isNew: boolean, { mark, address }: Newcomer): Granted {
    const now = this.clock.now();
    const known = mark === undefined ? undefined : this.marks.read(mark);
    const issued = known === undefined ? this.marks.issue() : undefined;
    const id = known ?? this.marks.read(issued!)!;
    const device = this.devices.get(id) ?? {
      level: 0,
      at: known === undefined ? now : this.since,
      since: known === undefined ? now : this.since,
      participants: new Set<ParticipantId>(),
    };
    const energy = isNew ? this.grant(device, known !== undefined, address) : undefined;
    this.devices.get(this.deviceOf.get(participant) ?? '')?.participants.delete(participant);
    device.participants.add(participant);
    this.deviceOf.set(participant, id);
    this.remember(this.devices, id, device);
    return { energy, mark: issued };
  }

  /** Their place is kept no longer; the room still knows what they have. */
  leave(participant: ParticipantId): void {
    const device = this.devices.get(this.deviceOf.get(participant) ?? '');
    this.deviceOf.delete(participant);
    if (!device) return;
    this.set(device, Math.min(this.levelOf(device), this.room.energyOf(participant)));
    device.participants.delete(participant);
  }

  private grant(device: Device, isKnown: boolean, address: string): number {
    const { newcomer, plant } = this.room.energySettings;
    const own = isKnown ? this.leftTo(device) : newcomer;
    // Whoever gathers marks must not fare better than without: at first they count as none.
    const isTrusted = isKnown && this.clock.now() - device.since >= 1000 * trustedAfter;
    if (isTrusted) return this.spend(device, own);
    const shared = this.addresses.get(address) ?? { level: newcomer, at: this.clock.now() };
    this.remember(this.addresses, address, shared);
    // An address may be a whole museum's: enough for a seed is left to each.
    const energy = Math.min(newcomer, own, Math.max(plant, this.levelOf(shared)));
    this.spend(shared, energy);
    return this.spend(device, energy);
  }

  /** Two who are here with one device have no more than one of them. */
  private leftTo(device: Device): number {
    const theirs = [...device.participants].map((one) => this.room.energyOf(one));
    return Math.min(this.levelOf(device), ...theirs);
  }

  private levelOf({ level, at }: Rest): number {
    const { newcomer, refillPerSecond } = this.room.energySettings;
    const perSecond = Math.max(refillPerSecond, newcomer / renewedWithin);
    return Math.min(newcomer, level + ((this.clock.now() - at) / 1000) * perSecond);
  }

  private spend(rest: Rest, energy: number): number {
    this.set(rest, Math.max(0, this.levelOf(rest) - energy));
    return energy;
  }

  private set(rest: Rest, level: number): void {
    Object.assign(rest, { level, at: this.clock.now() });
  }

  /** The latest last, and no more than so many. */
  private remember<R extends Rest>(rests: Map<string, R>, key: string, rest: R): void {
    rests.delete(key);
    rests.set(key, rest);
    if (rests.size <= remembered) return;
    const isIdle = (one: Rest & Partial<Device>): boolean => !one.participants?.size;
    const { newcomer } = this.room.energySettings;
    for (const [one, kept] of rests) {
      if (one !== key && isIdle(kept) && this.levelOf(kept) >= newcomer) rests.delete(one);
    }
    if (rests.size <= remembered) return;
    const oldest = [...rests].find(([one, kept]) => one !== key && isIdle(kept));
    if (oldest) rests.delete(oldest[0]);
    // It may come back, and must not find more than it left.
    this.since = this.clock.now();
  }
}
