/** What the server and an extension's thread say to each other. What comes from the thread is checked: it may be anybody's code. */
import * as v from 'valibot';
import type { Asked, AskedHook, Objection, Outcome, Told, ToldHook } from '../extension.ts';

/** What the thread is started with. */
export interface ThreadStart {
  /** Absolute path of the extension's file. */
  readonly file: string;
}

/** What the thread is asked. */
export interface ThreadMethods {
  /** Answered once the hook is done. */
  tell<H extends ToldHook>(hook: H, about: Told[H]): Promise<void>;
  ask<H extends AskedHook>(hook: H, about: Asked[H]): Promise<Partial<Objection>>;
  ping(): void;
  close(): Promise<void>;
}

const words = v.pipe(
  v.string(),
  v.transform((text) => text.slice(0, 300)),
);

const unfitSchema = v.strictObject({
  unfit: v.picklist(['not-found', 'no-extension', 'threw']),
  why: words,
});
export type Unfit = v.InferOutput<typeof unfitSchema>;

/** The start-up result. */
export const startedSchema = v.union([
  v.strictObject({
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    hooks: v.pipe(v.array(v.string()), v.maxLength(64)),
  }),
  unfitSchema,
]);
export type Started = v.InferOutput<typeof startedSchema>;

export const objectionSchema = v.strictObject({ refuse: v.optional(words) });

/** What each method of the server takes. */
export const actSchema = v.strictObject({
  room: v.string(),
  what: v.picklist(['plant', 'damage', 'cross']),
  wish: v.unknown(),
});
export type ActWish = v.InferOutput<typeof actSchema>;

export const failureSchema = v.strictObject({ hook: words, why: words });
export const lineSchema = words;

/** What the thread asks and says. */
export interface ServerMethods {
  act(act: ActWish): Promise<Outcome>;
  failed(failure: v.InferOutput<typeof failureSchema>): void;
  say(line: string): void;
}
