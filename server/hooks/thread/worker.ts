/** An extension's thread: whatever it does, throws or never ends, it does here. */
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import {
  ASKED,
  type AskedHook,
  type Extension,
  type ExtensionFile,
  type Hand,
  type Objection,
  type Outcome,
  TOLD,
  type ToldHook,
} from '../extension.ts';
import type { FromThread, ThreadStart, ToThread } from './protocol.ts';

const port = parentPort!;
const send = (message: FromThread): void => port.postMessage(message);
const wordsOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** What its acts have led to, for those who wait. */
const pending = new Map<number, (outcome: Outcome) => void>();
let acts = 0;

const act =
  (what: 'plant' | 'damage' | 'cross') =>
  (room: string, wish: unknown): Promise<Outcome> =>
    new Promise((resolve) => {
      const id = acts++;
      pending.set(id, resolve);
      send({ act: id, room, what, wish });
    });

const hand: Hand = {
  plant: act('plant'),
  damage: act('damage'),
  cross: act('cross'),
  say: (line) => send({ say: String(line) }),
};

const extension = await load();
if (extension) {
  port.on('message', (message: ToThread) => void take(extension, message));
  const hooks = [...TOLD, ...ASKED].filter((hook) => typeof extension[hook] === 'function');
  send({ ready: { name: extension.name, hooks } });
}

async function load(): Promise<Extension | undefined> {
  const { file } = workerData as ThreadStart;
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: ExtensionFile };
    const made = typeof module.default === 'function' ? await module.default(hand) : module.default;
    if (typeof made === 'object' && made !== null && isName(made.name)) return made;
    send({ unfit: 'no-extension', why: '' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const missing = code === 'ERR_MODULE_NOT_FOUND' && wordsOf(error).includes(`'${file}'`);
    send({ unfit: missing ? 'not-found' : 'threw', why: wordsOf(error) });
  }
  return undefined;
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name.length > 0 && name.length <= 64;
}

async function take(from: Extension, message: ToThread): Promise<void> {
  if ('acted' in message) {
    pending.get(message.acted)?.(message.outcome);
    pending.delete(message.acted);
  } else if ('ping' in message) send({ pong: true });
  else if ('close' in message) {
    await attempt('onClose', () => from.onClose?.());
    send({ closed: true });
  } else if ('tell' in message) {
    const { tell, about } = message;
    await attempt(tell, () => (from[tell] as (about: unknown) => unknown)(about));
    send({ done: true });
  } else {
    const { ask, id, about } = message;
    const answer = await attempt(ask, () => (from[ask] as (about: unknown) => unknown)(about));
    const refuse = (answer as Objection | undefined | null)?.refuse;
    send({ answered: id, ...(refuse !== undefined && { refuse: String(refuse) }) });
  }
}

/** Calls a hook; what it throws is told. */
async function attempt(
  hook: ToldHook | AskedHook | 'onClose',
  call: () => unknown,
): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    send({ failed: hook, why: wordsOf(error) });
    return undefined;
  }
}
