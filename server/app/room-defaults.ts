/** The settings of rooms that the host has not changed, from the server's configuration. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings } from '../../shared/host/settings.ts';
import { hashText } from '../../shared/random.ts';
import type { GardenerSettings } from '../gardener/gardener.ts';
import type { Config } from '../settings/server.ts';

/** @returns the settings of a room that the host has not changed */
export function defaultRoomSettings(config: Config): RoomSettings {
  const { tickRate, capacity, maxOrganisms, energy } = config;
  const { gardenerWounds: wounds } = config;
  const attract =
    config.attract === 'off'
      ? { ...DEFAULTS.house.attract, on: false, wounds }
      : { on: true, after: config.attract, wounds };
  const { birth, healing, liveliness, lifetime } = config;
  const life = { birth, healing, liveliness, lifetime };
  return { ...DEFAULTS.house, tickRate, capacity, maxOrganisms, ...life, energy, attract };
}

/** @returns how a room's gardener behaves */
export function gardenerSettings({ attract }: RoomSettings): GardenerSettings {
  return { after: attract.on ? 1_000 * attract.after : 'off', wounds: attract.wounds };
}

/** @returns the rooms of the configuration, and what of them it names explicitly */
export function configuredRooms({ rooms, seed, size, checkpoint }: Config, loaded: string) {
  const { width, height } = size ?? DEFAULTS.room;
  const fixed = rooms.map((name) => {
    return { name, width, height, seed: hashText(`${seed}/${name}`), checkpoint: loaded };
  });
  return [fixed, { size: size !== undefined, checkpoint: checkpoint !== undefined }] as const;
}
