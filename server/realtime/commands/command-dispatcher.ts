/**
 * Checks commands against the host's rules and the extensions, passes allowed commands to a room,
 * and passes the room's answers back. Start reading at `dispatch`.
 */
import { hueOf } from '../../../shared/hues.ts';
import type { PreviewSource } from '../../../shared/protocol/commands.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { HOUSE, type ParticipantId, type ParticipantView } from '../../../shared/vocabulary.ts';
import {
  type Answer,
  type PlantedSeed,
  type RoomCommand,
  type RoomEvent,
  usesSeed,
} from '../../world/commands.ts';
import { galleryCreatures } from '../../world/create-latent.ts';
import type { DrawingReview } from '../drawings/drawing-review.ts';
import { type RoomClient, rejectionOf } from '../sessions/room-client.ts';
import type { RoomContext } from '../sessions/room-context.ts';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A command without `by`, the participant who sends the command. */
export type SystemCommand = Without<RoomCommand, 'by'>;

/**
 * A sender of commands without a connection: the gardener, OSC, an extension or the host. An actor
 * has its own participant id and energy, but no seat.
 */
export class SystemActor {
  /** The participant that represents the actor; undefined before the actor's first command. */
  you: ParticipantView | undefined;
  private nextId = 1;
  private readonly waiting = new Map<
    number,
    { readonly resolve: (answer: Answer) => void; readonly refuse: (error: Error) => void }
  >();

  /**
   * @param register called before the first command; returns the participant that represents this
   *   sender
   * @param submit submits a command. If the command is rejected before it reaches the room, either
   *   throws a Refusal immediately or calls `refuse` later
   */
  constructor(
    private readonly register: (actor: SystemActor) => ParticipantView,
    private readonly submit: (
      id: number,
      command: RoomCommand,
      refuse: (error: Error) => void,
    ) => void,
  ) {}

  /**
   * Sends a command to the room.
   *
   * @returns the room's answer, which may be a rejection
   * @throws Refusal if the command is rejected before it reaches the room, or if the room stops
   *   first
   */
  act(command: SystemCommand): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      const refuse = (error: Error): void => {
        this.waiting.delete(id);
        reject(error);
      };
      this.waiting.set(id, { resolve, refuse });
      try {
        this.you ??= this.register(this);
        this.submit(id, { ...command, by: this.you } as RoomCommand, refuse);
      } catch (error) {
        refuse(error as Error);
      }
    });
  }

  /** Resolves the promise that `act` has returned for the answered command. */
  answer(answer: Answer): void {
    this.waiting.get(answer.id)?.resolve(answer);
    this.waiting.delete(answer.id);
  }

  /** Rejects all unanswered commands, because the room has stopped. */
  refuseAll(error: Error): void {
    for (const { refuse } of [...this.waiting.values()]) refuse(error);
  }
}

const keyOf = ({ by, session, id }: Pick<Answer, 'by' | 'session' | 'id'>): string =>
  `${by}/${session}/${id}`;

/**
 * Checks commands against the room's policy and the extensions' hooks, and queues allowed commands
 * for the next tick.
 */
export class CommandDispatcher {
  /** The actor that sends the host's own commands, which bypass policy and hooks. */
  readonly hostActor = new SystemActor(
    () => HOUSE,
    (id, command) => this.context.room.enqueue(id, command),
  );
  private readonly systemActors = new Map([[HOUSE.id, this.hostActor]]);
  /**
   * Keys of unanswered commands (see `keyOf`). If a page repeats one of these commands, the
   * repeated command is ignored.
   */
  private readonly pending = new Set<string>();

  constructor(
    private readonly context: RoomContext,
    private readonly drawings: Pick<DrawingReview, 'requirePlantable'>,
  ) {}

  /**
   * Checks that a participant may use a seed.
   *
   * @throws Refusal `no-tokens`, `no-latents`, `no-drawings` or `drawing-unseen` if this type of
   *   seed is not allowed; `seed-hidden` if the host has hidden the gallery creature that grows
   *   from the seed; `no-such-seed`, `bad-token` or `bad-latent` if nothing can grow from the seed
   */
  requireSeed(seed: PreviewSource | PlantedSeed, participant: ParticipantId): void {
    const { room, policy } = this.context;
    const { tokens, latents, curation } = policy.settings;
    const { hidden } = curation;
    if (seed.from === 'token' && !tokens) throw new Refusal('no-tokens');
    if (seed.from === 'latent' && !latents) throw new Refusal('no-latents');
    if (seed.from === 'hand') this.drawings.requirePlantable(participant, seed.seed);
    if (hidden.length === 0) return;
    const creatures = galleryCreatures(seed, participant, room);
    if (creatures.some((index) => hidden.includes(index))) throw new Refusal('seed-hidden');
  }

  /**
   * Submits a participant's command, which the room answers after the next tick. If a reconnected
   * page repeats a command, the command is not executed again. The page gets the answer to the
   * first command.
   *
   * @param session id of the session in which `id` is unique, uint32; undefined if the sender never
   *   repeats commands
   * @throws Refusal if the command is rejected immediately
   */
  dispatch(client: RoomClient, id: number, command: RoomCommand, session?: number): void {
    const { room, seats } = this.context;
    this.context.hooks()?.active();
    const by = command.by.id;
    const done = session === undefined ? undefined : room.doneBefore(id, command, session);
    if (done) {
      this.answer(done);
      return;
    }
    const key = keyOf({ by, session, id });
    if (session !== undefined && this.pending.has(key)) return;
    const refuse = (refusal: Refusal): void => {
      this.pending.delete(key);
      const rejection = { ...rejectionOf(refusal, id), energy: room.energyOf(by) };
      // The participant may have reconnected since sending the command.
      (seats.memberOf(by) ?? client).send('rejected', rejection);
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
   * Runs `work`, which handles a request outside of the room, such as a preview. If `work` throws a
   * Refusal, sends the client a rejection.
   *
   * @throws any other error of `work`
   */
  async runAsync(client: RoomClient, id: number, work: () => Promise<void>): Promise<void> {
    this.context.hooks()?.active();
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      client.send('rejected', rejectionOf(error, id));
    }
  }

  /**
   * Creates a sender of commands without a connection.
   *
   * @param countsAsActivity whether the commands count as activity of visitors, which makes the
   *   gardener (automatic participant) stop playing for a while
   */
  createSystemActor(name: string, countsAsActivity: boolean): SystemActor {
    return new SystemActor(
      (actor) => {
        const id = this.context.seats.newNumber();
        this.systemActors.set(id, actor);
        return { id, name, hue: hueOf(id) };
      },
      (id, command, refuse) => {
        if (countsAsActivity) this.context.hooks()?.active();
        this.admit({ id, command }, refuse, true);
      },
    );
  }

  /** Passes the room's answer to the system actor or client that sent the command. */
  answer(answer: Answer): void {
    const { by, id, energy, refused, seed, spared } = answer;
    this.pending.delete(keyOf(answer));
    if (refused && usesSeed(answer)) this.context.policy.resetCooldown(by);
    this.systemActors.get(by)?.answer(answer);
    const client = this.context.seats.memberOf(by);
    if (refused) client?.send('rejected', { id, energy, ...refused });
    else client?.send('accepted', { id, energy, ...(seed && { seed: seed as never }) });
    if (spared) client?.send('notice', { notice: 'some-protected' });
  }

  /** Rejects all unanswered commands of system actors, because the room has stopped. */
  refuseWaiting(reason: Reason): void {
    for (const actor of this.systemActors.values()) actor.refuseAll(new Refusal(reason));
  }

  /**
   * Queues a command if the policy allows it and no hook rejects it.
   *
   * @param refuse called if a hook rejects the command later
   * @param isSystem whether a system actor sent the command. If so, seeds, cooldowns and the stroke
   *   radius are not checked
   * @throws Refusal if the command is rejected immediately
   */
  private admit(
    { id, session, command }: Pick<RoomEvent<'command'>, 'id' | 'session' | 'command'>,
    refuse: (refusal: Refusal) => void,
    isSystem = false,
  ): void {
    const { room, policy, clock, hooks } = this.context;
    const allowed = (): RoomCommand => {
      const bringsSeed = usesSeed(command) || command.what === 'graft';
      if (!isSystem && bringsSeed) this.requireSeed(command.seed, command.by.id);
      if (command.what === 'transform') {
        const planter = room.viewOf(command.organism)?.planter;
        policy.requireMayTransform(command.by.id, planter?.id);
      }
      return policy.admit(command, isSystem);
    };
    const narrowed = allowed();
    if (!isSystem && usesSeed(command)) policy.startCooldown(command.by.id, clock.now());
    // Ends the cooldown that the rejected command has started.
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
        // Check the policy again: the host may have paused the room while the hook was deciding.
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
