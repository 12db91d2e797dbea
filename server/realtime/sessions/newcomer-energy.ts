/**
 * Decides how much energy newcomers to a room start with (rules ENE-4 and ENE-5), so that nobody
 * gains energy by reconnecting. Only the granted amounts are stored, in the journal. After a
 * restart, a device with a mark is assumed to have just spent all its energy.
 */
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { DeviceMarks } from './signed-tokens.ts';

/** Energy of newcomers. */
export const NEWCOMERS = {
  /**
   * Maximum time until a newcomer's energy is fully restored, however slowly the room's energy
   * refills, in seconds.
   */
  renewedWithin: 3_600,
  /**
   * A device whose mark is at least this old, in seconds, does not share the energy of its address.
   */
  trustedAfter: 3_600,
  /** Maximum number of devices and addresses remembered per room. */
  remembered: 10_000,
} as const;

/** An amount of energy that refills over time. */
interface EnergyAllowance {
  /** Amount of energy at `updatedAt`. */
  level: number;
  /** When `level` was last changed, in ms. */
  updatedAt: number;
}

interface Device extends EnergyAllowance {
  /** When the device got its mark, in ms. If that is unknown, the latest possible time. */
  readonly since: number;
  /** Present participants who use this device. */
  readonly participants: Set<ParticipantId>;
}

/** A client that is joining. */
export interface Newcomer {
  /** The device mark that the page has stored; not verified yet. */
  readonly mark?: string | undefined;
  /** Key under which the connection's address is counted. */
  readonly address: string;
}

/** Tracks the energy allowances of devices and addresses in one room. */
export class NewcomerEnergy {
  private readonly devices = new Map<string, Device>();
  private readonly addresses = new Map<string, EnergyAllowance>();
  /** Device id of each present participant. */
  private readonly deviceOf = new Map<ParticipantId, string>();
  /** When devices that are not remembered are assumed to have spent all their energy, in ms. */
  private since = this.clock.now();

  constructor(
    private readonly room: Pick<Room, 'energySettings' | 'energyOf'>,
    private readonly marks: DeviceMarks,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Returns the device id in a mark; undefined if this server did not issue the mark. */
  deviceIdOf(mark: string | undefined): string | undefined {
    return mark === undefined ? undefined : this.marks.read(mark);
  }

  /** Returns the id of a present participant's device. */
  deviceOfParticipant(participant: ParticipantId): string | undefined {
    return this.deviceOf.get(participant);
  }

  /**
   * Registers a participant who is joining. If they are new to the room, grants them energy.
   *
   * @param isNew whether the participant has no energy level yet
   * @returns `energy`: initial energy; undefined for a participant who resumes, because they keep
   *   their previous energy. `mark`: a new mark for the device; undefined if the device already has
   *   a valid one
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
    // Treat a young mark like a missing one, so that nobody gains anything by collecting marks.
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
   * Returns the energy left to a device: the lowest level among the device and its participants.
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
   * oldest one whose device is not in use.
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
    // A forgotten device may return and must not get more energy than it had left. Unless it had
    // all its energy, assume that it has spent it all just now.
    if (this.levelOf(oldest[1]) < this.room.energySettings.newcomer) this.since = this.clock.now();
  }
}
