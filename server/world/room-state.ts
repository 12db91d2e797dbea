/**
 * The complete state of a room between two ticks, as plain data. With the engine's cell states, a
 * room continues from it bit for bit. Queued commands are not part of it: they are not answered
 * yet.
 *
 * To add a field that outlives a tick, add it here and to `exportOrganism` or `Room.export`, and
 * raise the version.
 */
import * as v from 'valibot';
import {
  between,
  finite as number,
  id as positive,
  count as whole,
} from '../../shared/common-schemas.ts';
import { cause, flashLimit, origin } from '../../shared/vocabulary.ts';
import { samplerVersion } from '../vnca/card.ts';
import { relativesTable } from '../vnca/relatives.ts';

export const ROOM_STATE_VERSION = 1;

const word = v.pipe(whole, v.maxValue(0xffffffff));
const latent = v.custom<Float32Array>((value) => value instanceof Float32Array);
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
const owners = v.custom<Uint32Array>((value) => value instanceof Uint32Array);
const parents = v.pipe(v.array(positive), v.readonly());

/** Raise it if a room under the former rules would replay differently. */
export const RULES_VERSION = 1 as const;
/** Version of the rules that a room lives by. */
export const rulesVersion = v.literal(RULES_VERSION);
/** Scope within which the ids of repeatable commands are unique, uint32. */
export const session = v.pipe(whole, v.maxValue(0xffffffff));
/** Cells a step by which wounds close. */
export const reach = positive;

/** Share of the organisms that may express at once. */
export const liveliness = between(0, 1);

/** Schema of `LifeSettings`. */
export const lifeSettings = v.strictObject({
  birth: positive,
  healing: positive,
  expressing: positive,
  /** Absent: for ever. */
  lifetime: v.optional(v.pipe(number, v.minValue(0))),
});

/** Schema of `EnergySettings`. */
export const energySettings = v.strictObject({
  capacity: number,
  newcomer: number,
  refillPerSecond: number,
  plant: number,
  damagePerCell: number,
  wake: number,
});

/** Who sent a command, or planted an organism. */
export const actor = v.strictObject({ id: whole, name: v.string(), hue: v.number() });
const planter = actor;

const organismState = v.strictObject({
  id: positive,
  window: v.strictObject({
    x: v.pipe(v.number(), v.integer()),
    y: v.pipe(v.number(), v.integer()),
    width: positive,
    height: positive,
  }),
  latent,
  origin,
  kind: v.string(),
  parents,
  planter,
  born: whole,
  /** Tick at which its planter last renewed it; absent: never. */
  renewed: v.optional(whole),
  phase: v.picklist(['growing', 'awake', 'asleep', 'departing']),
  /** Ticks until it is gone, if it departs. */
  dissolving: v.optional(positive),
  /** Of one that departs: its planter cannot renew it. */
  isFinal: v.optional(v.literal(true)),
  /** Steps taken. */
  age: whole,
  stage: positive,
  wounds: whole,
  healed: whole,
  /** Places that it owned when it was wounded, until it heals; 0 if it was still growing. */
  hurt: v.optional(whole),
  /** Who made its latest wound, and the tick of its first stroke; only in protecting rooms. */
  cut: v.optional(v.strictObject({ by: whole, at: whole })),
  /** Steps since it was grown or last woken. */
  awakeSteps: whole,
  /** Times that freed places have woken it since a stroke or a neighbour's death. */
  stirs: whole,
  /** Consecutive steps without visible change. */
  restTicks: whole,
  /**
   * [S, S], 1 = a live cell here is blocked by another owner; the organism wakes when it is freed.
   */
  pressing: bytes,
  /** [stage, stage, 4] RGBA after its last step; absent before the first. */
  seen: v.optional(bytes),
  flicker: v.optional(
    v.strictObject({
      /** [S, S, 2] highest or lowest luminance and red since the last turn, in 255ths. */
      levels: bytes,
      /** [S, S] whether luminance and red rise or fall. */
      going: bytes,
      /** [S, S] turns in each slot of the last second. */
      turns: owners,
      /** Tick of the last measurement. */
      at: whole,
    }),
  ),
  /** Ticks until the next step of a slowed organism. */
  pause: v.optional(whole),
  /** Ticks until its next step, by its own pace. */
  wait: v.optional(whole),
  /** [stage, stage] of the coming step, 1 = hit by a stroke since the last step. */
  woundMask: v.optional(bytes),
  /** [S, S]. Where a cell was killed: steps until it can live again; else 0. */
  closed: v.optional(bytes),
  /** While it expresses a relative, or is on its way home. */
  expression: v.optional(
    v.strictObject({
      /** [Z]. What its cells read: the relative's latent, or its own again on the way home. */
      latent,
      /** Steps until it gets its own back. */
      stepsLeft: whole,
      /** Places that it owned before; absent until it wakes for it. */
      held: v.optional(whole),
    }),
  ),
  /** Until it rests after turning into something else. */
  transforming: v.optional(
    v.strictObject({
      /** [Z]. What its cells read when it began. */
      from: latent,
      /** Steps until its cells read its own latent. */
      stepsLeft: whole,
    }),
  ),
  /** What it has been, oldest first. */
  was: v.optional(v.array(v.strictObject({ kind: v.string(), origin, until: whole }))),
});

export type OrganismState = v.InferOutput<typeof organismState>;

const ended = v.strictObject({
  ...{ id: positive, kind: v.string(), origin, parents, planter },
  born: whole,
  /** Tick of its death. */
  died: whole,
  cause,
  wounds: whole,
  healed: whole,
  /** Kinds that it was before, oldest first. */
  was: v.optional(v.array(v.string())),
  /** Absent where its gallery kind tells it. */
  latent: v.optional(latent),
});
/** An organism that has died. */
export type Ended = v.InferOutput<typeof ended>;

const lineage = v.strictObject({
  /** In the order of their deaths. */
  ended: v.array(ended),
  /** Number of others that are no longer remembered. */
  forgotten: whole,
});
/** The dead that a room remembers. */
export type LineageState = v.InferOutput<typeof lineage>;

/** Schema of a room's state. */
export const roomState = v.pipe(
  v.strictObject({
    version: v.literal(ROOM_STATE_VERSION),
    tick: whole,
    maxOrganisms: positive,
    nextOrganism: positive,
    /** Highest participant id that has entered or sent a command. */
    lastParticipant: whole,
    /** Number of the next tick's events that are already applied. */
    acted: whole,
    random: v.strictObject({
      words: v.tuple([word, word, word, word]),
      spare: v.optional(v.number()),
    }),
    hands: v.strictObject({
      nextId: positive,
      held: v.array(
        v.strictObject({
          participant: positive,
          seeds: v.array(
            v.strictObject({
              ...{ id: positive, origin, parents, latent },
              /** Whether the host, or an extension, has approved the drawing. */
              approved: v.optional(v.literal(true)),
            }),
          ),
        }),
      ),
    }),
    energy: v.strictObject({
      settings: energySettings,
      tickRate: number,
      accounts: v.array(v.strictObject({ participant: positive, level: number, at: whole })),
    }),
    attendance: v.strictObject({
      present: v.array(positive),
      absent: v.array(v.strictObject({ participant: positive, since: whole })),
      /** Absent until somebody enters with a source (rule DEP-6). */
      sources: v.optional(v.array(v.strictObject({ participant: positive, source: positive }))),
    }),
    flashLimit,
    /** Seconds for which a wounded organism cannot be wounded again; absent: 0. */
    protect: v.optional(v.pipe(number, v.minValue(0))),
    /** Each participant's last stroke, where it has ended, and whom it has wounded (rule DMG-4). */
    strokes: v.optional(
      v.array(
        v.strictObject({
          participant: whole,
          end: v.strictObject({ x: number, y: number, radius: number }),
          at: whole,
          wounded: v.array(positive),
        }),
      ),
    ),
    /**
     * Of participants whose commands may arrive twice: the session that sent the last one, and those
     * of its commands that have been done, oldest first.
     */
    done: v.optional(
      v.array(
        v.strictObject({
          ...{ participant: whole, session },
          /** `seed`: the one that the participant holds since. */
          commands: v.array(v.strictObject({ id: whole, seed: v.optional(positive) })),
        }),
      ),
    ),
    /** Organisms that can be planted again (rule DEP-10), in the order in which they departed. */
    departed: v.optional(
      v.array(
        v.strictObject({
          ...{ id: positive, latent, origin, kind: v.string(), parents, planter },
          /** Of the corner of its window. */
          ...{ x: whole, y: whole },
          /** Tick of its death. */
          at: whole,
        }),
      ),
    ),
    rules: rulesVersion,
    /** Random seed of the room's chances. */
    seed: word,
    /** Absent: wounds close at once. */
    closing: v.optional(reach),
    life: lifeSettings,
    /** Whom gallery creatures can express; absent: nobody. */
    relatives: v.optional(relativesTable),
    /** What the room draws latents with; absent: N(0, I). */
    sampler: v.optional(samplerVersion),
    /** Share of the organisms that may express at once; absent: none. */
    liveliness: v.optional(liveliness),
    /** Absent: nothing has died since it is remembered. */
    lineage: v.optional(lineage),
    organisms: v.array(organismState),
    planes: v.strictObject({
      width: positive,
      height: positive,
      /** [height, width, 4] */
      rgba: bytes,
      /** [height, width] */
      owner: owners,
    }),
  }),
  v.check(({ planes: { width, height, rgba, owner } }) => {
    return rgba.length === 4 * width * height && owner.length === width * height;
  }, 'planes do not match their size'),
  v.check(({ organisms, nextOrganism }) => {
    const ids = organisms.map(({ id }) => id);
    return ids.every((id, i) => id < nextOrganism && (i === 0 || ids[i - 1] < id));
  }, 'organisms are not in order of their ids'),
);

/** A room's state, validated. */
export type RoomState = v.InferOutput<typeof roomState>;

/** An organism that has departed lately. */
export type Departed = NonNullable<RoomState['departed']>[number];

/** The part of a room's state that commands and other events change. */
export type CommandState = Omit<
  RoomState,
  'version' | 'tick' | 'acted' | 'done' | 'organisms' | 'planes'
>;
