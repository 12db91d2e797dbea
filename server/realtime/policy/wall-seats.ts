/**
 * Manages the seats that the host has reserved for walls and touch tables. The URL of a wall or
 * table contains a secret pass, so that nobody else can take the seat. The caller stores the seats.
 */
import { randomInt } from 'node:crypto';
import * as v from 'valibot';
import { id } from '../../../shared/common-schemas.ts';

/** Schema of the stored seats. All servers of a cluster share these records. */
export const wallSeatRecords = v.array(
  v.strictObject({
    id,
    room: v.string(),
    /** Name that the host has given to the wall, unique in the room. */
    name: v.string(),
    pass: v.string(),
    /** Whether the seat is for a touch table rather than for a wall. */
    table: v.optional(v.boolean()),
    /** Whether the host has blocked the table, so that it only shows the room. */
    blocked: v.optional(v.boolean()),
    /** Whether the wall has ever been connected. */
    seen: v.boolean(),
    /**
     * When the wall was last disconnected, by the wall clock, in ms since the epoch. Null if the
     * wall is connected or has never been connected.
     */
    lost: v.nullable(v.number()),
  }),
);
export type WallSeat = Readonly<v.InferOutput<typeof wallSeatRecords>[number]>;

/**
 * Characters used in passes. Look-alikes are excluded, because somebody may have to type a pass.
 */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const MAX_ID = 0x7fffffff;
/** Number of characters in a pass, which give 59 bits of randomness. */
const PASS_LENGTH = 12;

export class WallSeats {
  private seats: readonly WallSeat[];

  /**
   * @param date returns the wall clock, in ms since the epoch
   * @param seats the stored list of seats that are reserved for walls and touch tables
   * @param onChange called with the new list of seats after each change
   */
  constructor(
    private readonly date: () => number,
    seats: readonly WallSeat[] = [],
    private readonly onChange: (seats: readonly WallSeat[]) => void = () => {},
  ) {
    // After a crash, the stored seats still say that their walls are connected. Mark these walls as
    // disconnected.
    this.seats = seats.map((seat) => this.asOfNobody(seat));
  }

  /**
   * Replaces the list of reserved seats. Call when another server may have changed the stored list.
   */
  replace(seats: readonly WallSeat[]): void {
    this.seats = seats;
  }

  /**
   * Marks a room's walls as disconnected. Call when the room has moved to this server from another
   * server.
   */
  takenOver(room: string): void {
    const seats = this.seats.map((one) => (one.room === room ? this.asOfNobody(one) : one));
    if (seats.some((one, i) => one !== this.seats[i])) this.change(seats);
  }

  /** Returns the reserved seats of a room's walls and touch tables, oldest first. */
  of(room: string): readonly WallSeat[] {
    return this.seats.filter((seat) => seat.room === room);
  }

  find(room: string, pass: string): WallSeat | undefined {
    return this.seats.find((seat) => seat.room === room && seat.pass === pass);
  }

  /**
   * Reserves a seat for a wall or touch table.
   *
   * @param name the wall's or table's name, unique in the room
   */
  add(room: string, name: string, table = false): WallSeat {
    // A random id, because the servers of a cluster assign ids independently.
    const id = randomInt(1, MAX_ID);
    const letters = Array.from({ length: PASS_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]);
    const pass = letters.join('');
    const seat = { id, room, name, pass, ...(table && { table }), seen: false, lost: null };
    this.change([...this.seats, seat]);
    return seat;
  }

  block(id: number, blocked: boolean): void {
    this.update(id, { blocked });
  }

  remove(id: number): void {
    this.change(this.seats.filter((seat) => seat.id !== id));
  }

  forget(room: string): void {
    if (this.of(room).length > 0) this.change(this.seats.filter((seat) => seat.room !== room));
  }

  /** Records that the wall with a reserved seat has connected. @param id id of the seat */
  appeared(id: number): void {
    this.update(id, { seen: true, lost: null });
  }

  /** Records that the wall with a reserved seat has disconnected. @param id id of the seat */
  vanished(id: number): void {
    this.update(id, { lost: this.date() });
  }

  /**
   * Returns a wall's reserved seat. If the wall counted as connected, the returned seat records
   * that it is disconnected.
   */
  private asOfNobody(seat: WallSeat): WallSeat {
    return seat.seen && seat.lost === null ? { ...seat, lost: this.date() } : seat;
  }

  private update(id: number, news: Partial<WallSeat>): void {
    this.change(this.seats.map((seat) => (seat.id === id ? { ...seat, ...news } : seat)));
  }

  private change(seats: readonly WallSeat[]): void {
    this.seats = seats;
    this.onChange(seats);
  }
}
