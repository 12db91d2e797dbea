/**
 * Decides how much energy newcomers to a room start with (rules ENE-4 and ENE-5), so that nobody
 * can gain energy by reconnecting. The energy levels of devices and network addresses are kept only
 * in memory. After a restart, each device that already has a mark (signed id of a browser) is
 * assumed to have no energy left.
 */
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Room } from '../../world/room.ts';
import type { DeviceMarks } from './signed-tokens.ts';

export const NEWCOMERS = {
  /** Maximum time until the energy of a device or network address is full again, in seconds. */
  renewedWithin: 3_600,
  /**
   * Age, in seconds, from which a device mark (signed id of a browser) is trusted. Devices without
   * a trusted mark share one supply of energy per network address.
   */
  trustedAfter: 3_600,
  /** Maximum number of devices, and of network addresses, remembered per room. */
  remembered: 10_000,
} as const;

/** The energy left to a device or network address, which refills over time. */
interface EnergyAllowance {
  /** Amount of energy at `updatedAt`. */
  level: number;
  /** When `level` was last changed, in ms. */
  updatedAt: number;
}

interface Device extends EnergyAllowance {
  /**
   * When the device got its mark, in ms. If unknown, the latest possible time, so that the mark is
   * not trusted too early.
   */
  readonly since: number;
  /** Participants who use this device, including absent ones with a reserved seat. */
  readonly participants: Set<ParticipantId>;
}

export interface Newcomer {
  /** The device mark that the page has stored, if any. The mark is not verified yet. */
  readonly mark?: string | undefined;
  /** Address key of the connection (see `addressKey`). */
  readonly address: string;
}

/** Tracks how much energy the devices and network addresses of one room have left. */
export class NewcomerEnergy {
  private readonly devices = new Map<string, Device>();
  private readonly addresses = new Map<string, EnergyAllowance>();
  private readonly deviceOf = new Map<ParticipantId, string>();
  /**
   * If a device with a mark is not in `devices`, it is assumed that the device had no energy at
   * this time (in ms), and that its energy has been refilling since.
   */
  private since = this.clock.now();

  constructor(
    private readonly room: Pick<Room, 'energySettings' | 'energyOf'>,
    private readonly marks: DeviceMarks,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /**
   * Returns the device id in a mark; undefined if the mark is missing or was not issued by this
   * server.
   */
  deviceIdOf(mark: string | undefined): string | undefined {
    return mark === undefined ? undefined : this.marks.read(mark);
  }

  /** Returns the device id of a participant who has a seat, even if the seat is only reserved. */
  deviceOfParticipant(participant: ParticipantId): string | undefined {
    return this.deviceOf.get(participant);
  }

  /**
   * Registers a participant who joins, and gives energy to a participant who is new to the room.
   *
   * @param isNew whether the participant is new to the room
   * @returns `energy`: the starting energy of a new participant; otherwise undefined. `mark`: a new
   *   device mark; undefined if the device already has a valid mark
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
   * Records how much energy a participant has left. Call when their reserved seat has expired,
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
    // Treat a recent device mark like a missing one, so that visitors cannot gain energy by
    // collecting marks.
    const isTrusted = isKnown && this.clock.now() - device.since >= 1000 * NEWCOMERS.trustedAfter;
    if (isTrusted) return this.spend(device, own);
    const shared = this.addresses.get(address) ?? { level: newcomer, updatedAt: this.clock.now() };
    this.remember(this.addresses, address, shared);
    // All visitors of a museum may share one network address. So even if the address has little
    // energy left, allow enough for one seed.
    const energy = Math.min(newcomer, own, Math.max(plant, this.levelOf(shared)));
    this.spend(shared, energy);
    return this.spend(device, energy);
  }

  /**
   * Returns a device's energy: the lowest of its own level and the levels of the participants who
   * use the device.
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
   * Stores an allowance as the most recently used one. If there are too many allowances, forgets
   * the oldest allowance whose device is not in use.
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
    // A forgotten device that returns looks like any other unknown device. If its energy was not
    // full, assume that all unknown devices have no energy now (see `since`). Otherwise, being
    // forgotten would refill the device's energy.
    if (this.levelOf(oldest[1]) < this.room.energySettings.newcomer) this.since = this.clock.now();
  }
}
