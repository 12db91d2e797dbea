/** Schemas of numbers and names that the protocol and the host's API share. */
import * as v from 'valibot';

export const finite = v.pipe(v.number(), v.finite());

/** A number in a range, both ends included. */
export const between = (min: number, max: number) =>
  v.pipe(finite, v.minValue(min), v.maxValue(max));

/** An integer in a range, both ends included. */
export const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));

/** A non-negative integer. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A positive integer. */
export const size = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** The id of an organism, participant or seed. */
export const id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** A room's name. Room names are part of URLs. */
export const roomName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9-]{1,32}$/, 'must be up to 32 characters (a-z, 0-9 and -)'),
);

/**
 * When drawings become seeds: immediately ('on'), after the host's approval ('ask'), or never
 * ('off').
 */
export const drawingMode = v.picklist(['on', 'ask', 'off']);

/**
 * The organisms that the gardener may wound: only its own ('own'), or also organisms whose planters
 * have been absent for a while ('unattended').
 */
export const gardenerWounds = v.picklist(['own', 'unattended']);
export type GardenerWounds = v.InferOutput<typeof gardenerWounds>;
