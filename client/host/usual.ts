/** What a room's knobs are set to where no host has turned them. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { RoomSettings } from '../../shared/host/settings.ts';
import type { HostState } from '../../shared/host/state.ts';

export function usualSettings(_state: HostState | undefined): RoomSettings {
  const { room, energy, stroke } = DEFAULTS;
  return {
    tickRate: room.tickRate,
    capacity: room.capacity,
    maxOrganisms: room.maxOrganisms,
    energy,
    maxRadius: stroke.maxRadius,
    cooldown: 0,
    names: true,
    attract: { on: true, after: 60 },
    captions: true,
    languages: ['en'],
    paused: false,
  };
}
