/** The settings of rooms that the host has not changed, from the server's configuration. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings } from '../../shared/host/settings.ts';
import { hashText } from '../../shared/random.ts';
import type { Config } from '../settings/server.ts';

/** @returns the settings of a room that the host has not changed */
export function defaultRoomSettings(config: Config): RoomSettings {
  const { tickRate, capacity, maxOrganisms, energy } = config;
  const attract =
    config.attract === 'off'
      ? { ...DEFAULTS.house.attract, on: false }
      : { on: true, after: config.attract };
  const { birth, healing, liveliness, lifetime } = config;
  const life = { birth, healing, liveliness, lifetime };
  return { ...DEFAULTS.house, tickRate, capacity, maxOrganisms, ...life, energy, attract };
}

/** @returns idle time before a room's gardener starts, ms */
export function gardenerDelay({ attract }: RoomSettings): number | 'off' {
  return attract.on ? 1_000 * attract.after : 'off';
}

/** @returns the rooms of the configuration, and what of them it names explicitly */
export function configuredRooms({ rooms, seed, size, checkpoint }: Config, loaded: string) {
  const { width, height } = size ?? DEFAULTS.room;
  const fixed = rooms.map((name) => {
    return { name, width, height, seed: hashText(`${seed}/${name}`), checkpoint: loaded };
  });
  return [fixed, { size: size !== undefined, checkpoint: checkpoint !== undefined }] as const;
}
