/** Sends events and statistics of rooms as OSC messages. OSC.md describes the messages. */

import type { Listener } from '../extensions/call-hooks.ts';
import type { Notifications, RoomLifeEvent, RoomOpened } from '../extensions/extension.ts';
import type { Clock } from '../platform/clock.ts';
import { TokenBucket } from '../platform/queues.ts';
import {
  encodeBundle,
  encodeMessage,
  float,
  int,
  type OscArgument,
  type OscMessage,
  text,
} from './osc-codec.ts';

/** Size of a bundle's header, and of the header of each element, in bytes. */
const BUNDLE_HEADER = 16;
const ELEMENT_HEADER = 4;

export const OUTPUT = {
  /**
   * Maximum number of messages per second. Excess messages are dropped, and their number is
   * reported.
   */
  messagesPerSecond: 400,
  /** Maximum size of a datagram, in bytes. Most networks do not fragment datagrams of this size. */
  datagramBytes: 1_400,
} as const;

/** Maximum number of messages in a burst, and in the queue of a tick. */
const MOST_AT_ONCE = 2 * OUTPUT.messagesPerSecond;

/** Collects the messages of a tick, and sends them as bundles at the end of the tick. */
export class OscOutput implements Listener {
  readonly name = 'OSC';
  private queue: OscMessage[] = [];
  private dropped = 0;
  private readonly rate: TokenBucket;
  private readonly rooms = new Map<string, RoomOpened>();

  /** @param send sends a datagram; the datagram may be lost */
  constructor(
    private readonly send: (bytes: Uint8Array) => void,
    private readonly clock: Clock,
  ) {
    this.rate = new TokenBucket(OUTPUT.messagesPerSecond, MOST_AT_ONCE, clock.now());
  }

  onRoomOpened(room: RoomOpened): void {
    this.rooms.set(room.room, room);
  }

  onLife({ room, event }: Notifications['onLife']): void {
    const args = argumentsOf(event);
    if (args) this.enqueue(room, event.what, args);
  }

  onFigures(figures: Notifications['onFigures']): void {
    const { room, awake, organisms, people, actual, colour, living } = figures;
    const size = this.rooms.get(room);
    if (size) this.enqueue(room, 'size', [int(size.width), int(size.height)]);
    this.enqueue(room, 'colour', [...colour.map(float), float(living)]);
    this.enqueue(room, 'load', [int(awake), int(organisms), int(people), float(actual)]);
  }

  onTick({ room }: Notifications['onTick']): void {
    if (this.dropped > 0 && this.rate.take(1, this.clock.now())) {
      this.queue.push(messageOf(room, 'dropped', [int(this.dropped)]));
      this.dropped = 0;
    }
    this.flush();
  }

  /** Queues a report that an incoming OSC message was refused. */
  refused(room: string, what: string, reason: string): void {
    this.enqueue(room, 'refused', [text(what), text(reason)]);
  }

  private enqueue(room: string, what: string, args: readonly OscArgument[]): void {
    const isTaken = this.queue.length < MOST_AT_ONCE && this.rate.take(1, this.clock.now());
    if (isTaken) this.queue.push(messageOf(room, what, args));
    else this.dropped++;
  }

  /** Sends the queued messages in bundles of at most `OUTPUT.datagramBytes`. */
  private flush(): void {
    let elements: OscMessage[] = [];
    let size = BUNDLE_HEADER;
    const send = (): void => {
      if (elements.length > 0) this.send(encodeBundle(elements));
      elements = [];
      size = BUNDLE_HEADER;
    };
    for (const message of this.queue) {
      const more = ELEMENT_HEADER + encodeMessage(message).length;
      if (size + more > OUTPUT.datagramBytes) send();
      elements.push(message);
      size += more;
    }
    send();
    this.queue = [];
  }
}

function messageOf(room: string, what: string, args: readonly OscArgument[]): OscMessage {
  return { address: `/vivarium/${room}/${what}`, args };
}

/** Returns the OSC arguments for an event; undefined if events of this kind are not sent. */
function argumentsOf(event: RoomLifeEvent): OscArgument[] | undefined {
  switch (event.what) {
    case 'born': {
      const { id, x, y, planter, kind } = event.organism;
      return [int(id), float(x), float(y), float(planter.hue), text(kind)];
    }
    case 'grown':
    case 'sensed':
    case 'departing':
    case 'renewed':
      return [int(event.id)];
    case 'wounded':
      return [int(event.id), int(event.wounds)];
    case 'healed':
      return [int(event.id), int(event.healed)];
    case 'expressing':
    case 'transformed':
      return [int(event.id), text(event.kind)];
    case 'grafted':
      return [int(event.id), text(event.kind ?? ''), int(event.parts?.length ?? 1)];
    case 'died':
      return [int(event.id), text(event.cause)];
    case 'crossed':
      return event.parents.map(int);
    case 'generation':
      return [int(event.number), int(event.heirs.length)];
    default:
      return undefined;
  }
}
