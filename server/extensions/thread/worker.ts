/** The thread of an extension. Loads the extension and calls its hooks. */
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';
import { type Remote, serveWorker } from '../../platform/worker-rpc.ts';
import {
  type AskHook,
  type Extension,
  type ExtensionFile,
  type Hand,
  HOOK_OF,
  HOOKS,
  type NotifyHook,
  type Objection,
  type Permission,
} from '../extension.ts';
import type { ServerMethods, Started, ThreadMethods, Unfit } from '../extension-thread.ts';

const messageOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

await serveWorker<ThreadMethods, ServerMethods, Started>(async (server) => {
  const loaded = await load(server);
  if ('unfit' in loaded) return { ready: loaded };
  const { extension } = loaded;
  const hooks = HOOKS.filter((hook) => typeof extension[hook] === 'function');
  return { methods: methodsOf(extension, server), ready: { name: extension.name, hooks } };
});

async function load(
  server: Remote<ServerMethods>,
): Promise<{ readonly extension: Extension } | Unfit> {
  const acts = Object.keys(HOOK_OF).map((what) => [
    what,
    (room: string, parameters: unknown) =>
      server.call('act', { room, what: what as keyof typeof HOOK_OF, parameters }),
  ]);
  const say = (line: unknown): void => server.notify('say', String(line));
  const hand = { ...Object.fromEntries(acts), say } as Hand;
  const file = workerData as string;
  try {
    const exported = exportedBy(await import(pathToFileURL(file).href));
    const extension = typeof exported === 'function' ? await exported(hand) : exported;
    const name: unknown = Object(extension).name;
    const isName = typeof name === 'string' && name.length > 0 && name.length <= 64;
    return isName ? { extension: extension as Extension } : { unfit: 'no-extension', why: '' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const missing = code === 'ERR_MODULE_NOT_FOUND' && messageOf(error).includes(`'${file}'`);
    return { unfit: missing ? 'not-found' : 'threw', why: messageOf(error) };
  }
}

/**
 * Returns a module's default export. If tsx has compiled the module to CommonJS, `module.default`
 * is the object `exports`, which contains the default export.
 */
function exportedBy(module: { readonly default?: ExtensionFile }): ExtensionFile | undefined {
  const { __esModule: isCompiled, default: inner } = Object(module.default);
  return isCompiled ? inner : module.default;
}

function methodsOf(extension: Extension, server: Remote<ServerMethods>): ThreadMethods {
  /** Calls a hook, and reports its errors to the server. */
  const run = async (hook: NotifyHook | AskHook | 'onClose', about?: unknown): Promise<unknown> => {
    try {
      return await (extension[hook] as ((about: unknown) => unknown) | undefined)?.(about);
    } catch (error) {
      server.notify('failed', { hook, why: messageOf(error) });
      return undefined;
    }
  };
  return {
    // Do not return the hook's result, which may be of a type that cannot be sent between threads.
    tell: async (hook, about) => void (await run(hook, about)),
    ask: async (hook, about) => {
      const answer = (await run(hook, about)) as Partial<Objection & Permission> | undefined | null;
      const { refuse, allow } = answer ?? {};
      if (refuse !== undefined) return { refuse: String(refuse) };
      return allow === true ? { allow } : {};
    },
    ping() {},
    close: async () => void (await run('onClose')),
  };
}
