/** What the numbers in `--energy` and `--limits` mean; their defaults are in shared/defaults.ts. */
import type { DEFAULTS } from '../../shared/defaults.ts';

type Meanings<K extends 'energy' | 'limits'> = Readonly<Record<keyof (typeof DEFAULTS)[K], string>>;

export const ENERGY_MEANINGS: Meanings<'energy'> = {
  capacity: 'most energy a participant can hold',
  newcomer: 'energy a newcomer starts with; a device has it once, then what it has left',
  refillPerSecond: "energy regained per second of the room's nominal tick rate",
  plant: 'cost of planting one organism',
  damagePerCell:
    'cost per cell swept by a stroke (length × 2 radius, plus the disc it starts with)',
  wake: 'cost per organism that a stroke wakes; a part of it for one that is awake',
};

export const LIMIT_MEANINGS: Meanings<'limits'> = {
  connections: 'connections in total',
  connectionsPerAddress: 'connections per IP address',
  connectsPerSecond: 'new connections per second and address',
  connectsAtOnce: 'new connections an address may open in one burst',
  joinsPerSecond: 'joins per second and address',
  joinsAtOnce: 'joins an address may make in one burst',
  fetchesPerSecond: 'HTTP requests per second and address; one page takes about a dozen',
  fetchesAtOnce: 'HTTP requests an address may make in one burst',
  bytesPerSecond: 'bytes received per second and connection',
  messagesPerSecond: 'messages per second and connection',
  framesPerSecond:
    'WebSocket frames per second and connection that are no message of their own: pings, pongs, fragments',
  outstandingResponses: 'unfinished HTTP responses per connection; above this it is closed',
  unreadBytes:
    'bytes that may queue for a client that does not read; above this it is disconnected',
  cursorsPerSecond:
    'cursor positions, views and notes that a visitor is busy, per second and connection',
  strokePointsPerSecond: 'points of strokes per second and connection',
  commandsPerSecond:
    'seeds planted, strokes, crosses, transformations, keepsakes, renewals and follows, per second and connection',
  previewsPerSecond: 'seed previews per second and connection; also pauses by OSC',
  drawingsPerSecond: 'drawings turned into seeds per second and connection',
  beaconsPerSecond: 'organisms highlighted for everybody, per second and connection',
  reportsPerSecond: 'organisms reported to the host, per second and connection',
  namesPerSecond: 'name changes per second and connection',
  resyncsPerSecond: 'full frames requested per second and connection',
  burstSeconds:
    "seconds' worth of each per-connection rate that may arrive at once, as after a network stall",
  refusals: 'rejected messages within `burstSeconds` before a connection is closed',
  banSeconds: 'seconds an address stays blocked after that, if nobody else uses it',
  handshakeSeconds: 'seconds allowed for each step of connecting: request, upgrade and greeting',
};
