/**
 * Decides with how much energy newcomers to a room start (rules ENE-4 and ENE-5), so that nobody
 * can gain energy by reconnecting. What each device and address has left is kept only in memory;
 * only the energy that newcomers are given is written to the journal. Therefore, after a restart,
 * each device that has a mark is assumed to have no energy left.
 */
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { DeviceMarks } from './signed-tokens.ts';

/** Limits for the energy of newcomers. */
export const NEWCOMERS = {
  /**
   * Maximum time, in seconds, until the energy of a device or address is full again. If the room's
   * energy refills more slowly, this time applies instead.
   */
  renewedWithin: 3_600,
  /**
   * A device mark (signed id of a browser) is trusted when it is at least this old, in seconds. A
   * device with a trusted mark no longer shares the energy of its network address.
   */
  trustedAfter: 3_600,
  /** Maximum number of devices and addresses remembered per room. */
  remembered: 10_000,
} as const;

/** An amount of energy of a device or address, which refills over time. */
interface EnergyAllowance {
  /** Amount of energy at `updatedAt`. */
  level: number;
  /** When `level` was last changed, in ms. */
  updatedAt: number;
}

interface Device extends EnergyAllowance {
  /**
   * When the device got its mark, in ms. If this is unknown, the latest time at which the device
   * may have got it.
   */
  readonly since: number;
  /** Present participants who use this device. */
  readonly participants: Set<ParticipantId>;
}

/** A client that is joining. */
export interface Newcomer {
  /** The unverified device mark that the page has stored, if any. */
  readonly mark?: string | undefined;
  /** Address key of the connection (see `addressKey`). */
  readonly address: string;
}

/** Tracks how much energy the devices and addresses of one room have left. */
export class NewcomerEnergy {
  private readonly devices = new Map<string, Device>();
  private readonly addresses = new Map<string, EnergyAllowance>();
  /** Device id of each present participant. */
  private readonly deviceOf = new Map<ParticipantId, string>();
  /**
   * A device that is not in `devices`, perhaps because it has been forgotten, is assumed to have
   * had no energy left at this time, in ms.
   */
  private since = this.clock.now();

  constructor(
    private readonly room: Pick<Room, 'energySettings' | 'energyOf'>,
    private readonly marks: DeviceMarks,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /**
   * Returns the id of the device to which a mark was given; undefined if this server did not issue
   * the mark.
   */
  deviceIdOf(mark: string | undefined): string | undefined {
    return mark === undefined ? undefined : this.marks.read(mark);
  }

  /** Returns the device id of a present participant. */
  deviceOfParticipant(participant: ParticipantId): string | undefined {
    return this.deviceOf.get(participant);
  }

  /**
   * Registers a participant who is joining the room. A participant who is new to the room is given
   * energy.
   *
   * @param isNew whether the room has no energy level of the participant
   * @returns `energy`: the energy to start with; undefined for a participant who is not new,
   *   because they keep the energy that they had. `mark`: a new device mark; undefined if the
   *   device already has a valid mark
   */
  arrive(participant: ParticipantId, isNew: boolean, { mark, address }: Newcomer) {
    const now = this.clock.now();
    const known = this.deviceIdOf(mark);
    const issued = known === undefined ? this.marks.issue() : undefined;
    const id = known ?? this.marks.read(issued!)!;
    const since = known === undefined ? now : this.since;
    const participants = new Set<ParticipantId>();
    const device = this.devices.get(id) ?? { level: 0, updatedAt: since, since, participants };
    const energy = isNew ? this.grant(device, known !== undefined, address) : undefined;
    this.devices.get(this.deviceOf.get(participant) ?? '')?.participants.delete(participant);
    device.participants.add(participant);
    this.deviceOf.set(participant, id);
    this.remember(this.devices, id, device);
    return { energy, mark: issued };
  }

  /**
   * Records how much energy a participant has left. Call when their reserved seat has expired, but
   * before the room forgets their energy.
   */
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
    // A young device mark is treated like a missing one. Otherwise, visitors could gain energy by
    // collecting marks.
    const isTrusted = isKnown && this.clock.now() - device.since >= 1000 * NEWCOMERS.trustedAfter;
    if (isTrusted) return this.spend(device, own);
    const shared = this.addresses.get(address) ?? { level: newcomer, updatedAt: this.clock.now() };
    this.remember(this.addresses, address, shared);
    // Visitors of a museum may all share one address, so give everyone at least the energy to plant
    // one seed.
    const energy = Math.min(newcomer, own, Math.max(plant, this.levelOf(shared)));
    this.spend(shared, energy);
    return this.spend(device, energy);
  }

  /**
   * Returns how much energy a device has left. This is the lowest of the device's own level and the
   * levels of the present participants who use the device.
   */
  private leftTo(device: Device): number {
    const levels = [...device.participants].map((one) => this.room.energyOf(one));
    return Math.min(this.levelOf(device), ...levels);
  }

  private levelOf({ level, updatedAt }: EnergyAllowance): number {
    const { newcomer, refillPerSecond } = this.room.energySettings;
    const perSecond = Math.max(refillPerSecond, newcomer / NEWCOMERS.renewedWithin);
    return Math.min(newcomer, level + ((this.clock.now() - updatedAt) / 1000) * perSecond);
  }

  private spend(allowance: EnergyAllowance, energy: number): number {
    this.set(allowance, Math.max(0, this.levelOf(allowance) - energy));
    return energy;
  }

  private set(allowance: EnergyAllowance, level: number): void {
    allowance.level = level;
    allowance.updatedAt = this.clock.now();
  }

  /**
   * Stores an allowance as the most recent one. If there are too many, forgets the oldest allowance
   * among those that do not belong to a device in use.
   */
  private remember<A extends EnergyAllowance>(
    allowances: Map<string, A>,
    key: string,
    allowance: A,
  ): void {
    allowances.delete(key);
    allowances.set(key, allowance);
    if (allowances.size <= NEWCOMERS.remembered) return;
    const isIdle = (one: EnergyAllowance & Partial<Device>): boolean => !one.participants?.size;
    const oldest = [...allowances].find(([other, stored]) => other !== key && isIdle(stored));
    if (!oldest) return;
    allowances.delete(oldest[0]);
    // When the forgotten device returns, it must not have more energy than it has now. If its
    // energy is not full now, every unknown device is assumed from now on to have had no energy
    // left at this moment.
    if (this.levelOf(oldest[1]) < this.room.energySettings.newcomer) this.since = this.clock.now();
  }
}
