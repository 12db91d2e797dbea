/** Handlers for damaged data that were set aside. */
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { Handlers } from './api.ts';
import type { HostContext } from './host-context.ts';

/** The handlers of the calls about what was set aside. */
export function asideCalls({ storage, rooms }: HostContext) {
  const aside = storage?.aside;
  return {
    putBack: async (_, { aside: id }) => {
      const entry = aside?.entries.find((one) => one.id === id && isRoom(one));
      if (!aside || !entry?.room) throw new HostRefusal('not-aside');
      await rooms.exchange(entry.room, async () => {
        const replaced = await aside.exchange(id);
        return async () => {
          const failed = await aside.exchange(replaced.id);
          for (const one of [replaced, failed]) await aside.dismiss(one.id);
        };
      });
      await aside.dismiss(id);
      return {};
    },
    dismissAside: async (_, { aside: id }) => {
      if (!(await aside?.dismiss(id))) throw new HostRefusal('not-aside');
      return {};
    },
  } satisfies Partial<Handlers>;
}

const isRoom = ({ what }: { readonly what: string }): boolean =>
  what === 'room' || what === 'replaced';
