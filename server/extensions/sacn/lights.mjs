// @ts-check
/**
 * An extension that lets stage lights follow a room. It sends DMX channels over sACN. README.md
 * lists the channels.
 */
import { randomBytes } from 'node:crypto';
import { Sender } from 'sacn';

/** Interval between packets, in ms. */
const FRAME = 40;
/**
 * In each packet, a channel's level moves by this share of the remaining distance to its target
 * level. With 0.15, a fade takes about 0.5 s.
 */
const FADE = 0.15;
/** Brightness of a pulse, relative to its brightness in the previous packet. */
const DECAY = 0.9;
/** Minimum time between two pulses, in ms. Up to three flashes a second are safe (WCAG 2.3.1). */
const APART = 500;

/** The events that cause a pulse, for each of the four pulse channels. */
const PULSES = [['born'], ['wounded', 'grafted'], ['healed', 'renewed'], ['sensed']];

/** Creates the extension. @returns {import('../extension.ts').Extension} */
export default function lights() {
  const { SACN_UNIVERSE = '1', SACN_ADDRESS = '1', SACN_ROOM, SACN_TO } = process.env;
  const { SACN_PRIORITY = '100' } = process.env;
  /**
   * Parses an environment variable as a whole number.
   *
   * @param {string} name @param {string} text @param {number} min @param {number} max
   */
  const whole = (name, text, min, max) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new Error(`${name} must be a whole number from ${min} to ${max}`);
  };
  const universe = whole('SACN_UNIVERSE', SACN_UNIVERSE, 1, 63_999);
  const first = whole('SACN_ADDRESS', SACN_ADDRESS, 1, 501);
  const priority = whole('SACN_PRIORITY', SACN_PRIORITY, 1, 200);
  const sender = new Sender({
    universe,
    ...(SACN_TO && { useUnicastDestination: SACN_TO }),
    // `cid` is the random id by which receivers distinguish sources.
    defaultPacketOptions: { cid: randomBytes(16), sourceName: 'Vivarium', priority },
  });
  /**
   * Name of the room that the lights follow; undefined while no room is open.
   *
   * @type {string | undefined}
   */
  let room;
  /**
   * Target levels (`goals`) and current levels, 0…1: mean red, green and blue; share of the grid
   * that organisms cover; share of organisms that are awake; number of people, divided by 255.
   */
  let goals = [0, 0, 0, 0, 0, 0];
  let levels = goals;
  let pulses = PULSES.map(() => 0);
  let pulsed = Number.NEGATIVE_INFINITY;

  const timer = setInterval(() => {
    if (room === undefined) return;
    levels = levels.map((level, i) => level + FADE * (goals[i] - level));
    const values = [...levels, ...pulses].map((value) => Math.round(255 * Math.min(1, value)));
    pulses = pulses.map((pulse) => DECAY * pulse);
    const payload = Object.fromEntries(values.map((value, i) => [first + i, value]));
    // Ignore network errors, because the next packet contains the full state again.
    sender.send({ payload, useRawDmxValues: true }).catch(() => {});
  }, FRAME);

  return {
    name: 'sacn',
    onRoomOpened({ room: opened }) {
      if (opened === (SACN_ROOM ?? room ?? opened)) room = opened;
    },
    onRoomClosed({ room: closed }) {
      if (closed === room) room = undefined;
    },
    onFigures(figures) {
      if (figures.room !== room) return;
      const { colour, living, awake, organisms, people } = figures;
      goals = [...colour, living, awake / Math.max(1, organisms), people / 255];
    },
    onLife({ room: where, event: { what } }) {
      const pulse = PULSES.findIndex((events) => events.includes(what));
      const now = performance.now();
      if (where !== room || pulse < 0 || now - pulsed < APART) return;
      pulsed = now;
      pulses[pulse] = 1;
    },
    onClose() {
      clearInterval(timer);
      sender.close();
    },
  };
}
