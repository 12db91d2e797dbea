/** Tells a show's machines what happens in the rooms, as OSC: OSC.md has the addresses. */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Figures, Happening, Lived, RoomOpened, Ticked } from '../extensions/extension.ts';
import type { Listener } from '../extensions/hooks.ts';
import type { Clock } from '../platform/clock.ts';
import { TokenBucket } from '../platform/token-bucket.ts';
import {
  encodeBundle,
  encodeMessage,
  float,
  int,
  type OscArgument,
  type OscMessage,
  text,
} from './osc-codec.ts';

export interface OscOutputOptions {
  /** Sends one datagram; nobody knows whether it arrives. */
  readonly send: (bytes: Uint8Array) => void;
  readonly clock: Clock;
}

/** Bytes of a bundle before its elements, and of an element before its message. */
const BUNDLE_HEAD = 16;
const ELEMENT_HEAD = 4;

export class OscOutput implements Listener {
  readonly name = 'OSC';
  private waiting: OscMessage[] = [];
  private dropped = 0;
  private readonly rate: TokenBucket;
  private readonly sizes = new Map<string, RoomOpened>();

  constructor(private readonly options: OscOutputOptions) {
    const { messagesPerSecond } = DEFAULTS.osc;
    this.rate = new TokenBucket(messagesPerSecond, 2 * messagesPerSecond, options.clock.now());
  }

  onRoomOpened(room: RoomOpened): void {
    this.sizes.set(room.room, room);
  }

  onLife({ room, event }: Lived): void {
    const args = argumentsOf(event);
    if (args) this.say(room, event.what, args);
  }

  onFigures({ room, awake, organisms, people, actual, colour, living }: Figures): void {
    const size = this.sizes.get(room);
    if (size) this.say(room, 'size', [int(size.width), int(size.height)]);
    this.say(room, 'colour', [...colour.map(float), float(living)]);
    this.say(room, 'load', [int(awake), int(organisms), int(people), float(actual)]);
  }

  /** What was told since the last tick goes out. */
  onTick({ room }: Ticked): void {
    if (this.dropped > 0 && this.rate.take(1, this.options.clock.now())) {
      this.waiting.push(messageOf(room, 'dropped', [int(this.dropped)]));
      this.dropped = 0;
    }
    this.flush();
  }

  /** Something that came in by OSC was refused. */
  refused(room: string, what: string, reason: string): void {
    this.say(room, 'refused', [text(what), text(reason)]);
  }

  private say(room: string, what: string, args: readonly OscArgument[]): void {
    if (this.rate.take(1, this.options.clock.now())) this.waiting.push(messageOf(room, what, args));
    else this.dropped++;
  }

  /** In bundles that fit into one packet of any network. */
  private flush(): void {
    let elements: OscMessage[] = [];
    let size = BUNDLE_HEAD;
    const send = (): void => {
      if (elements.length > 0) this.options.send(encodeBundle(elements));
      elements = [];
      size = BUNDLE_HEAD;
    };
    for (const message of this.waiting) {
      const more = ELEMENT_HEAD + encodeMessage(message).length;
      if (size + more > DEFAULTS.osc.datagramBytes) send();
      elements.push(message);
      size += more;
    }
    send();
    this.waiting = [];
  }
}

function messageOf(room: string, what: string, args: readonly OscArgument[]): OscMessage {
  return { address: `/vivarium/${room}/${what}`, args };
}

/** @returns what is said of it; undefined: nothing */
function argumentsOf(event: Happening): OscArgument[] | undefined {
  switch (event.what) {
    case 'born': {
      const { id, x, y, planter, kind } = event.organism;
      return [int(id), float(x), float(y), float(planter.hue), text(kind)];
    }
    case 'grown':
      return [int(event.id)];
    case 'wounded':
      return [int(event.id), int(event.wounds)];
    case 'healed':
      return [int(event.id), int(event.healed)];
    case 'died':
      return [int(event.id), text(event.cause)];
    case 'crossed':
      return event.parents.map(int);
    default:
      return undefined;
  }
}
