/** Schemas of numbers and names that the protocol and the host page's API share. */
import * as v from 'valibot';

/** A finite number. */
export const finite = v.pipe(v.number(), v.finite());

/** A number of a range, both ends included. */
export const between = (min: number, max: number) =>
  v.pipe(finite, v.minValue(min), v.maxValue(max));

/** An integer of a range, both ends included. */
export const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));

/** A number of things, from 0. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A number of things or cells, from 1. */
export const size = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Numbers of organisms, participants and seeds, from 1. */
export const id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Room names are part of addresses. */
export const roomName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9-]{1,32}$/, 'names have a-z, 0-9 and -, 32 at most'),
);

/** Whether drawings become seeds: at once, after the host's yes, or not. */
export const drawingMode = v.picklist(['on', 'ask', 'off']);

/**
 * Whose organisms the gardener wounds: its own, or also those whose planter has been away for long.
 */
export const gardenerWounds = v.picklist(['own', 'unattended']);
export type GardenerWounds = v.InferOutput<typeof gardenerWounds>;
