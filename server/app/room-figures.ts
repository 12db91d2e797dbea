/** What metrics say of the open rooms. */
import type { MetricsOptions } from '../operations/metrics.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { Ticker } from '../world/ticker.ts';

/** @param roomServers the servers of the open rooms */
export function roomFigures(
  roomServers: Iterable<RoomServer>,
  ticker: Pick<Ticker, 'pace'>,
): ReturnType<MetricsOptions['rooms']> {
  return [...roomServers].map(({ room, size, walls, reports }) => ({
    name: room.name,
    participants: size,
    organisms: room.size,
    awake: room.awake,
    reported: reports.size,
    rate: ticker.pace(room)!.actual,
    tick: room.tick,
    walls: walls.upCount,
    wallStates: walls.states,
  }));
}
