/** What the server and an extension's thread say to each other. What comes from the thread is checked: it may be anybody's code. */
import * as v from 'valibot';
import type { Asked, AskedHook, Outcome, Told, ToldHook } from '../extension.ts';

/** What the thread is started with. */
export interface ThreadStart {
  /** Absolute path of the extension's file. */
  readonly file: string;
}

export type ToThread =
  | { [H in ToldHook]: { readonly tell: H; readonly about: Told[H] } }[ToldHook]
  | {
      [H in AskedHook]: { readonly ask: H; readonly id: number; readonly about: Asked[H] };
    }[AskedHook]
  | { readonly acted: number; readonly outcome: Outcome }
  | { readonly ping: true }
  | { readonly close: true };

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const words = v.pipe(
  v.string(),
  v.transform((text) => text.slice(0, 300)),
);

export const fromThread = v.union([
  v.strictObject({
    ready: v.strictObject({
      name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
      hooks: v.pipe(v.array(v.string()), v.maxLength(64)),
    }),
  }),
  v.strictObject({ unfit: v.picklist(['not-found', 'no-extension', 'threw']), why: words }),
  /** One more of what it was told is dealt with. */
  v.strictObject({ done: v.literal(true) }),
  v.strictObject({ pong: v.literal(true) }),
  v.strictObject({ answered: id, refuse: v.optional(words) }),
  v.strictObject({ failed: words, why: words }),
  v.strictObject({
    act: id,
    room: v.string(),
    what: v.picklist(['plant', 'damage', 'cross']),
    wish: v.unknown(),
  }),
  v.strictObject({ say: words }),
  v.strictObject({ closed: v.literal(true) }),
]);

export type FromThread = v.InferOutput<typeof fromThread>;
