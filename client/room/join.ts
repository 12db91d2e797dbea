/**
 * The client library `vivarium/client`, for browsers and for Node. With it, a program joins a room,
 * follows the room's organisms and acts on them. CLIENT.md documents the library.
 */
import { type Planes, takeCells } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { Command, SeedSource } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { EndReason } from '../../shared/protocol/reasons.ts';
import type { OrganismId, OrganismView, SeedView } from '../../shared/vocabulary.ts';
import type { PageMemory } from '../state/browser-store.ts';
import { BROWSER, Connection, type Means } from './connection.ts';
import type { RoomEvents, RoomModel } from './room-model.ts';

export type { Planes } from '../../shared/codec/chunks.ts';
export type { LifeEvent, ParticipantView } from '../../shared/vocabulary.ts';
export type { LifeChange } from './room-model.ts';
export type { EndReason, OrganismView, PageMemory, Rect, SeedSource, SeedView };

/** Default time limit for entering the room, in ms. */
const PATIENCE = 60_000;

/** Maximum time between planting a seed and the report of the birth, in ticks. */
const LATE = 100;

type Acts = 'plant' | 'damage' | 'graft' | 'transform' | 'cross';

/** A position, in cells. */
type Place = Readonly<Record<'x' | 'y', number>>;

/**
 * A seed. A string is the name of a gallery creature; an object with an `id` is one of the
 * participant's own seeds; a `SeedSource` describes any other seed.
 */
export type Seed = string | Pick<SeedView, 'id'> | SeedSource;

/**
 * A stroke of a brush: the coordinates x, y, x, y, … of its path, and the radius of the brush, in
 * cells.
 */
export type Stroke = { readonly points: readonly number[]; readonly radius: number };

export interface JoinOptions {
  /** The participant's name, which others see. */
  readonly name?: string;
  /**
   * Whether to join as a spectator, without a participant's seat. Default: true for view-only
   * links, otherwise false.
   */
  readonly watches?: boolean;
  /** Time limit for entering the room, including after a lost connection, in ms; 0 for no limit. */
  readonly patience?: number;
  /**
   * Storage for the client's seat (its place in the room) and its device mark (random bytes by
   * which the server recognises the client). Clients with the same storage are the same
   * participant.
   */
  readonly memory?: PageMemory;
}

/** Thrown if the server refuses a command or the connection has ended for good. */
export class RoomError extends Error {
  override readonly name = 'RoomError';

  constructor(readonly reason: EndReason) {
    super(reason);
  }
}

/** Parses the address of a room's page. @throws TypeError if `url` is not such an address */
export function roomAddress(url: string | URL) {
  const { origin, pathname, searchParams } = new URL(url);
  const room = pathname.match(/^\/r\/([a-z0-9-]+)/)?.[1];
  if (!room) throw new TypeError(`the address of a room looks like http://museum.example/r/garden`);
  return { origin, room, watches: searchParams.get('view') === 'only' };
}

/** Creates storage in memory. @internal */
export function shortMemory(): PageMemory['seat'] {
  let value: string | null = null;
  return {
    read: () => value,
    write: (text) => {
      value = text;
    },
  };
}

/**
 * Joins a room.
 *
 * @param url address of the room's page, like http://museum.example/r/garden
 * @returns the room; resolves once the room's first picture has arrived
 * @throws RoomError if the room cannot be entered; TypeError if `url` is not a room's address
 */
export async function join(url: string | URL, options: JoinOptions = {}): Promise<Room> {
  const room = new Room(url, options);
  room.connection.open();
  await room.until(() => room.state === 'live', 'connection');
  return room;
}

/** A room that this client has joined. */
export class Room {
  /** @internal */
  readonly connection: Connection;
  /** @internal */
  readonly model: RoomModel;
  /** Adds a listener for an event of the room. @returns a function that removes the listener */
  readonly on: RoomModel['on'];
  /** The area passed to the last call of `look`; undefined before the first call. */
  private looked: { readonly area: Rect | undefined } | undefined;

  /** @internal */
  constructor(url: string | URL, options: JoinOptions = {}, means: Means = BROWSER) {
    const { origin, room, watches } = roomAddress(url);
    const { name = null, memory = { seat: shortMemory(), mark: shortMemory() } } = options;
    this.connection = new Connection(
      room,
      { name, watches: options.watches ?? watches },
      memory,
      { ...means, dial: (how) => means.dial({ ...how, forceNew: true }, origin) },
      options.patience ?? PATIENCE,
    );
    this.model = this.connection.model;
    this.on = this.model.on;
    this.on('opened', ({ checkpoint }) => {
      // The URLs that the server sends are relative. Resolve them against the server's origin,
      // because a page of another site has another origin.
      const { sheet, map, painter } = checkpoint;
      const whole = (path: string): string => new URL(path, origin).href;
      Object.assign(checkpoint, {
        sheet: { ...sheet, url: whole(sheet.url) },
        ...(map && { map: whole(map) }),
        ...(painter && { painter: whole(painter) }),
      });
      this.sendLook();
    });
  }

  /** The state of the connection. 'closed' is final, and `ended` then gives the reason. */
  get state(): RoomModel['connection'] {
    return this.model.connection;
  }

  /** The reason why the connection has ended for good; undefined until it ends. */
  get ended(): EndReason | undefined {
    return this.connection.ended;
  }

  /** The living organisms by their ids, oldest first. */
  get organisms(): RoomModel['organisms'] {
    return this.model.organisms;
  }

  /** The participants by their ids, without spectators. */
  get people(): RoomModel['participants'] {
    return this.model.participants;
  }

  /** This client as a participant; undefined for a spectator. */
  get you(): RoomModel['you'] {
    return this.model.you;
  }

  /** This participant's own seeds (drawn or crossed), oldest first. */
  get seeds(): readonly SeedView[] {
    return this.model.seeds;
  }

  /** The names of the gallery's creatures. */
  get gallery(): readonly string[] {
    return this.model.checkpoint?.gallery.map(({ name }) => name) ?? [];
  }

  /**
   * The room's cells, row by row. A `picture` event reports each change.
   *
   * @throws RoomError if the client has not joined yet
   */
  get planes(): Planes {
    const { planes } = this.model;
    if (!planes) throw new RoomError('not-joined');
    return planes;
  }

  /**
   * Plants a seed, and waits until its organism is born.
   *
   * @param place centre of the organism's patch; `x` and `y` must be integers
   * @throws RoomError if the seed does not exist or is refused, the connection ends, or the birth
   *   is not reported within `LATE` ticks
   */
  async plant({ x, y }: Place, seed: Seed): Promise<OrganismView> {
    await this.ask('plant', { x, y, seed: this.source(seed) });
    const find = (): OrganismView | undefined =>
      [...this.organisms.values()].find(
        (one) => one.x === x && one.y === y && one.planter.id === this.you?.id,
      );
    // The birth is never reported if the organism dies while the connection is lost, so limit the
    // wait.
    const late = (this.model.tick ?? 0) + LATE;
    const isOver = (): boolean => find() !== undefined || (this.model.tick ?? 0) > late;
    await this.until(isOver, 'life', 'opened', 'picture');
    return find() ?? fail('no-such-organism');
  }

  /**
   * Damages the cells under a stroke.
   *
   * @returns the wounded organisms
   * @throws RoomError if the server refuses the stroke, or the connection ends
   */
  damage({ points, radius }: Stroke): Promise<OrganismView[]> {
    return this.change('wounded', 'damage', { points: [...points], radius });
  }

  /**
   * Grafts a seed onto all organisms under a stroke.
   *
   * @returns the organisms that now have a graft from this stroke
   * @throws RoomError if the server refuses the stroke, or the connection ends
   */
  graft({ points, radius }: Stroke, seed: Seed): Promise<OrganismView[]> {
    const command = { points: [...points], radius, seed: this.source(seed) };
    return this.change('grafted', 'graft', command);
  }

  /**
   * Transforms an organism into a seed's creature.
   *
   * @param at position from which the transformation spreads, in cells; default: the middle of the
   *   organism
   * @throws RoomError if the server refuses the command, or the connection ends
   */
  async transform(organism: OrganismId, seed: Seed, at?: Place): Promise<OrganismView> {
    const command = { organism, seed: this.source(seed), ...(at && { at }) };
    await this.change('transformed', 'transform', command);
    return this.organisms.get(organism) ?? fail('no-such-organism');
  }

  /**
   * Crosses two organisms.
   *
   * @param mix share of the second organism, `b`, in the child, 0 to 1
   * @param mutation share of random variation, 0 to 1
   * @returns the child's seed, which is now one of this participant's `seeds`
   * @throws RoomError if the server refuses the command, or the connection ends
   */
  async cross(a: OrganismId, b: OrganismId, mix = 0.5, mutation = 0): Promise<SeedView> {
    const { seed } = await this.ask('cross', { a, b, mix, mutation });
    return seed ?? fail('no-such-seed');
  }

  /**
   * Asks the server to send one area of the room in full detail. Cells outside the area and a small
   * margin are then no longer updated.
   *
   * @param area the area, in cells; by default, the whole room
   * @returns the organisms in the area; resolves once `planes` shows the area
   * @throws RoomError if the connection ends
   */
  async look(area?: Rect): Promise<OrganismView[]> {
    this.looked = { area };
    this.sendLook();
    // The server may have sent the next tick before it received this request, so wait for two
    // ticks.
    await this.ticks(2);
    const owners = new Set(takeCells(this.planes, this.within(area)).owner);
    return [...this.organisms.values()].filter(({ id }) => owners.has(id));
  }

  /**
   * Returns the colours of an area's cells as RGBA bytes, not premultiplied. Cells without an
   * organism are transparent.
   */
  pixels(area?: Rect): Uint8ClampedArray<ArrayBuffer> {
    const { rgba } = takeCells(this.planes, this.within(area));
    const pixels = new Uint8ClampedArray(rgba);
    for (let i = 0; i < pixels.length; i++) {
      const alpha = rgba[i | 3];
      if ((i & 3) < 3 && alpha > 0) pixels[i] = (rgba[i] * 255) / alpha;
    }
    return pixels;
  }

  /** Returns the colours of an area's cells as `ImageData`, which exists only in browsers. */
  imageData(area?: Rect): ImageData {
    return new ImageData(this.pixels(area), this.within(area).width);
  }

  /**
   * Draws the room on a canvas, one pixel per cell. Redraws the changed areas after every change.
   *
   * @returns a function that stops the drawing
   */
  drawOn(canvas: HTMLCanvasElement | OffscreenCanvas): () => void {
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const draw = (changed: readonly Rect[]): void => {
      const { x, y, width, height } = this.within();
      const isNew = canvas.width !== width || canvas.height !== height;
      if (isNew) Object.assign(canvas, { width, height });
      for (const area of isNew ? [{ x, y, width, height }] : changed) {
        context.putImageData(this.imageData(area), area.x, area.y);
      }
    };
    draw([this.within()]);
    return this.on('picture', ({ changed }) => draw(changed));
  }

  /** Leaves the room for good. */
  leave(): void {
    this.connection.close();
  }

  /**
   * Waits until a condition holds. Checks the condition immediately and after each of the events.
   *
   * @throws RoomError if the connection ends before the condition holds
   */
  until(isSo: () => boolean, ...events: (keyof RoomEvents)[]): Promise<void> {
    const off: (() => void)[] = [];
    return this.unlessEnded<void>((resolve) => {
      const check = (): void => {
        if (isSo()) resolve();
      };
      for (const event of events) off.push(this.on(event, check));
      check();
    }).finally(() => {
      for (const stop of off) stop();
    });
  }

  /** Waits for `count` ticks. Each tick ends with a `picture` or `pace` event. */
  private ticks(count: number): Promise<void> {
    // Start at −1, because `until` checks its condition once before any event.
    let passed = -1;
    return this.until(() => ++passed >= count, 'picture', 'pace');
  }

  /** Creates a promise that rejects with a `RoomError` if the connection ends first. */
  private unlessEnded<T>(
    start: (resolve: (value: T) => void, refuse: (reason: EndReason) => void) => void,
  ): Promise<T> {
    let off = (): void => {};
    return new Promise<T>((resolve, reject) => {
      const refuse = (reason: EndReason): void => reject(new RoomError(reason));
      const check = (): void => {
        if (this.ended) refuse(this.ended);
      };
      off = this.on('connection', check);
      check();
      if (!this.ended) start(resolve, refuse);
    }).finally(() => off());
  }

  private ask<N extends Acts>(
    name: N,
    command: Omit<Command<N>, 'id'>,
  ): Promise<Event<'accepted'>> {
    return this.unlessEnded((accepted, rejected) =>
      this.connection.requests.ask(name, command, { accepted, rejected }),
    );
  }

  /**
   * Sends a command that acts on organisms, and waits for the tick that executes it.
   *
   * @param what the event by which the server reports each changed organism
   * @returns the changed organisms that are still alive
   */
  private async change<N extends Acts>(
    what: 'wounded' | 'grafted' | 'transformed',
    ...[name, command]: Parameters<typeof this.ask<N>>
  ): Promise<OrganismView[]> {
    const changed = new Set<OrganismId>();
    const off = this.on('life', ({ event }) => {
      if (event.what === what && event.by === this.you?.id) changed.add(event.id);
    });
    try {
      await this.ask(name, command);
      // Events that name the changed organisms arrive before the next picture, so wait for the
      // picture.
      await this.ticks(1);
    } finally {
      off();
    }
    return [...this.organisms.values()].filter(({ id }) => changed.has(id));
  }

  private source(seed: Seed): SeedSource {
    if (typeof seed === 'object') return 'from' in seed ? seed : { from: 'hand', seed: seed.id };
    const index = this.gallery.indexOf(seed);
    return index < 0 ? fail('no-such-seed') : { from: 'gallery', index };
  }

  /** Returns the part of an area that lies on the grid, in whole cells. */
  private within(area?: Rect): Rect {
    const { width, height } = this.planes;
    if (!area) return { x: 0, y: 0, width, height };
    const clamp = (at: number, most: number): number => Math.max(0, Math.min(most, at));
    const x = clamp(Math.floor(area.x), width - 1);
    const y = clamp(Math.floor(area.y), height - 1);
    return {
      ...{ x, y, width: clamp(Math.ceil(area.x + area.width) - x, width - x) },
      height: clamp(Math.ceil(area.y + area.height) - y, height - y),
    };
  }

  private sendLook(): void {
    if (!this.looked) return;
    const area = this.looked.area ?? this.within();
    this.connection.send('look', { hidden: false, ...area, pixels: 4, best: 'full' });
  }
}

function fail(reason: EndReason): never {
  throw new RoomError(reason);
}
