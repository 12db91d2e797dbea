/** Passes commands from participants and system actors to a room, and returns the answers. */

import * as v from 'valibot';
import {
  COMMANDS,
  type Command,
  type CommandName,
  type PreviewSource,
} from '../../../shared/protocol/commands.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { HOUSE, type ParticipantId } from '../../../shared/vocabulary.ts';
import { type Answer, type PlantedSeed, type RoomCommand, usesSeed } from '../../world/commands.ts';
import type { DrawingReview } from '../drawings/drawing-review.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { RoomContext } from '../sessions/room-context.ts';
import { SystemActor } from './system-actor.ts';

const keyOf = ({ by, session, id }: Pick<Answer, 'by' | 'session' | 'id'>): string =>
  `${by}/${session}/${id}`;

/** Checks commands against the policy and the hooks, and enqueues them for the next tick. */
export class CommandDispatcher {
  /** The actor for the host's own commands, which bypass policy and hooks. */
  readonly hostActor = new SystemActor({
    name: HOUSE.name,
    assignId: () => HOUSE.id,
    submit: (id, command) => this.context.room.enqueue(id, command),
  });
  private readonly systemActors = new Map([[HOUSE.id, this.hostActor]]);
  /** Commands that may arrive twice and are not answered yet. */
  private readonly pending = new Set<string>();

  constructor(
    private readonly context: RoomContext,
    private readonly drawings: Pick<DrawingReview, 'requirePlantable'>,
  ) {}

  /**
   * Checks that a participant's seed is of a kind that the host allows.
   *
   * @throws Refusal no-tokens, no-latents, no-drawings, drawing-unseen
   */
  requireSeed(seed: PreviewSource | PlantedSeed, participant: ParticipantId): void {
    const { tokens, latents } = this.context.policy.settings;
    if (seed.from === 'token' && !tokens) throw new Refusal('no-tokens');
    if (seed.from === 'latent' && !latents) throw new Refusal('no-latents');
    if (seed.from === 'hand') this.drawings.requirePlantable(participant, seed.seed);
  }

  /**
   * Submits a participant's command. The answer comes with the next tick, or at once if the command
   * arrives again and has been done. One that arrives again before its answer is ignored.
   *
   * @param session if it may arrive twice: what the id is unique in, uint32
   * @throws Refusal
   */
  dispatch(client: RoomClient, id: number, command: RoomCommand, session?: number): void {
    const { room, slots } = this.context;
    this.reportActivity();
    const by = command.by.id;
    const done = session === undefined ? undefined : room.doneBefore(id, command, session);
    if (done) {
      this.answer(done);
      return;
    }
    const key = keyOf({ by, session, id });
    if (session !== undefined && this.pending.has(key)) return;
    const refuse = ({ reason, detail }: Refusal): void => {
      this.pending.delete(key);
      const energy = room.energyOf(by);
      // They may have come back by another connection.
      (slots.memberOf(by) ?? client).send('rejected', {
        id,
        reason,
        energy,
        ...(detail && { detail }),
      });
    };
    if (session !== undefined) this.pending.add(key);
    try {
      this.admit({ id, command, session }, refuse);
    } catch (error) {
      this.pending.delete(key);
      throw error;
    }
  }

  /**
   * Runs a request that the room does not answer itself, such as a preview. A Refusal is sent to
   * the client like that of a command.
   *
   * @throws any other error of `work`
   */
  async runAsync(client: RoomClient, id: number, work: () => Promise<void>): Promise<void> {
    this.reportActivity();
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { reason, detail } = error;
      client.send('rejected', { id, reason, ...(detail && { detail }) });
    }
  }

  /**
   * Creates an actor without a connection.
   *
   * @param countsAsActivity whether its commands keep the gardener away
   */
  createSystemActor(name: string, countsAsActivity: boolean): SystemActor {
    return new SystemActor({
      name,
      assignId: (actor) => {
        const id = this.context.slots.newNumber();
        this.systemActors.set(id, actor);
        return id;
      },
      submit: (id, command, refuse) => {
        if (countsAsActivity) this.reportActivity();
        this.admit({ id, command }, refuse, true);
      },
    });
  }

  /** Passes an answer of the room to the actor or client that sent the command. */
  answer(answer: Answer): void {
    const { by, id, energy, refused, seed, spared } = answer;
    this.pending.delete(keyOf(answer));
    if (refused && usesSeed(answer)) this.context.policy.resetCooldown(by);
    this.systemActors.get(by)?.answer(answer);
    const client = this.context.slots.memberOf(by);
    if (refused) client?.send('rejected', { id, energy, ...refused });
    else client?.send('accepted', { id, energy, ...(seed && { seed: seed as never }) });
    if (spared) client?.send('notice', { notice: 'some-protected' });
  }

  /** Refuses what system actors still wait for, as the room has stopped. */
  refuseWaiting(reason: Reason): void {
    for (const actor of this.systemActors.values()) actor.refuseAll(new Refusal(reason));
  }

  private reportActivity(): void {
    this.context.hooks()?.active();
  }

  /**
   * Enqueues a command if the policy allows it and no hook rejects it.
   *
   * @param refuse called if a hook rejects the command later
   * @param isSystem the limits on width and frequency are for participants; a pause is for all
   * @throws Refusal
   */
  private admit(
    request: {
      readonly id: number;
      readonly command: RoomCommand;
      readonly session?: number | undefined;
    },
    refuse: (refusal: Refusal) => void,
    isSystem = false,
  ): void {
    const { room, policy, clock, hooks } = this.context;
    const { id, session, command } = request;
    const allowed = (): RoomCommand => {
      if (isSystem) policy.requireMayAct(command.by.id);
      else if (usesSeed(command)) this.requireSeed(command.seed, command.by.id);
      if (command.what === 'transform') {
        const planter = room.viewOf(command.organism)?.planter;
        policy.requireMayTransform(command.by.id, planter?.id);
      }
      return isSystem ? command : policy.admit(command);
    };
    const narrowed = allowed();
    if (!isSystem && usesSeed(command)) policy.startCooldown(command.by.id, clock.now());
    // A rejected seed must not start the cooldown.
    const undoCooldown = (): void => {
      if (usesSeed(command)) policy.resetCooldown(command.by.id);
    };
    try {
      const approval = hooks()?.command(narrowed);
      if (!approval) {
        room.enqueue(id, narrowed, session);
        return;
      }
      approval
        // The host may have paused the room, or muted them, since they asked.
        .then(() => room.enqueue(id, allowed(), session))
        .catch((error: unknown) => {
          if (!(error instanceof Refusal)) throw error;
          undoCooldown();
          refuse(error);
        });
    } catch (error) {
      undoCooldown();
      throw error;
    }
  }
}

/** The id of a message that may be invalid otherwise; undefined if it has none. */
export function readId(message: unknown): number | undefined {
  const id = (message as { id?: unknown } | null)?.id;
  return Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : undefined;
}

/**
 * Validates a message from an untrusted sender.
 *
 * @throws Refusal bad-message, with the field that is wrong
 */
export function parseCommand<N extends CommandName>(name: N, message: unknown): Command<N> {
  const parsed = v.safeParse(COMMANDS[name], message, { abortEarly: true });
  if (parsed.success) return parsed.output as Command<N>;
  const [issue] = parsed.issues;
  throw new Refusal('bad-message', `${v.getDotPath(issue) ?? name}: ${issue.message}`);
}
