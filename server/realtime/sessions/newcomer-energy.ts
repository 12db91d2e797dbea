/**
 * Decides how much energy newcomers to a room start with (rules ENE-4 and ENE-5), so that nobody
 * gains energy by reconnecting. Only the granted amounts are stored, in the journal. After a
 * restart, each device that has a mark is assumed to have no energy left.
 */
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { DeviceMarks } from './signed-tokens.ts';

/** Limits for the energy of newcomers. */
export const NEWCOMERS = {
  /**
   * Maximum time until a newcomer's energy is full again, in seconds. It applies if the room's
   * energy refills more slowly.
   */
  renewedWithin: 3_600,
  /**
   * Age of a device mark (signed browser id) from which the mark is trusted, in seconds. The device
   * then no longer shares the energy of its network address.
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
  /** When the device got its mark, in ms. If the time is unknown, the latest possible time. */
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
   * Time, in ms, at which all devices that have been forgotten are assumed to have had no energy
   * left.
   */
  private since = this.clock.now();

  constructor(
    private readonly room: Pick<Room, 'energySettings' | 'energyOf'>,
    private readonly marks: DeviceMarks,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Returns the device id in a device mark; undefined if this server did not issue the mark. */
  deviceIdOf(mark: string | undefined): string | undefined {
    return mark === undefined ? undefined : this.marks.read(mark);
  }

  /** Returns the device id of a present participant. */
  deviceOfParticipant(participant: ParticipantId): string | undefined {
    return this.deviceOf.get(participant);
  }

  /**
   * Registers a participant who is joining. If they are new to the room, grants them energy.
   *
   * @param isNew whether the participant has no energy level yet
   * @returns `energy`: initial energy; undefined for a participant who resumes, because they keep
   *   their previous energy. `mark`: a new device mark; undefined if the device already has a valid
   *   mark
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
   * Records the remaining energy of a participant whose reserved seat has expired. Call before the
   * room forgets their energy.
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
    // Treat a young device mark like a missing mark, so that nobody gains energy by collecting
    // marks.
    const isTrusted = isKnown && this.clock.now() - device.since >= 1000 * NEWCOMERS.trustedAfter;
    if (isTrusted) return this.spend(device, own);
    const shared = this.addresses.get(address) ?? { level: newcomer, updatedAt: this.clock.now() };
    this.remember(this.addresses, address, shared);
    // A whole museum may share one address, so grant everyone at least enough for one seed.
    const energy = Math.min(newcomer, own, Math.max(plant, this.levelOf(shared)));
    this.spend(shared, energy);
    return this.spend(device, energy);
  }

  /**
   * Returns the energy that a device has left: the lowest level among the device and its present
   * participants.
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
   * Stores an allowance as the most recent one. If there are too many allowances, forgets the
   * oldest one that does not belong to a device in use.
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
    // The device that has just been forgotten may return. It must not get more energy than it had
    // left. If its energy was not full, assume that all forgotten devices have no energy left at
    // this moment.
    if (this.levelOf(oldest[1]) < this.room.energySettings.newcomer) this.since = this.clock.now();
  }
}
