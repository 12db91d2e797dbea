/**
 * The places that the host has given to walls. A wall shows its pass, which is part of its own
 * address, and other walls cannot take its place. The caller stores the places.
 */
import { randomInt } from 'node:crypto';

/** The place of one wall in one room. */
export interface WallPlace {
  readonly id: number;
  readonly room: string;
  /** The host's name for the wall, unique in the room. */
  readonly name: string;
  readonly pass: string;
  /** Whether the wall has ever been up. */
  readonly seen: boolean;
  /** When the wall was lost, wall clock, ms since the epoch; null: it is up, or was never up. */
  readonly lost: number | null;
}

/** Letters and digits that cannot be mistaken for one another, as a pass may have to be typed. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const MAX_ID = 0x7fffffff;
/** 59 bits. */
const PASS_LENGTH = 12;

/** All places of a server. */
export class WallPlaces {
  private places: readonly WallPlace[];

  /**
   * @param date wall clock, ms since the epoch
   * @param places the stored places
   * @param onChange called with all places after each change
   */
  constructor(
    private readonly date: () => number,
    places: readonly WallPlace[] = [],
    private readonly onChange: (places: readonly WallPlace[]) => void = () => {},
  ) {
    // A server that was killed could not store that its walls were lost then.
    this.places = places.map((place) => this.asOfNobody(place));
  }

  /** Takes the places as they are stored now, perhaps by another server. */
  replace(places: readonly WallPlace[]): void {
    this.places = places;
  }

  /** Another server has run the room until now: its walls are lost until they are back. */
  takenOver(room: string): void {
    const places = this.places.map((one) => (one.room === room ? this.asOfNobody(one) : one));
    if (places.some((one, i) => one !== this.places[i])) this.change(places);
  }

  /** The places of a room, oldest first. */
  of(room: string): readonly WallPlace[] {
    return this.places.filter((place) => place.room === room);
  }

  /** The place that a pass opens in a room. */
  find(room: string, pass: string): WallPlace | undefined {
    return this.places.find((place) => place.room === room && place.pass === pass);
  }

  /** Gives a new place. @param name not used in the room yet */
  add(room: string, name: string): WallPlace {
    // Random, as other servers add places too.
    const id = randomInt(1, MAX_ID);
    const letters = Array.from({ length: PASS_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]);
    const place = { id, room, name, pass: letters.join(''), seen: false, lost: null };
    this.change([...this.places, place]);
    return place;
  }

  /** Takes a place back. */
  remove(id: number): void {
    this.change(this.places.filter((place) => place.id !== id));
  }

  /** Takes all places of a room back. */
  forget(room: string): void {
    if (this.of(room).length > 0) this.change(this.places.filter((place) => place.room !== room));
  }

  /** The wall of a place is up. */
  appeared(id: number): void {
    this.update(id, { seen: true, lost: null });
  }

  /** The wall of a place is gone. */
  vanished(id: number): void {
    this.update(id, { lost: this.date() });
  }

  /** The place of a room that nobody has run for a moment. */
  private asOfNobody(place: WallPlace): WallPlace {
    return place.seen && place.lost === null ? { ...place, lost: this.date() } : place;
  }

  private update(id: number, news: Partial<WallPlace>): void {
    this.change(this.places.map((place) => (place.id === id ? { ...place, ...news } : place)));
  }

  private change(places: readonly WallPlace[]): void {
    this.places = places;
    this.onChange(places);
  }
}
