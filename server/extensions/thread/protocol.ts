/**
 * Calls between the server and an extension's thread. Data from the thread is validated, because
 * anybody may have written the extension.
 */
import * as v from 'valibot';
import {
  type ActName,
  type ActResult,
  type AskHook,
  HOOK_OF,
  type Notifications,
  type NotifyHook,
  type Questions,
} from '../extension.ts';

export interface ThreadMethods {
  /** Resolves once the hook is done. */
  tell<H extends NotifyHook>(hook: H, about: Notifications[H]): Promise<void>;
  ask<H extends AskHook>(hook: H, about: Questions[H]): Promise<HookAnswer>;
  ping(): void;
  close(): Promise<void>;
}

const shortText = v.pipe(
  v.string(),
  v.transform((text) => text.slice(0, 300)),
);

const unfitSchema = v.strictObject({
  unfit: v.picklist(['not-found', 'no-extension', 'threw']),
  why: shortText,
});
/** Why a file cannot be used as an extension. */
export type Unfit = v.InferOutput<typeof unfitSchema>;

/** Schema of the start-up result. */
export const startedSchema = v.union([
  v.strictObject({
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    hooks: v.pipe(v.array(v.string()), v.maxLength(64)),
  }),
  unfitSchema,
]);
export type Started = v.InferOutput<typeof startedSchema>;

/** Schema of the answer of a hook that may refuse. */
export const answerSchema = v.strictObject({
  refuse: v.optional(shortText),
  allow: v.optional(v.literal(true)),
});
/** The answer of a hook that may refuse, validated. */
export type HookAnswer = v.InferOutput<typeof answerSchema>;

/** Schema of a command from an extension. */
export const actSchema = v.strictObject({
  room: v.string(),
  what: v.picklist(Object.keys(HOOK_OF) as ActName[]),
  parameters: v.unknown(),
});
/** A command of the extension, validated except for its parameters. */
export type ActRequest = v.InferOutput<typeof actSchema>;

export const failureSchema = v.strictObject({ hook: shortText, why: shortText });
export const lineSchema = shortText;

/** Methods of the server that the thread may call. */
export interface ServerMethods {
  act(act: ActRequest): Promise<ActResult>;
  failed(failure: v.InferOutput<typeof failureSchema>): void;
  say(line: string): void;
}
